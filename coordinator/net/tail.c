#include "coordinator/net/tail.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

void tail_append(struct tail *t, const void *data, size_t size)
{
	const char *from = data;
	size_t keep;

	if (size > TAIL_BYTES) {
		from += size - TAIL_BYTES;
		size = TAIL_BYTES;
	}
	keep = t->size < TAIL_BYTES - size ? t->size : TAIL_BYTES - size;
	memmove(t->data, t->data + t->size - keep, keep);
	memcpy(t->data + keep, from, size);
	t->size = keep + size;
}

/* Finds the last line with something in it before end; false when there is none. */
static bool last_line(const char *data, size_t *end, size_t *start)
{
	while (*end && (unsigned char)data[*end - 1] <= ' ')
		(*end)--;
	*start = *end;
	while (*start && data[*start - 1] != '\n')
		(*start)--;
	return *end > *start;
}

void tail_words(const struct tail *t, char words[static TAIL_LINE_MAX])
{
	size_t end = t->size, start, end_before, start_before;

	words[0] = '\0';
	if (!last_line(t->data, &end, &start))
		return;
	end_before = start;
	if (last_line(t->data, &end_before, &start_before))
		snprintf(words, TAIL_LINE_MAX, "%.*s / %.*s",
			(int)(end_before - start_before), t->data + start_before,
			(int)(end - start), t->data + start);
	else
		snprintf(words, TAIL_LINE_MAX, "%.*s", (int)(end - start),
			t->data + start);
	text_make_printable(words);
}
