#include "coordinator/inventory/fold.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name that is longer is no host's, and a number of more digits is none to pattern.c. */
enum { NAME_MAX_BYTES = 255, DIGITS_MAX = 9, RANGE_BYTES = 2 * DIGITS_MAX + 2 };

/* A name, cut at its number. */
struct cut {
	const char *name, *suffix;
	size_t prefix; /* bytes in front of the number; the whole name: it has none */
	uint32_t number, digits;
	uint32_t width; /* digits, where they are kept by zeros in front; else 0 */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Names with a port or in brackets are no text that a bracket may stand in. */
static bool is_plain(const char *name)
{
	return strlen(name) <= NAME_MAX_BYTES && !strpbrk(name, ":[]%@, ");
}

/* Where the part ends whose last number counts. */
static size_t part_end(const char *name)
{
	size_t label = strcspn(name, ".");

	return strspn(name, "0123456789") == label ? strlen(name) : label;
}

static struct cut cut_of(const char *name)
{
	struct cut cut = { .name = name, .prefix = strlen(name), .suffix = "" };
	size_t end = is_plain(name) ? part_end(name) : 0, start;

	while (end > 0 && !is_digit(name[end - 1]))
		end--;
	for (start = end; start > 0 && is_digit(name[start - 1]);)
		start--;
	if (start == end || end - start > DIGITS_MAX)
		return cut;
	cut.prefix = start;
	cut.suffix = name + end;
	cut.digits = (uint32_t)(end - start);
	for (size_t i = start; i < end; i++)
		cut.number = cut.number * 10 + (uint32_t)(name[i] - '0');
	return cut;
}

static int compare_families(const struct cut *a, const struct cut *b)
{
	size_t shared = a->prefix < b->prefix ? a->prefix : b->prefix;
	int order = strncmp(a->name, b->name, shared);

	if (!order)
		order = (a->prefix > b->prefix) - (a->prefix < b->prefix);
	if (!order)
		order = strcmp(a->suffix, b->suffix);
	return order ? order : (a->digits > 0) - (b->digits > 0);
}

static int compare_numbers(const struct cut *a, const struct cut *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

static int by_digits(const void *left, const void *right)
{
	const struct cut *a = left, *b = right;
	int order = compare_families(a, b);

	if (!order)
		order = (a->digits > b->digits) - (a->digits < b->digits);
	return order ? order : compare_numbers(a, b);
}

static int by_width(const void *left, const void *right)
{
	const struct cut *a = left, *b = right;
	int order = compare_families(a, b);

	if (!order)
		order = (a->width > b->width) - (a->width < b->width);
	return order ? order : compare_numbers(a, b);
}

/* 099 and 100 count on with three digits, 9 and 10 with as many as it takes: numbers of
 * equal length are padded where the smallest of them begins with a zero. */
static void widths_set(struct cut *cuts, size_t count)
{
	for (size_t i = 0, end; i < count; i = end) {
		bool padded = cuts[i].digits > 1 && cuts[i].name[cuts[i].prefix] == '0';

		for (end = i; end < count && cuts[end].digits == cuts[i].digits &&
			      compare_families(&cuts[end], &cuts[i]) == 0;
			end++)
			cuts[end].width = padded ? cuts[i].digits : 0;
	}
}

/* One run of numbers without a hole: [from, returned end). */
static size_t run_end(const struct cut *cuts, size_t from, size_t count)
{
	size_t end = from + 1;

	while (end < count && cuts[end].number == cuts[end - 1].number + 1 &&
		cuts[end].width == cuts[from].width &&
		compare_families(&cuts[end], &cuts[from]) == 0)
		end++;
	return end;
}

static bool is_of_family(const struct cut *cuts, size_t at, size_t from)
{
	return cuts[at].digits && cuts[at].width == cuts[from].width &&
	       compare_families(&cuts[at], &cuts[from]) == 0;
}

/* "[1-4,7]" of the numbers from `from` on, up to the width; moves *from behind them. */
static enum rc ranges_write(
	struct buf *out, const struct cut *cuts, size_t count, size_t *from, size_t width)
{
	size_t first = *from,
	       last = RANGE_BYTES + strlen("]") + strlen(cuts[first].suffix);
	int digits = (int)cuts[first].width;
	enum rc rc = RC_OK;

	while (rc == RC_OK && *from < count && is_of_family(cuts, *from, first) &&
		(*from == first || buf_bytes(out).size + last <= width)) {
		size_t end = run_end(cuts, *from, count);

		rc = buf_format(out, "%s%0*u", *from == first ? "[" : ",", digits,
			cuts[*from].number);
		if (rc == RC_OK && end > *from + 1)
			rc = buf_format(out, "-%0*u", digits, cuts[end - 1].number);
		*from = end;
	}
	return rc;
}

static enum rc pattern_write(
	struct buf *out, const struct cut *cuts, size_t count, size_t *from, size_t width)
{
	const struct cut *first = &cuts[*from];
	bool alone = *from + 1 == count || !is_of_family(cuts, *from + 1, *from);
	enum rc rc;

	if (!first->digits || alone) {
		++*from;
		return buf_append_text(out, first->name);
	}
	rc = buf_append(out, first->name, first->prefix);
	if (rc == RC_OK)
		rc = ranges_write(out, cuts, count, from, width);
	return rc == RC_OK ? buf_format(out, "]%s", first->suffix) : rc;
}

static enum rc patterns_write(const struct cut *cuts, size_t count, size_t width,
	struct arena *arena, struct texts *out, struct err *e)
{
	struct buf text = buf_with_cap(width + 4 * NAME_MAX_BYTES);
	enum rc rc = RC_OK;

	for (size_t at = 0; at < count && rc == RC_OK;) {
		struct bytes b;

		rc = pattern_write(&text, cuts, count, &at, width);
		b = buf_bytes(&text);
		if (rc == RC_OK)
			rc = texts_add(
				out, arena_text_n(arena, b.data, b.size), arena, e);
		buf_consume(&text, b.size);
	}
	buf_destroy(&text);
	return rc == RC_OK ? RC_OK : err_memory(e);
}

enum rc fold_names(const struct texts *names, size_t width, struct arena *arena,
	struct texts *out, struct err *e)
{
	struct arena scratch = { 0 };
	struct cut *cuts = arena_alloc(&scratch, names->count + 1, sizeof(*cuts));
	enum rc rc = cuts ? RC_OK : err_memory(e);

	for (size_t i = 0; i < names->count && rc == RC_OK; i++)
		cuts[i] = cut_of(names->item[i]);
	if (rc == RC_OK && names->count) {
		qsort(cuts, names->count, sizeof(*cuts), by_digits);
		widths_set(cuts, names->count);
		qsort(cuts, names->count, sizeof(*cuts), by_width);
		rc = patterns_write(cuts, names->count, width, arena, out, e);
	}
	arena_destroy(&scratch);
	return rc;
}
