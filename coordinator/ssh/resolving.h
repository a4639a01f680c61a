/* resolving.h - what the files behind ssh_config.h share; nobody else includes it. */
#ifndef COORDINATOR_SSH_RESOLVING_H
#define COORDINATOR_SSH_RESOLVING_H

#include "coordinator/ssh/intern.h"
#include "coordinator/ssh/ssh_config.h"
#include "coordinator/ssh/walk.h"

enum { JUMPS_MAX = 8, HOST_NAME_ROOM = 256, EXPANDED_MAX = 8 * 1024 };

struct ssh_config {
	const struct ssh_options *options;
	struct arena *arena;
	const char *home, *local_user;
	char uid[16], host_name[HOST_NAME_ROOM], short_name[HOST_NAME_ROOM];
	struct config identities; /* -i */
	struct config command;	  /* -l, -p, -J, -o */
	struct config files;
	struct intern intern;
	struct texts usual_known_user, usual_known_system, usual_identities;
	struct config *untouched; /* what ssh answers where nothing is configured */
	bool is_proven;		  /* ssh takes the lines that look odd */
	size_t asked;
};

/* One node, or one jump host on the way to it. */
struct resolving {
	struct ssh_config *c;
	struct ssh_target target;
	const char *
		jumps; /* ProxyJump as a jump host gets it: the hosts before it; or NULL */
	bool is_jump;  /* the options are not for jump hosts */
	unsigned depth;
	struct config own; /* what target and jumps say */
	struct given given;
	const char *final_host; /* the host is decided before the final pass; or NULL */
	bool is_answered;	/* given is ssh's answer: most of it is expanded */
};

/* resolve.c: the settings of a jump host ("user@host:port", after those before it), once
 * for all who use it. */
enum rc resolve_jump(struct ssh_config *c, const char *text, unsigned depth,
	const struct ssh_settings **out, struct err *e);

/* settle.c: from what was said to what it means. */
enum rc settle(struct resolving *r, const struct ssh_settings **out, struct err *e);
/* HostName, or the host itself, in lower case; an address in its one form. */
enum rc settle_host(struct resolving *r, const char **host, struct err *e);

/* answer.c: the command that asks ssh about r, and the lines of its answer as given. */
enum rc answer_command(
	const struct resolving *r, const char *const **argv, struct err *e);
enum rc answer_read(struct resolving *r, char *answer, struct err *e);

#endif
