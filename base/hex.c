#include "base/hex.h"

#include <string.h>

static const char digits[] = "0123456789abcdef";

void hex_write(struct bytes in, char *text)
{
	for (size_t i = 0; i < in.size; i++) {
		*text++ = digits[in.data[i] >> 4];
		*text++ = digits[in.data[i] & 0xf];
	}
	*text = '\0';
}

bool hex_read(const char *text, uint8_t *out, size_t size)
{
	if (strlen(text) != 2 * size || strspn(text, digits) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		size_t high = (size_t)(strchr(digits, text[2 * i]) - digits);
		size_t low = (size_t)(strchr(digits, text[2 * i + 1]) - digits);

		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
