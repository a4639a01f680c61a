/* objection.h - what a node says no to leaves the level. */
#ifndef COORDINATOR_OBJECTION_H
#define COORDINATOR_OBJECTION_H

#include "coordinator/verb/run.h"

/* Of the names that the node's no is about, adds those that the level holds to *removed
 * and to what the node refused; *taken is how many these are.  RC_VOTE: without one of
 * them no guest runs. */
enum rc objection_take(struct run *run, size_t node, const struct texts *features,
	const char *reason, struct bitset *removed, size_t *taken, struct err *e);

#endif
