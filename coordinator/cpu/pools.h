/* pools.h - a level for each vendor, where one for all nodes cannot be.
 *
 * Every node is in exactly one pool.  A pool's level is the one that its nodes would get
 * alone; where they would get none, the pool says why.
 */
#ifndef COORDINATOR_POOLS_H
#define COORDINATOR_POOLS_H

#include "coordinator/cpu/conditions.h"

struct pool {
	const char *vendor; /* as in struct offer; "": unknown */
	const size_t *node; /* places in the offers, ascending */
	size_t count;
	struct level level; /* where why.code is RC_OK */
	const struct condition_remark
		*remarks; /* on that level; `of` is by place in node */
	size_t remark_count;
	struct err why;
};

/* Pools of many nodes come first, then by vendor, in whatever order the offers come.
 * Fails only for want of memory. */
enum rc pools_choose(const struct conditions *all, const struct wishes *wishes,
	const struct bitset_ops *ops, struct pool **out, size_t *count, struct err *e);

#endif
