/* bytemap.h - finds what was put down under a key of bytes.
 *
 * Grows with what is in it; nothing is ever taken out.  Everything lives in the arena.
 */
#ifndef COORDINATOR_BYTEMAP_H
#define COORDINATOR_BYTEMAP_H

#include "base/arena.h"
#include "base/buf.h"

struct bytemap_entry {
	struct bytes key;
	void *value;
	struct bytemap_entry *next; /* in the same slot */
};

struct bytemap {
	struct bytemap_entry **slots;
	size_t slot_count, count; /* {0} is an empty map */
};

/* The value under the key; NULL: there is none. */
void *bytemap_find(const struct bytemap *m, struct bytes key);

/* The entry of the key, made with a copy of it and a NULL value when there is none;
 * NULL: memory is short. */
struct bytemap_entry *bytemap_at(struct bytemap *m, struct bytes key, struct arena *a);

/* The bytes of a string, without its NUL. */
struct bytes bytemap_text(const char *s);

#endif
