#include "coordinator/net/wire.h"

#include <string.h>

bool wire_take(struct bytes *in, size_t size, struct bytes *out)
{
	if (in->size < size)
		return false;
	*out = (struct bytes){ in->data, size };
	*in = (struct bytes){ in->data + size, in->size - size };
	return true;
}

bool wire_take_string(struct bytes *in, struct bytes *out)
{
	struct bytes rest = *in, head;
	size_t size;

	if (!wire_take(&rest, 4, &head))
		return false;
	size = (size_t)head.data[0] << 24 | (size_t)head.data[1] << 16 |
	       (size_t)head.data[2] << 8 | head.data[3];
	if (!wire_take(&rest, size, out))
		return false;
	*in = rest;
	return true;
}

bool wire_equals(struct bytes b, const char *text)
{
	return b.size == strlen(text) && memcmp(b.data, text, b.size) == 0;
}
