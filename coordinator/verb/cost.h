/* cost.h - what a level would be if a node came in that it does not hold on.
 */
#ifndef COORDINATOR_COST_H
#define COORDINATOR_COST_H

#include "coordinator/verb/keeping.h"

/* One phrase about the level of the lock's nodes and this one, as the lock has those:
 * what it would lose and on which model it would stand; or why there would be none.
 * NULL: out of memory. */
const char *cost_of_node(struct run *run, const struct keeping *k, size_t node);

#endif
