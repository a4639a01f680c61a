/* ssh_config.h - SSH as users have it: from ssh_config(5), the command line and the
 * inventory to the settings of each node.  docs/ssh.md says what is read, and where cpuherd
 * differs from ssh on purpose.
 *
 * Plain configurations are understood here, in microseconds a node.  Where a line could
 * mean something that is not (Match exec, names rewritten by DNS, a keyword of a newer
 * ssh), ssh itself is asked for the nodes that the line may be for.
 */
#ifndef COORDINATOR_SSH_SSH_CONFIG_H
#define COORDINATOR_SSH_SSH_CONFIG_H

#include "coordinator/ssh/settings.h"

/* The options of the command line; all texts outlive the configuration. */
struct ssh_options {
	const char *file;	  /* -F; "none": no file at all; NULL: the usual two */
	struct texts values;	  /* -o KEY=VALUE */
	struct texts identities;  /* -i: before those of the configuration */
	struct texts known_hosts; /* in place of all others */
	const char *user, *jump;  /* -l, -J */
	uint16_t port;		  /* -p */
	bool no_agent, accept_new;
	uint32_t connect_timeout_s; /* 0: not given */
	const char *home;	    /* of ~; NULL: this user's */
	uint32_t ask_limit_ms;	    /* for an answer of ssh; 0: the usual ten seconds */
};

/* Who is to be reached: what the inventory says. */
struct ssh_target {
	const char *host;
	const char *user;     /* NULL: not said */
	uint16_t port;	      /* 0: not said */
	const char *identity; /* key file in place of those of -i; NULL: not said */
};

struct ssh_config;

/* Reads the files and checks the options.  NULL with *e filled: RC_INPUT names file and
 * line, RC_USAGE the option.  Everything lives in the arena. */
struct ssh_config *ssh_config_load(
	const struct ssh_options *options, struct arena *arena, struct err *e);

/* Fills in out[i] for each target.  RC_INPUT: for one of them there is no answer, and why;
 * RC_INTERRUPTED while ssh was asked. */
enum rc ssh_config_resolve(struct ssh_config *c, const struct ssh_target *targets,
	size_t count, const struct ssh_settings **out, struct err *e);

/* How often ssh was run. */
size_t ssh_config_asked(const struct ssh_config *c);

#endif
