/* keys.h - keys, and what a login signs with them. */
#ifndef TESTS_SUPPORT_KEYS_H
#define TESTS_SUPPORT_KEYS_H

#include "base/arena.h"
#include "base/buf.h"

/* The blob of PATH.pub, which ssh-keygen wrote. */
struct bytes keys_public(struct arena *arena, const char *path);

/* Appends the data that a login signs, by this algorithm; all of the buffer. */
struct bytes keys_login_data(struct buf *out, const char *algorithm);

#endif
