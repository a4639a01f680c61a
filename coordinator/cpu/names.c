#include "coordinator/cpu/names.h"

#include <stdlib.h>
#include <string.h>

#include "proto/texts.h"

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct texts names_of(
	const struct catalogue *c, const struct bitset *set, struct arena *arena)
{
	size_t count = bitset_count(set);
	struct texts names = { .item = arena_alloc(
				       arena, count + 1, sizeof(*names.item)) };

	if (!names.item)
		return names;
	for (size_t bit = bitset_next(set, 0); bit < BITSET_BITS;
		bit = bitset_next(set, bit + 1))
		names.item[names.count++] = catalogue_name(c, bit);
	qsort(names.item, names.count, sizeof(*names.item), by_name);
	return names;
}

const char *names_join(
	const struct catalogue *c, const struct bitset *set, struct arena *arena)
{
	struct texts names = names_of(c, set, arena);

	return names.item ? texts_join(&names, names.count, arena) : NULL;
}
