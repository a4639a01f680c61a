/* hostkey.h - may this server be talked to?  The policy over known_hosts.
 *
 * A key that is known passes; a revoked or a changed one never does; an unknown
 * one passes only with accept_new, and is then written to the first file, so
 * that the next run (and the next node of this run at the same address) holds
 * the server to it.  When it cannot be written the server is refused.
 */
#ifndef COORDINATOR_HOSTKEY_H
#define COORDINATOR_HOSTKEY_H

#include "base/err.h"
#include "coordinator/net/known_hosts.h"

struct hostkey_policy {
	struct known_hosts known;
	const char *record; /* the file for new keys; NULL: there is none */
	bool accept_new;
};

/* Reads the files (a missing one is empty; one that cannot be read is
 * RC_INPUT).  Bad lines are logged as warnings. */
enum rc hostkey_load(struct hostkey_policy *p, const char *const *files, size_t count,
	struct arena *arena, struct err *e);

/* RC_OK, or RC_HOSTKEY with the reason and what to do. */
enum rc hostkey_judge(struct hostkey_policy *p, const char *host, uint16_t port,
	struct bytes blob, struct err *e);

#endif
