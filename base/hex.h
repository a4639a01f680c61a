/* hex.h - bytes as hexadecimal digits, two for each, and back. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>

#include "base/buf.h"

/* Lower case, and a NUL: 2 * in.size + 1 bytes of text. */
void hex_write(struct bytes in, char *text);

/* Size bytes from exactly 2 * size digits in lower case; false when the text is anything
 * else, and out is then of no meaning. */
bool hex_read(const char *text, uint8_t *out, size_t size);

#endif
