/* known.h - lines of known_hosts, for tests. */
#ifndef TESTS_SUPPORT_KNOWN_H
#define TESTS_SUPPORT_KNOWN_H

#include "base/arena.h"

/* "|1|salt|hash" of the name, made by libcrypto's own HMAC; the salt is random. */
const char *known_hashed_word(struct arena *arena, uint64_t *random, const char *name);

/* "type base64" out of PATH.pub. */
enum { KNOWN_KEY_MAX = 1024 };
void known_read_key(const char *path, char out[static KNOWN_KEY_MAX]);

#endif
