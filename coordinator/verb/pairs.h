/* pairs.h - which trial guests go from which node to which, and which at the same time.
 *
 * Pure: nodes are numbers, from 0.  A step is what goes on at once: no node is a source
 * twice in it, nor a target twice (it may be both).  The same wish gives the same pairs.
 */
#ifndef COORDINATOR_PAIRS_H
#define COORDINATOR_PAIRS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum pairs_kind {
	PAIRS_RING,   /* every node once a source and once a target: one step */
	PAIRS_ALL,    /* every node to every other */
	PAIRS_SAMPLE, /* so many of those, at random */
};

struct pairs_wish {
	enum pairs_kind kind;
	size_t sample; /* more than there are: all */
	uint32_t seed; /* of the sample */
};

struct pair {
	size_t source, target;
};

struct pairs {
	struct pair *pair; /* step by step */
	size_t count;
	size_t *steps; /* where each begins in pair; one more is the end */
	size_t step_count;
};

/* A run that would take weeks was not meant. */
enum { PAIRS_MAX = 1000 * 1000 };

/* All pairs of that many nodes. */
uint64_t pairs_possible(size_t nodes);

/* RC_USAGE: less than two nodes, or more than PAIRS_MAX pairs; RC_MEMORY. */
enum rc pairs_make(const struct pairs_wish *wish, size_t nodes, struct arena *arena,
	struct pairs *out, struct err *e);

#endif
