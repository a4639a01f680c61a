/* texts.h - what everybody does with a list of texts. */
#ifndef PROTO_TEXTS_H
#define PROTO_TEXTS_H

#include "base/arena.h"
#include "base/err.h"
#include "proto/table.h"

/* Appends the text itself, not a copy.  RC_MEMORY, also for a NULL text: a formatter
 * was short of it. */
enum rc texts_add(
	struct texts *list, const char *text, struct arena *arena, struct err *e);

bool texts_have(const struct texts *list, const char *text);

/* "a, b, c"; where there are more than `most` of them "a, b and 7 more".  NULL when
 * memory is short. */
const char *texts_join(const struct texts *list, size_t most, struct arena *arena);

/* All of them, with that in between. */
const char *texts_join_with(
	const struct texts *list, const char *between, struct arena *arena);

#endif
