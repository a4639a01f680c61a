#include "coordinator/cpu/near.h"

#include <string.h>

enum { LENGTH_MAX = 48, NAMES_SHOWN = 3 };

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's: letters put in, left out or changed.  Case does not count. */
static size_t distance(const char *a, const char *b)
{
	size_t row[LENGTH_MAX + 1], length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 1; j <= length; j++) {
			size_t changed = diagonal + (lower(a[i]) != lower(b[j - 1]));

			diagonal = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, changed);
		}
	}
	return row[length];
}

/* A third of the word may be wrong, but no more than three letters. */
static size_t tolerance(const char *word)
{
	size_t third = (strlen(word) + 2) / 3;

	return third < 3 ? third : 3;
}

const char *near_names(near_name_at *name_at, const char *word, struct arena *arena)
{
	const char *text = "", *name;
	size_t shown = 0;

	if (strlen(word) > LENGTH_MAX)
		return text;
	for (size_t d = 0; d <= tolerance(word) && shown == 0; d++)
		for (size_t i = 0; shown < NAMES_SHOWN && (name = name_at(i)); i++) {
			if (strlen(name) > LENGTH_MAX || distance(word, name) != d)
				continue;
			text = arena_format(arena, "%s%s%s", text,
				shown++ ? ", " : "; did you mean ", name);
			if (!text)
				return "";
		}
	text = shown ? arena_format(arena, "%s?", text) : text;
	return text ? text : "";
}
