#include "coordinator/ssh/intern.h"

#include <string.h>

enum { FIRST_ROOM = 64 };

static uint32_t hash_bytes(const void *data, size_t size)
{
	const unsigned char *byte = data;
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 16777619u;
	return hash;
}

static void slot_place(struct intern *in, struct intern_slot *slot)
{
	size_t at = slot->hash & (in->room - 1);

	while (in->slots[at])
		at = (at + 1) & (in->room - 1);
	in->slots[at] = slot;
}

static bool reserve(struct intern *in)
{
	struct intern_slot **before = in->slots;
	size_t room = in->room;

	if ((in->count + 1) * 2 <= room)
		return true;
	in->room = room ? room * 2 : FIRST_ROOM;
	in->slots = arena_alloc(in->arena, in->room, sizeof(struct intern_slot *));
	if (!in->slots)
		return false;
	for (size_t i = 0; i < room; i++)
		if (before[i])
			slot_place(in, before[i]);
	return true;
}

static struct intern_slot *slot_add(struct intern *in, uint32_t hash)
{
	struct intern_slot *slot = arena_alloc(in->arena, 1, sizeof(*slot));

	if (!slot)
		return NULL;
	slot->hash = hash;
	slot_place(in, slot);
	in->count++;
	return slot;
}

struct intern_slot *intern_find(struct intern *in, const char *text)
{
	uint32_t hash = hash_bytes(text, strlen(text));
	struct intern_slot *slot;

	if (!reserve(in))
		return NULL;
	for (size_t at = hash & (in->room - 1); (slot = in->slots[at]);
		at = (at + 1) & (in->room - 1))
		if (slot->hash == hash && slot->text && strcmp(slot->text, text) == 0)
			return slot;
	slot = slot_add(in, hash);
	if (slot)
		slot->text = arena_text(in->arena, text);
	return slot && slot->text ? slot : NULL;
}

const char *intern_text(struct intern *in, const char *text)
{
	struct intern_slot *slot = intern_find(in, text);

	return slot ? slot->text : NULL;
}

bool intern_list(struct intern *in, const struct texts *list, struct texts *out)
{
	size_t size = list->count * sizeof(*list->item);
	uint32_t hash = hash_bytes(list->item, size);
	struct intern_slot *slot;

	*out = (struct texts){ 0 };
	if (list->count == 0)
		return true;
	if (!reserve(in))
		return false;
	for (size_t at = hash & (in->room - 1); (slot = in->slots[at]);
		at = (at + 1) & (in->room - 1))
		if (slot->hash == hash && !slot->text &&
			slot->list.count == list->count &&
			memcmp(slot->list.item, list->item, size) == 0)
			break;
	if (!slot) {
		const char **copy = arena_alloc(in->arena, list->count, sizeof(*copy));

		slot = copy ? slot_add(in, hash) : NULL;
		if (!slot)
			return false;
		memcpy(copy, list->item, size);
		slot->list = (struct texts){ copy, list->count };
	}
	*out = slot->list;
	return true;
}
