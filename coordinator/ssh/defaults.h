/* defaults.h - what ssh would use without a word of the user (ssh_config(5)): the agent if
 * there is one, the key files in ~/.ssh, the known_hosts files of user and system.
 */
#ifndef COORDINATOR_SSH_DEFAULTS_H
#define COORDINATOR_SSH_DEFAULTS_H

#include "coordinator/ssh/settings.h"

/* Fills *out for a host; texts live in the arena, the host's name stays the caller's.
 * RC_INPUT when this user has no name. */
enum rc ssh_settings_default(
	struct ssh_settings *out, const char *host, struct arena *arena, struct err *e);

/* "~/x" in this user's home, any other path as it is; NULL when memory is short. */
const char *ssh_expand_home(const char *path, struct arena *arena);

#endif
