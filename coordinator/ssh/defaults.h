/* defaults.h - the files that ssh uses without a word of the user (ssh_config(5):
 * IdentityFile, UserKnownHostsFile, GlobalKnownHostsFile). */
#ifndef COORDINATOR_SSH_DEFAULTS_H
#define COORDINATOR_SSH_DEFAULTS_H

#include "coordinator/ssh/intern.h"

/* Keys that are tried where they are there. */
enum rc defaults_add_identities(
	struct texts *out, const char *home, struct intern *in, struct err *e);

/* New keys go to the first of the user's. */
enum rc defaults_add_known_hosts(struct texts *user, struct texts *system,
	const char *home, struct intern *in, struct err *e);

#endif
