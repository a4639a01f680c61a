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

bool wire_take_number(struct bytes *in, uint32_t *out)
{
	struct bytes head;

	if (!wire_take(in, 4, &head))
		return false;
	*out = (uint32_t)head.data[0] << 24 | (uint32_t)head.data[1] << 16 |
	       (uint32_t)head.data[2] << 8 | head.data[3];
	return true;
}

bool wire_take_string(struct bytes *in, struct bytes *out)
{
	struct bytes rest = *in;
	uint32_t size;

	if (!wire_take_number(&rest, &size) || !wire_take(&rest, size, out))
		return false;
	*in = rest;
	return true;
}

enum rc wire_put_number(struct buf *out, uint32_t number)
{
	const uint8_t bytes[4] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
		(uint8_t)(number >> 8), (uint8_t)number };

	return buf_append(out, bytes, sizeof(bytes));
}

enum rc wire_put_string(struct buf *out, const void *data, size_t size)
{
	enum rc rc = wire_put_number(out, (uint32_t)size);

	return rc == RC_OK ? buf_append(out, data, size) : rc;
}

enum rc wire_put_text(struct buf *out, const char *text)
{
	return wire_put_string(out, text, strlen(text));
}

/* Without leading zeros, but with one where the number would look negative. */
enum rc wire_put_mpint(struct buf *out, const uint8_t *data, size_t size)
{
	size_t zero;
	enum rc rc;

	while (size && !*data) {
		data++;
		size--;
	}
	zero = size && *data & 0x80;
	rc = wire_put_number(out, (uint32_t)(size + zero));
	if (rc == RC_OK && zero)
		rc = buf_append(out, "", 1);
	return rc == RC_OK ? buf_append(out, data, size) : rc;
}

bool wire_equals(struct bytes b, const char *text)
{
	return b.size == strlen(text) && memcmp(b.data, text, b.size) == 0;
}

bool wire_same(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
