#include "coordinator/net/pattern.h"

#include <string.h>

enum { PATTERN_MAX = 1024 };

bool pattern_matches(const char *s, const char *pattern, size_t size)
{
	const char *end = pattern + size, *star = NULL, *resume = NULL;

	while (*s) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			resume = s;
		} else if (pattern < end && (*pattern == '?' || *pattern == *s)) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star;
			s = ++resume;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

bool pattern_list_matches(const char *s, const char *patterns)
{
	bool found = false;

	for (;;) {
		size_t n = strcspn(patterns, ",");
		bool negated = *patterns == '!';

		if (n - negated >= PATTERN_MAX - 1)
			return false;
		if (pattern_matches(s, patterns + negated, n - negated)) {
			if (negated)
				return false;
			found = true;
		}
		if (!patterns[n])
			return found;
		patterns += n + 1;
	}
}
