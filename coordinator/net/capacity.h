/* capacity.h - how many sessions this machine can have at once. */
#ifndef COORDINATOR_CAPACITY_H
#define COORDINATOR_CAPACITY_H

#include "base/err.h"

struct capacity {
	size_t sessions;	  /* that may be open at once */
	unsigned long long files; /* what ulimit -n allows, after it was raised */
	const char *bound_by;	  /* "memory" or "ulimit -n" */
};

/* Raises the limit of open files as far as `wanted` sessions need it and the hard limit
 * allows, and looks at the memory that is free: half of it may be taken.  RC_MEMORY when
 * not even a few sessions fit. */
enum rc capacity_find(
	size_t wanted, size_t files_each, struct capacity *out, struct err *e);

#endif
