/* drift.h - how a node differs from what the lock says of it.
 *
 * What changed by itself (microcode, a parameter, ...) is told with both values.  What
 * follows from such a change (other registers, other answers of libvirt) is told only
 * where nothing that was seen explains it.  PURE.
 */
#ifndef COORDINATOR_LOCK_DRIFT_H
#define COORDINATOR_LOCK_DRIFT_H

#include "coordinator/lock/lock.h"

struct drift {
	const char *what;     /* "microcode", "command line", "features", ... */
	const char *was, *is; /* what is on one side alone; "": nothing */
	bool cause;	      /* it may be why features were lost */
};

struct drifts {
	struct drift *item; /* in the order of the table */
	size_t count;
};

/* One side of the comparison. */
struct drift_side {
	const struct lock_class *class;
	const struct lock_node *node;
};

enum rc drift_find(const struct drift_side *was, const struct drift_side *is,
	struct arena *arena, struct drifts *out, struct err *e);

/* Frequencies of one TSC, measured twice (as QEMU compares them)? */
bool drift_is_same_tsc(uint32_t a, uint32_t b);

/* "0x1 -> 0x2", "-quiet", "+nosmt, -quiet" and so on.  NULL: out of memory. */
const char *drift_values(const struct drift *d, struct arena *arena);

#endif
