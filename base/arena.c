#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ten thousand nodes have an arena each, most of them with little in it. */
enum { FIRST_BYTES = 1024, BLOCK_BYTES = 16 * 1024, CACHE_LINE = 64 };

struct arena_block {
	struct arena_block *previous;
	size_t used, size;
	alignas(max_align_t) unsigned char data[];
};

static struct arena_block *block_new(struct arena *a, size_t need)
{
	size_t size = a->last ? a->last->size * 2 : FIRST_BYTES;
	struct arena_block *b;

	if (size > BLOCK_BYTES)
		size = BLOCK_BYTES;
	if (size < need)
		size = need;
	if (size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = calloc(1, sizeof(*b) + size);
	if (!b)
		return NULL;
	b->previous = a->last;
	b->size = size;
	a->last = b;
	return b;
}

/* A type's size is a multiple of its alignment, so only objects of whole cache
 * lines can ask for a whole line. */
static size_t alignment_for(size_t size)
{
	return size && size % CACHE_LINE == 0 ? CACHE_LINE : alignof(max_align_t);
}

void *arena_alloc(struct arena *a, size_t count, size_t size)
{
	struct arena_block *b = a->last;
	size_t alignment = alignment_for(size), need, gap;

	if (__builtin_mul_overflow(count, size, &need) || need > SIZE_MAX / 2)
		return NULL;
	if (!b || b->size - b->used < need + alignment)
		b = block_new(a, need + alignment);
	if (!b)
		return NULL;
	gap = -(uintptr_t)(b->data + b->used) & (alignment - 1);
	b->used += gap + need;
	return b->data + b->used - need;
}

char *arena_text_n(struct arena *a, const void *s, size_t n)
{
	char *copy = arena_alloc(a, n + 1, 1);

	if (copy && n)
		memcpy(copy, s, n);
	return copy;
}

char *arena_text(struct arena *a, const char *s)
{
	return arena_text_n(a, s, strlen(s));
}

char *arena_format(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return NULL;
	text = arena_alloc(a, (size_t)n + 1, 1);
	if (!text)
		return NULL;
	va_start(args, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, args);
	va_end(args);
	return text;
}

void *arena_grow(struct arena *a, void *array, size_t count, size_t size)
{
	void *bigger;

	/* full exactly when the count is 0 or a power of two from 8 on */
	if (count != 0 && (count < 8 || (count & (count - 1)) != 0))
		return array;
	bigger = arena_alloc(a, count ? count * 2 : 8, size);
	if (bigger && count)
		memcpy(bigger, array, count * size);
	return bigger;
}

void arena_destroy(struct arena *a)
{
	while (a->last) {
		struct arena_block *b = a->last;

		a->last = b->previous;
		free(b);
	}
}
