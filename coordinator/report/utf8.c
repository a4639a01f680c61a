#include "coordinator/report/utf8.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Length of the well-formed sequence at p (RFC 3629); 0 when it is none. */
static size_t sequence_length(const unsigned char *p)
{
	/* lowest second byte keeps out overlong forms; highest, surrogates and > 10FFFF */
	static const struct {
		unsigned char first, last, low, high;
		size_t length;
	} forms[] = {
		{ 0x01, 0x7f, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t n = 0;

	while (n < sizeof(forms) / sizeof(forms[0]) &&
		!(p[0] >= forms[n].first && p[0] <= forms[n].last))
		n++;
	if (n == sizeof(forms) / sizeof(forms[0]))
		return 0;
	for (size_t i = 1; i < forms[n].length; i++) {
		unsigned char low = i == 1 ? forms[n].low : 0x80;
		unsigned char high = i == 1 ? forms[n].high : 0xbf;

		if (p[i] < low || p[i] > high)
			return 0;
	}
	return forms[n].length;
}

const char *utf8_clean(struct arena *arena, const char *text)
{
	char *copy = arena_text(arena, text);

	if (!copy)
		return "";
	for (unsigned char *p = (unsigned char *)copy; *p;) {
		size_t length = sequence_length(p);

		if (length == 0)
			*p = '?';
		p += length ? length : 1;
	}
	text_make_printable(copy);
	return copy;
}

const char *utf8_clean_lines(struct arena *arena, const char *text)
{
	const char *clean = utf8_clean(arena, text);
	char *copy = clean[0] ? arena_text(arena, clean) : NULL;

	/* byte by byte the same, but for what was not clean */
	for (size_t i = 0; copy && text[i]; i++)
		if (text[i] == '\n')
			copy[i] = '\n';
	return copy ? copy : clean;
}

size_t utf8_width(const char *text)
{
	size_t width = 0;

	for (const char *p = text; *p; p++)
		width += ((unsigned char)*p & 0xc0) != 0x80;
	return width;
}
