#include "base/lookup.h"

#include <string.h>

struct lookup_slot {
	uint64_t hash;
	size_t number_plus_1; /* 0: the slot is free */
};

enum { FIRST_ROOM = 64 };

/* Any mixing will do: multiplied by an odd number a word spreads upwards only, so the
 * high half is folded back down. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

uint64_t lookup_hash(struct bytes key)
{
	uint64_t hash = key.size, word;
	size_t at = 0;

	for (; at + sizeof(word) <= key.size; at += sizeof(word)) {
		memcpy(&word, key.data + at, sizeof(word));
		hash = mix(hash, word);
	}
	word = 0;
	if (at < key.size)
		memcpy(&word, key.data + at, key.size - at);
	return mix(hash, word);
}

size_t lookup_next(const struct lookup *l, uint64_t hash, size_t *cursor)
{
	for (; *cursor < l->room; ++*cursor) {
		const struct lookup_slot
			*slot = &l->slots[(hash + *cursor) & (l->room - 1)];

		if (slot->number_plus_1 == 0)
			break;
		if (slot->hash != hash)
			continue;
		++*cursor;
		return slot->number_plus_1 - 1;
	}
	return SIZE_MAX;
}

/* There is room: at most half of the slots are taken. */
static void put(struct lookup *l, struct lookup_slot one)
{
	size_t at = one.hash & (l->room - 1);

	while (l->slots[at].number_plus_1)
		at = (at + 1) & (l->room - 1);
	l->slots[at] = one;
}

enum rc lookup_add(struct lookup *l, uint64_t hash, size_t number, struct arena *arena,
	struct err *e)
{
	struct lookup old = *l;

	if ((l->count + 1) * 2 > l->room) {
		l->room = old.room ? old.room * 2 : FIRST_ROOM;
		l->slots = arena_alloc(arena, l->room, sizeof(*l->slots));
		if (!l->slots) {
			*l = old;
			return err_memory(e);
		}
		for (size_t i = 0; i < old.room; i++)
			if (old.slots[i].number_plus_1)
				put(l, old.slots[i]);
	}
	put(l, (struct lookup_slot){ hash, number + 1 });
	l->count++;
	return RC_OK;
}
