/* migrations_private.h - what the parts of migrations.h share. */
#ifndef COORDINATOR_MIGRATIONS_PRIVATE_H
#define COORDINATOR_MIGRATIONS_PRIVATE_H

#include "coordinator/verb/migrations.h"

enum { NO_PAIR = -1 };

struct migrations {
	struct run *run;
	const struct pairs *pairs;

	/* one per node, for the step that runs: numbers of pairs, or NO_PAIR */
	int *from, *to;
	struct try *tries;
	struct migrate *sends;
	struct meet *meets;
	struct dismiss dismiss;
	struct texts *left; /* one per node: what could not be removed there */
};

/* migration_rounds.c: what the nodes of a step are asked.  RC_MEMORY; a target that cannot
 * be named to others has an err. */
enum rc step_prepare(struct migrations *m, size_t step, struct err *e);

/* Asks them; all their guests have ended then.  RC_INTERRUPTED, RC_MEMORY. */
enum rc step_run(struct migrations *m, struct err *e);

#endif
