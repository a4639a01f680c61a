/* base64.h - RFC 4648 base64, as known_hosts lines, key files and fingerprints use it. */
#ifndef COORDINATOR_BASE64_H
#define COORDINATOR_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room that n characters decode into at most; that size bytes encode into, with NUL. */
#define BASE64_DECODED_MAX(n) ((n) / 4 * 3 + 3)
#define BASE64_ENCODED_MAX(size) (((size) + 2) / 3 * 4 + 1)

/* Decodes exactly n characters; false when one of them is no base64, the
 * padding is missing or bits behind the last byte are set. */
bool base64_decode(const char *text, size_t n, uint8_t *out, size_t *size);

/* Encodes with padding and NUL. */
void base64_encode(const uint8_t *data, size_t size, char *out);

#endif
