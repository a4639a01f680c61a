/* walk.h - which lines of a configuration are for one host.  Pure. */
#ifndef COORDINATOR_SSH_WALK_H
#define COORDINATOR_SSH_WALK_H

#include "coordinator/ssh/config.h"

enum { WALK_IDENTITIES_MAX = 100 /* as in ssh */ };

/* What was said: for each keyword the first line for this host. */
struct given {
	const struct config_line *first[KEY_COUNT];
	const struct config_line *identity[WALK_IDENTITIES_MAX];
	size_t identities;
	const struct config_line *asks; /* why ssh must be asked; NULL: it need not be */
};

struct walk {
	const char *original; /* the host as the user named it */
	const char *host;     /* as Host lines see it: HostName in the final pass */
	const char *local_user;
	bool final;
	bool wants_final; /* out: a Match final asks for another pass */
	struct given *given;
};

/* Adds what a list of lines says, behind what is there. */
void walk_lines(struct walk *w, const struct config *c);

#endif
