/* referee.h - what `ssh -G` says of a configuration, held against what cpuherd makes of it.
 */
#ifndef TESTS_SSH_REFEREE_H
#define TESTS_SSH_REFEREE_H

#include "coordinator/ssh/ssh_config.h"
#include "tests/support/test.h"

/* The configuration, and one that it may include. */
extern char file[128], included[128];
extern struct arena arena; /* of one case */

/* Who is asked about, and with which options. */
struct question {
	const char *host, *user, *jump, *options;
	unsigned port;
	unsigned depth;
};

struct told {
	bool refused;
	const char *words; /* of the refusal */
	char *lines[256];
	size_t count;
};

/* One run of ssh -G on the file. */
struct told ask_ssh(const struct question *q);

struct asked {
	bool of_ssh; /* was ssh asked? */
	bool refused;
	struct err err;
};

/* Fails unless both refuse, or both say the same, of the node and of each jump host on the
 * way to it.  values are the -o of q->options, once more. */
struct asked check(const struct question *q, const struct texts *values);

/* For cmocka_run_group_tests(). */
int referee_make(void **state);
int referee_unmake(void **state);

#endif
