#include "coordinator/ssh/pattern.h"

#include <ctype.h>
#include <string.h>

enum { PATTERN_MAX = 1022 };

static bool same(char a, char b, bool folded)
{
	return folded ? tolower((unsigned char)a) == tolower((unsigned char)b) : a == b;
}

/* Goes back to the last * only, so time is bounded by the product of the lengths. */
static bool matches(const char *pattern, size_t size, const char *text, bool folded)
{
	const char *end = pattern + size, *star = NULL, *resume = NULL;

	while (*text) {
		if (pattern < end && *pattern == '*') {
			star = pattern++;
			resume = text;
		} else if (pattern < end &&
			   (*pattern == '?' || same(*pattern, *text, folded))) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

bool ssh_pattern_matches(const char *pattern, size_t size, const char *text)
{
	return matches(pattern, size, text, false);
}

bool ssh_pattern_list_matches(const char *list, const char *text, bool folded)
{
	bool found = false;

	for (const char *item = list;; item++) {
		size_t size = strcspn(item, ",");
		bool negated = item[0] == '!';

		if (size - negated > PATTERN_MAX)
			return false;
		if (matches(item + negated, size - negated, text, folded)) {
			if (negated)
				return false;
			found = true;
		}
		item += size;
		if (!*item)
			return found;
	}
}
