#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, text ? strlen(text) : 0 };
}

struct buf buf_with_cap(size_t cap)
{
	return (struct buf){ .cap = cap };
}

struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){ b->memory ? b->memory + b->start : NULL,
		b->end - b->start };
}

/* Makes room for size more bytes behind end. */
static enum rc buf_reserve(struct buf *b, size_t size)
{
	size_t unread = b->end - b->start, room = b->room ? b->room : 256;
	uint8_t *bigger;

	if (size > b->cap || unread > b->cap - size)
		return RC_LIMIT;
	if (b->room - b->end >= size)
		return RC_OK;
	if (b->start) {
		memmove(b->memory, b->memory + b->start, unread);
		b->start = 0;
		b->end = unread;
	}
	while (room < unread + size)
		room *= 2;
	if (room == b->room)
		return RC_OK;
	bigger = realloc(b->memory, room);
	if (!bigger)
		return RC_MEMORY;
	b->memory = bigger;
	b->room = room;
	return RC_OK;
}

enum rc buf_append(struct buf *b, const void *data, size_t size)
{
	enum rc rc = buf_reserve(b, size);

	if (rc == RC_OK && size) {
		memcpy(b->memory + b->end, data, size);
		b->end += size;
	}
	return rc;
}

enum rc buf_append_text(struct buf *b, const char *s)
{
	return buf_append(b, s, strlen(s));
}

enum rc buf_format(struct buf *b, const char *fmt, ...)
{
	va_list args;
	enum rc rc;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		return RC_INTERNAL;
	rc = buf_reserve(b, (size_t)n + 1); /* vsnprintf writes a NUL as well */
	if (rc != RC_OK)
		return rc;
	va_start(args, fmt);
	vsnprintf((char *)b->memory + b->end, (size_t)n + 1, fmt, args);
	va_end(args);
	b->end += (size_t)n;
	return RC_OK;
}

void buf_consume(struct buf *b, size_t size)
{
	b->start += size;
	if (b->start == b->end)
		b->start = b->end = 0;
}

void buf_destroy(struct buf *b)
{
	free(b->memory);
	*b = buf_with_cap(b->cap);
}
