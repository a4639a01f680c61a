#include "proto/scan.h"

#include "proto/limits.h"

/* The first byte of a value and what follows it (msgpack's spec.md, "Overview").
 * The length is in the low bits of the first byte, or in length_bytes after it;
 * it counts elements (times `elements`) or, when elements is 0, bytes. */
static const struct shape {
	uint8_t first, last;
	uint8_t low_bits;     /* mask of the length in the first byte */
	uint8_t length_bytes; /* big-endian length behind the first byte */
	uint8_t fixed;	      /* further bytes, whatever the length */
	uint8_t elements;     /* values per unit of length: 1 arrays, 2 maps */
} shapes[] = {
	{ 0x00, 0x7f, 0, 0, 0, 0 },    /* positive fixint */
	{ 0x80, 0x8f, 0x0f, 0, 0, 2 }, /* fixmap */
	{ 0x90, 0x9f, 0x0f, 0, 0, 1 }, /* fixarray */
	{ 0xa0, 0xbf, 0x1f, 0, 0, 0 }, /* fixstr */
	{ 0xc0, 0xc0, 0, 0, 0, 0 },    /* nil; 0xc1 is never used */
	{ 0xc2, 0xc3, 0, 0, 0, 0 },    /* false, true */
	{ 0xc4, 0xc4, 0, 1, 0, 0 },    /* bin 8, 16, 32 */
	{ 0xc5, 0xc5, 0, 2, 0, 0 }, { 0xc6, 0xc6, 0, 4, 0, 0 },
	{ 0xc7, 0xc7, 0, 1, 1, 0 }, /* ext 8, 16, 32: a type byte as well */
	{ 0xc8, 0xc8, 0, 2, 1, 0 }, { 0xc9, 0xc9, 0, 4, 1, 0 },
	{ 0xca, 0xca, 0, 0, 4, 0 },				/* float 32, 64 */
	{ 0xcb, 0xcb, 0, 0, 8, 0 }, { 0xcc, 0xcc, 0, 0, 1, 0 }, /* uint 8, 16, 32, 64 */
	{ 0xcd, 0xcd, 0, 0, 2, 0 }, { 0xce, 0xce, 0, 0, 4, 0 },
	{ 0xcf, 0xcf, 0, 0, 8, 0 }, { 0xd0, 0xd0, 0, 0, 1, 0 }, /* int 8, 16, 32, 64 */
	{ 0xd1, 0xd1, 0, 0, 2, 0 }, { 0xd2, 0xd2, 0, 0, 4, 0 },
	{ 0xd3, 0xd3, 0, 0, 8, 0 },
	{ 0xd4, 0xd4, 0, 0, 2, 0 }, /* fixext 1, 2, 4, 8, 16 */
	{ 0xd5, 0xd5, 0, 0, 3, 0 }, { 0xd6, 0xd6, 0, 0, 5, 0 },
	{ 0xd7, 0xd7, 0, 0, 9, 0 }, { 0xd8, 0xd8, 0, 0, 17, 0 },
	{ 0xd9, 0xd9, 0, 1, 0, 0 }, /* str 8, 16, 32 */
	{ 0xda, 0xda, 0, 2, 0, 0 }, { 0xdb, 0xdb, 0, 4, 0, 0 },
	{ 0xdc, 0xdc, 0, 2, 0, 1 },				/* array 16, 32 */
	{ 0xdd, 0xdd, 0, 4, 0, 1 }, { 0xde, 0xde, 0, 2, 0, 2 }, /* map 16, 32 */
	{ 0xdf, 0xdf, 0, 4, 0, 2 }, { 0xe0, 0xff, 0, 0, 0, 0 }, /* negative fixint */
};

static const struct shape *shape_of(uint8_t byte)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (byte >= shapes[i].first && byte <= shapes[i].last)
			return &shapes[i];
	return NULL;
}

struct header {
	size_t size; /* of the header and, unless it is a container, of the value */
	size_t elements;
};

/* Reads the header at the front of `in`, without its elements. */
static enum rc scan_header(struct bytes in, struct header *out, struct err *e)
{
	const struct shape *shape;
	uint64_t length, bytes;

	if (in.size == 0)
		return RC_AGAIN;
	shape = shape_of(in.data[0]);
	if (!shape)
		return err_set(e, RC_PROTOCOL, 0, "byte 0x%02x begins no msgpack value",
			in.data[0]);
	if (in.size < 1u + shape->length_bytes)
		return RC_AGAIN;
	length = in.data[0] & shape->low_bits;
	for (int i = 0; i < shape->length_bytes; i++)
		length = length << 8 | in.data[1 + i];
	if (shape->elements && length > LIMIT_LIST_ITEMS)
		return err_set(e, RC_LIMIT, 0,
			"a list of %llu items, at most %d are accepted",
			(unsigned long long)length, LIMIT_LIST_ITEMS);
	if (!shape->elements && length > LIMIT_TEXT_BYTES)
		return err_set(e, RC_LIMIT, 0,
			"a text of %llu bytes, at most %d are accepted",
			(unsigned long long)length, LIMIT_TEXT_BYTES);
	out->elements = (size_t)length * shape->elements;
	bytes = 1u + shape->length_bytes + shape->fixed + (shape->elements ? 0 : length);
	if (in.size < bytes)
		return RC_AGAIN;
	out->size = (size_t)bytes;
	return RC_OK;
}

enum rc scan_value(struct bytes in, size_t *size, struct err *e)
{
	size_t open[LIMIT_DEPTH + 1]; /* values still to come at each depth */
	size_t depth = 0, at = 0;

	open[0] = 1;
	for (;;) {
		struct header h;
		enum rc rc = scan_header(
			(struct bytes){ in.data + at, in.size - at }, &h, e);

		if (rc != RC_OK)
			return rc;
		at += h.size;
		open[depth]--;
		if (h.elements) {
			if (depth == LIMIT_DEPTH)
				return err_set(e, RC_LIMIT, 0,
					"lists nested deeper than %d", LIMIT_DEPTH);
			open[++depth] = h.elements;
		}
		while (depth > 0 && open[depth] == 0)
			depth--;
		if (depth == 0 && open[0] == 0)
			break;
	}
	*size = at;
	return RC_OK;
}
