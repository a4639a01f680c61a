/* wire.h - reading the length-prefixed strings of SSH (RFC 4251, 5) from bytes
 * that somebody else wrote: key blobs, private key files, a server's KEXINIT.
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

/* Are these bytes the text? */
bool wire_equals(struct bytes b, const char *text);

#endif
