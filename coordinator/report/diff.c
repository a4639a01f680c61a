#include "coordinator/report/diff.h"

#include <stdbool.h>
#include <string.h>

#include "coordinator/report/utf8.h"

enum { CONTEXT = 3, CELLS_MAX = 4 * 1000 * 1000 };

struct lines {
	const char **line;
	size_t count;
};

/* One line of the result: ' ' in both, '-' in the old, '+' in the new file. */
struct edit {
	char sign;
	const char *line;
	size_t at[2]; /* lines of either file before this one */
};

/* As diff -u has it: a last line without newline is not equal to one with. */
static const char *line_make(
	const uint8_t *from, size_t length, bool ended, struct arena *arena)
{
	char *text = arena_text_n(arena, from, length);

	for (size_t i = 0; text && i < length; i++)
		if (text[i] == '\0')
			text[i] = '?';
	if (!text || ended)
		return text ? utf8_clean(arena, text) : NULL;
	return arena_format(
		arena, "%s\n\\ No newline at end of file", utf8_clean(arena, text));
}

static enum rc lines_split(
	struct bytes file, struct arena *arena, struct lines *out, struct err *e)
{
	const uint8_t *from = file.data, *end = from + file.size;

	*out = (struct lines){ 0 };
	while (from < end) {
		const uint8_t *newline = memchr(from, '\n', (size_t)(end - from));
		size_t length = (size_t)((newline ? newline : end) - from);
		const char *text = line_make(from, length, newline, arena);

		out->line = arena_grow(arena, out->line, out->count, sizeof(*out->line));
		if (!text || !out->line)
			return err_memory(e);
		out->line[out->count++] = text;
		from += length + 1;
	}
	return RC_OK;
}

/* best[i * width + j]: length of the longest common subsequence of what follows line
 * i of the old and line j of the new file. */
static uint32_t *common_table(
	const struct lines *a, const struct lines *b, struct arena *arena)
{
	size_t width = b->count + 1;
	uint32_t *best = arena_alloc(arena, (a->count + 1) * width, sizeof(*best));

	for (size_t i = a->count; best && i-- > 0;) {
		for (size_t j = b->count; j-- > 0;) {
			uint32_t *cell = &best[i * width + j];

			if (strcmp(a->line[i], b->line[j]) == 0)
				*cell = cell[width + 1] + 1;
			else
				*cell = cell[width] > cell[1] ? cell[width] : cell[1];
		}
	}
	return best;
}

/* Walks both files along the longest common subsequence; best NULL: nothing is
 * taken as common. */
static size_t edits_make(const struct lines *a, const struct lines *b,
	const uint32_t *best, struct edit *edits)
{
	size_t i = 0, j = 0, n = 0, width = b->count + 1;

	while (i < a->count || j < b->count) {
		struct edit *edit = &edits[n++];
		bool old_left = i < a->count, new_left = j < b->count;

		*edit = (struct edit){ .at = { i, j } };
		if (best && old_left && new_left && strcmp(a->line[i], b->line[j]) == 0) {
			edit->sign = ' ';
			edit->line = a->line[i++];
			j++;
		} else if (old_left && (!new_left || !best ||
					       best[(i + 1) * width + j] >=
						       best[i * width + j + 1])) {
			edit->sign = '-';
			edit->line = a->line[i++];
		} else {
			edit->sign = '+';
			edit->line = b->line[j++];
		}
	}
	return n;
}

/* The hunk that starts at or after *from: [*from, returned end). */
static size_t hunk_find(const struct edit *edits, size_t count, size_t *from)
{
	size_t start = *from, end, quiet = 0;

	while (start < count && edits[start].sign == ' ')
		start++;
	if (start == count)
		return *from = count;
	for (end = start; end < count && quiet <= 2 * CONTEXT; end++)
		quiet = edits[end].sign == ' ' ? quiet + 1 : 0;
	*from = start - *from > CONTEXT ? start - CONTEXT : *from;
	return quiet > CONTEXT ? end - (quiet - CONTEXT) : end;
}

static enum rc hunk_print(
	struct buf *out, const struct edit *edits, size_t from, size_t to)
{
	size_t lines[2] = { 0 };
	enum rc rc;

	for (size_t i = from; i < to; i++) {
		lines[0] += edits[i].sign != '+';
		lines[1] += edits[i].sign != '-';
	}
	/* diff(1) counts lines from 1, and an empty side from the line before */
	rc = buf_format(out, "@@ -%zu,%zu +%zu,%zu @@\n",
		edits[from].at[0] + (lines[0] > 0), lines[0],
		edits[from].at[1] + (lines[1] > 0), lines[1]);
	for (size_t i = from; i < to && rc == RC_OK; i++)
		rc = buf_format(out, "%c%s\n", edits[i].sign, edits[i].line);
	return rc;
}

enum rc diff_unified(struct buf *out, const char *const names[2],
	const struct bytes files[2], struct arena *arena, struct err *e)
{
	struct lines a, b;
	struct edit *edits;
	const uint32_t *best = NULL;
	size_t count, from = 0, to;
	enum rc rc;

	if (files[0].size == files[1].size &&
		(files[0].size == 0 ||
			memcmp(files[0].data, files[1].data, files[0].size) == 0))
		return RC_OK;
	if (lines_split(files[0], arena, &a, e) != RC_OK ||
		lines_split(files[1], arena, &b, e) != RC_OK)
		return e->code;
	if ((a.count + 1) * (b.count + 1) <= CELLS_MAX)
		best = common_table(&a, &b, arena);
	edits = arena_alloc(arena, a.count + b.count + 1, sizeof(*edits));
	if (!edits)
		return err_memory(e);
	count = edits_make(&a, &b, best, edits);
	rc = buf_format(out, "--- %s\n+++ %s\n", utf8_clean(arena, names[0]),
		utf8_clean(arena, names[1]));
	while (rc == RC_OK && (to = hunk_find(edits, count, &from)) > from) {
		rc = hunk_print(out, edits, from, to);
		from = to;
	}
	return rc == RC_OK ? RC_OK : err_memory(e);
}
