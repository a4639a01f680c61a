/* scan.h - is there one whole msgpack value, and is it harmless?
 *
 * msgpack-c takes memory for as many elements as an array's header claims, so
 * five hostile bytes could ask for gigabytes.  This looks first, without taking
 * any memory: every header is held against proto/limits.h.
 */
#ifndef PROTO_SCAN_H
#define PROTO_SCAN_H

#include "base/buf.h"
#include "base/err.h"

/* RC_OK: the bytes begin with one whole value, *size bytes long.  RC_AGAIN: they
 * are a strict prefix of one.  RC_PROTOCOL: no msgpack.  RC_LIMIT: too long,
 * too many elements, or nested too deep. */
enum rc scan_value(struct bytes in, size_t *size, struct err *e);

#endif
