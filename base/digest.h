/* digest.h - SHA-256 of bytes (libmd does the work).
 *
 * Digests name bulky facts, the peer's image and the content of files.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { DIGEST_BYTES = 32, DIGEST_HEX_MAX = 2 * DIGEST_BYTES + 1 };

struct digest {
	uint8_t byte[DIGEST_BYTES];
};

struct digest digest_of(const void *data, size_t size);

bool digest_same(const struct digest *a, const struct digest *b);

/* The same bytes?  False as well when b is not DIGEST_BYTES long. */
bool digest_equals(const struct digest *d, struct bytes b);

/* Lower-case hexadecimal with NUL. */
void digest_to_hex(const struct digest *d, char hex[static DIGEST_HEX_MAX]);

#endif
