#include "proto/texts.h"

#include <string.h>

enum rc texts_add(
	struct texts *list, const char *text, struct arena *arena, struct err *e)
{
	list->item = arena_grow(arena, list->item, list->count, sizeof(*list->item));
	if (!text || !list->item)
		return err_memory(e);
	list->item[list->count++] = text;
	return RC_OK;
}

bool texts_have(const struct texts *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], text) == 0)
			return true;
	return false;
}

/* Measured before it is written: lists of ten thousand nodes come by. */
static char *join(
	const struct texts *list, size_t shown, const char *between, struct arena *arena)
{
	size_t size = 1;
	char *text, *end;

	for (size_t i = 0; i < shown; i++)
		size += strlen(list->item[i]) + strlen(between);
	text = end = arena_alloc(arena, size, 1);
	for (size_t i = 0; text && i < shown; i++) {
		end = stpcpy(end, i ? between : "");
		end = stpcpy(end, list->item[i]);
	}
	return text;
}

const char *texts_join_with(
	const struct texts *list, const char *between, struct arena *arena)
{
	return join(list, list->count, between, arena);
}

const char *texts_join(const struct texts *list, size_t most, struct arena *arena)
{
	size_t shown = list->count < most ? list->count : most;
	const char *text = join(list, shown, ", ", arena);

	if (text && shown < list->count)
		return arena_format(arena, "%s and %zu more", text, list->count - shown);
	return text;
}
