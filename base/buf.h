/* buf.h - bytes that grow, up to a cap.
 *
 * For what arrives from or goes to the outside: the cap is part of the
 * buffer, so that no append can forget it.  Reading consumes from the front.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Bytes that somebody else owns. */
struct bytes {
	const uint8_t *data;
	size_t size;
};

/* Without its NUL; NULL: none. */
struct bytes bytes_of(const char *text);

struct buf {
	uint8_t *memory;
	size_t start, end, room; /* what is unread lies in [start, end) */
	size_t cap;		 /* unread bytes never exceed it */
};

/* An empty buffer that will hold at most cap bytes; takes no memory yet. */
struct buf buf_with_cap(size_t cap);

/* The unread bytes; valid until the next append. */
struct bytes buf_bytes(const struct buf *b);

/* Appends; RC_LIMIT past the cap, RC_MEMORY; then nothing was appended. */
enum rc buf_append(struct buf *b, const void *data, size_t size);
enum rc buf_append_text(struct buf *b, const char *s);
enum rc buf_format(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Forgets the first size unread bytes (size is at most what is there). */
void buf_consume(struct buf *b, size_t size);

/* Frees; the buffer is empty and usable again. */
void buf_destroy(struct buf *b);

#endif
