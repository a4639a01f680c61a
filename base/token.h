/* token.h - names that nobody else has or can guess: of a run, of a start line. */
#ifndef BASE_TOKEN_H
#define BASE_TOKEN_H

#include <stddef.h>

#include "base/err.h"

/* Fills text with (size - 1) / 2 random bytes in lower-case hexadecimal and a NUL; at
 * most 128 bytes.  RC_INTERNAL when the kernel gives none. */
enum rc token_make(char *text, size_t size, struct err *e);

#endif
