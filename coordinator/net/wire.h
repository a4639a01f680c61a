/* wire.h - the length-prefixed strings of SSH (RFC 4251, 5): read from bytes that
 * somebody else wrote (key blobs, private key files, a server's KEXINIT), and written.
 */
#ifndef COORDINATOR_WIRE_H
#define COORDINATOR_WIRE_H

#include <stdbool.h>

#include "base/buf.h"

/* Takes size bytes, or a string (four bytes of length, then the bytes) from the
 * front of *in, which shrinks; false when they are not all there, and *in is as
 * it was. */
bool wire_take(struct bytes *in, size_t size, struct bytes *out);
bool wire_take_string(struct bytes *in, struct bytes *out);

/* Takes four bytes as a number, the highest first. */
bool wire_take_number(struct bytes *in, uint32_t *out);

/* Appends a string, a text as one, a number, and a positive mpint of its bytes. */
enum rc wire_put_string(struct buf *out, const void *data, size_t size);
enum rc wire_put_text(struct buf *out, const char *text);
enum rc wire_put_number(struct buf *out, uint32_t number);
enum rc wire_put_mpint(struct buf *out, const uint8_t *data, size_t size);

/* Are these bytes the text; the same bytes? */
bool wire_equals(struct bytes b, const char *text);
bool wire_same(struct bytes a, struct bytes b);

#endif
