#include "coordinator/net/bytemap.h"

#include <stdbool.h>
#include <string.h>

enum { SLOTS_FIRST = 64 };

/* FNV-1a */
static uint64_t hash_of(struct bytes key)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < key.size; i++)
		hash = (hash ^ key.data[i]) * 0x100000001b3;
	return hash;
}

static struct bytemap_entry **slot_of(const struct bytemap *m, struct bytes key)
{
	return &m->slots[hash_of(key) % m->slot_count];
}

static struct bytemap_entry *find(const struct bytemap *m, struct bytes key)
{
	struct bytemap_entry *e = m->slot_count ? *slot_of(m, key) : NULL;

	while (e &&
		(e->key.size != key.size || memcmp(e->key.data, key.data, key.size) != 0))
		e = e->next;
	return e;
}

void *bytemap_find(const struct bytemap *m, struct bytes key)
{
	struct bytemap_entry *e = find(m, key);

	return e ? e->value : NULL;
}

static void put(struct bytemap *m, struct bytemap_entry *e)
{
	struct bytemap_entry **slot = slot_of(m, e->key);

	e->next = *slot;
	*slot = e;
}

/* Room for one entry more: at most one a slot, on the average. */
static bool make_room(struct bytemap *m, struct arena *a)
{
	struct bytemap bigger = { .slot_count = m->slot_count * 2, .count = m->count };

	if (m->count < m->slot_count)
		return true;
	if (!bigger.slot_count)
		bigger.slot_count = SLOTS_FIRST;
	bigger.slots = arena_alloc(a, bigger.slot_count, sizeof(struct bytemap_entry *));
	if (!bigger.slots)
		return false;
	for (size_t i = 0; i < m->slot_count; i++) {
		for (struct bytemap_entry *e = m->slots[i], *next; e; e = next) {
			next = e->next;
			put(&bigger, e);
		}
	}
	*m = bigger;
	return true;
}

struct bytemap_entry *bytemap_at(struct bytemap *m, struct bytes key, struct arena *a)
{
	struct bytemap_entry *e = find(m, key);
	char *copy;

	if (e)
		return e;
	copy = arena_text_n(a, key.data, key.size);
	e = arena_alloc(a, 1, sizeof(*e));
	if (!copy || !e || !make_room(m, a))
		return NULL;
	e->key = (struct bytes){ (const uint8_t *)copy, key.size };
	put(m, e);
	m->count++;
	return e;
}

struct bytes bytemap_text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}
