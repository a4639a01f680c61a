/* lookup.h - a hash table from 64-bit hashes to numbers.
 *
 * It holds no keys: the caller compares, so that a hash that two keys share costs time
 * and never a wrong answer.
 */
#ifndef BASE_LOOKUP_H
#define BASE_LOOKUP_H

#include "base/arena.h"
#include "base/buf.h"

struct lookup_slot;

struct lookup {
	struct lookup_slot *slots; /* {0} is an empty table; in the arena of the adds */
	size_t room, count;
};

uint64_t lookup_hash(struct bytes key);

/* The numbers that were added with this hash, one a call; SIZE_MAX: no more.  *cursor is
 * 0 for the first call. */
size_t lookup_next(const struct lookup *l, uint64_t hash, size_t *cursor);

/* RC_MEMORY.  number is below SIZE_MAX. */
enum rc lookup_add(struct lookup *l, uint64_t hash, size_t number, struct arena *arena,
	struct err *e);

#endif
