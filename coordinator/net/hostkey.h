/* hostkey.h - may this server be talked to?  The policy over known_hosts.
 *
 * A key that is known passes; a revoked or a changed one never does; an unknown one
 * passes only where the settings say SSH_STRICT_NEW and no @cert-authority line speaks
 * for the host, and is then written to the first of their files, so that the next run
 * (and the next node of this run at the same address) holds the server to it.  When it
 * cannot be written the server is refused.
 *
 * One policy serves all nodes of a run, each with its own list of files; a file is read
 * once.  hostkey_load(), _types() and _judge() may be called by several threads.
 */
#ifndef COORDINATOR_HOSTKEY_H
#define COORDINATOR_HOSTKEY_H

#include <pthread.h>

#include "coordinator/net/known_hosts.h"
#include "coordinator/ssh/settings.h"

struct hostkey_policy {
	struct arena arena;
	struct bytemap files; /* struct known_hosts by the path */
	pthread_mutex_t lock;
};

void hostkey_init(struct hostkey_policy *p);
void hostkey_destroy(struct hostkey_policy *p);

/* Reads those files of the settings that were not read yet (a missing one is empty; one
 * that cannot be read is RC_INPUT).  Bad lines are logged as warnings.  What is not
 * loaded before it is asked for is loaded then. */
enum rc hostkey_load(
	struct hostkey_policy *p, const struct ssh_settings *settings, struct err *e);

/* Takes the text for what is in the file; for tests. */
enum rc hostkey_load_text(
	struct hostkey_policy *p, const char *file, struct bytes text, struct err *e);

/* The types of keys that the node is known by, best first, NULL at the end. */
enum rc hostkey_types(struct hostkey_policy *p, const struct ssh_settings *settings,
	const char *types[static KNOWN_TYPES_MAX + 1], struct err *e);

/* RC_OK, or RC_HOSTKEY with the reason and what to do. */
enum rc hostkey_judge(struct hostkey_policy *p, const struct ssh_settings *settings,
	struct bytes blob, struct err *e);

#endif
