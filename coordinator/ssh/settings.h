/* settings.h - how one node is reached over SSH: the outcome of ssh_config(5), of the
 * command line and of the inventory, for that node.
 *
 * Everything is decided: nothing in here is "the default" any more, tokens (%h, ~) are
 * expanded, and lists are in the order in which they are tried.  Many nodes share the
 * same texts and lists.
 */
#ifndef COORDINATOR_SSH_SETTINGS_H
#define COORDINATOR_SSH_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/texts.h"

/* StrictHostKeyChecking.  What ssh calls `no` and `off` is SSH_STRICT_NEW here: a key
 * that changed is never accepted.  There is nobody to ask, so `ask` is SSH_STRICT_YES. */
enum ssh_strict { SSH_STRICT_YES, SSH_STRICT_NEW };

struct ssh_settings {
	const char *host; /* HostName: what is resolved, or what the jump host resolves */
	uint16_t port;
	const char *user;
	struct texts
		identity_files; /* private keys, as open() takes them; each may be missing */
	bool identities_named;	    /* the user named them: a missing one is an error */
	bool identities_only;	    /* of the agent's keys only those of identity_files */
	const char *agent;	    /* socket of the ssh-agent; NULL: none is asked */
	const char *host_key_alias; /* name in known_hosts; NULL: host and port */
	struct texts known_hosts; /* files, the user's first; new keys go to the first */
	enum ssh_strict strict;
	const char
		*host_key_algorithms; /* as written, with its + - ^; NULL: none given */
	const struct ssh_settings
		*jump;		    /* the host before this one (ProxyJump), which may
					  * have one itself; NULL: none.  Nodes of one jump
					  * host share the pointer. */
	const char *proxy_command;  /* for /bin/sh -c; NULL: none */
	uint32_t connect_timeout_s; /* ConnectTimeout; 0: not given */
};

#endif
