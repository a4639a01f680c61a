/* arena.h - memory by lifetime.
 *
 * An arena hands out memory that lives until the arena is destroyed; nothing
 * in it is freed by hand.  The run arena lives until exit, a node's arena
 * until its outcome is reported, a scratch arena until the function returns.
 * A function that allocates takes the arena as an argument.
 *
 * Every function returns NULL when memory is short or the size overflows;
 * the caller reports err_memory().
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *last; /* {0} is an empty arena */
};

/* Zeroed memory for count objects of the size, aligned for any type: also for
 * those that ask for a cache line (struct bitset). */
void *arena_alloc(struct arena *a, size_t count, size_t size);

/* Copies, NUL-terminated: of a string, of n bytes, of a formatted text. */
char *arena_text(struct arena *a, const char *s);
char *arena_text_n(struct arena *a, const void *s, size_t n);
char *arena_format(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Room for one more object in a growing array: returns an array of at least
 * *count + 1 objects that starts with the old ones.  Call it before every
 * append; it doubles, so the cost stays linear. */
void *arena_grow(struct arena *a, void *array, size_t count, size_t size);

/* Frees everything; safe to call twice. */
void arena_destroy(struct arena *a);

#endif
