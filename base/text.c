#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 128 };

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool text_is_name(const char *s)
{
	size_t n = 0;

	if (s[0] == '-' || s[0] == '.')
		return false;
	while (s[n] && n <= NAME_MAX_BYTES && is_name_byte(s[n]))
		n++;
	return n > 0 && n <= NAME_MAX_BYTES && s[n] == '\0';
}

bool text_is_uuid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t n = strlen(s);

	for (size_t i = 0; i < n && i < sizeof(form) - 1; i++)
		if (form[i] == 'x' ? !strchr("0123456789abcdef", s[i]) : s[i] != '-')
			return false;
	return n == sizeof(form) - 1;
}

void text_make_printable(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p; p++) {
		/* U+0080..U+009F are C2 80..9F in UTF-8: ESC's eight-bit cousins */
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;

		if (*p < 0x20 || *p == 0x7f || c1)
			*p = '?';
		if (c1)
			p[1] = '?';
	}
}

bool text_starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool text_to_u64(const char *s, uint64_t *value)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	const char *digits = hex ? s + 2 : s;
	char *end;

	/* strtoull would take blanks and signs; a digit must come first */
	if (strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") !=
			strlen(digits) ||
		digits[0] == '\0')
		return false;
	errno = 0;
	*value = strtoull(digits, &end, hex ? 16 : 10);
	return errno == 0 && *end == '\0';
}

bool text_to_u32(const char *s, uint32_t *value)
{
	uint64_t wide;

	if (!text_to_u64(s, &wide) || wide > UINT32_MAX)
		return false;
	*value = (uint32_t)wide;
	return true;
}
