/* known_hash.h - a host's name as known_hosts hashes it: "|1|salt|hash", HMAC-SHA1 of
 * the name with a salt for each line (HashKnownHosts, ssh-keygen -H).
 *
 * Nothing says which host such a line is about, so to find those of a host its name is
 * held against every line.  What depends on the salt alone is computed once a line, what
 * depends on the name alone once a name; two rounds of SHA-1 remain for the pair.
 */
#ifndef COORDINATOR_KNOWN_HASH_H
#define COORDINATOR_KNOWN_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KNOWN_NAME_MAX = 280,
	KNOWN_HASH_WORDS = 5, /* of SHA-1's state */
	KNOWN_HASH_BLOCK = 64,
	KNOWN_HASH_BLOCKS = (KNOWN_NAME_MAX + 8) / KNOWN_HASH_BLOCK + 1,
};

struct known_hash {
	uint32_t inner[KNOWN_HASH_WORDS], outer[KNOWN_HASH_WORDS]; /* behind the salt */
	uint32_t wanted[KNOWN_HASH_WORDS];
};

/* The name as the blocks that SHA-1 takes behind the salt. */
struct known_hash_name {
	uint8_t bytes[KNOWN_HASH_BLOCKS * KNOWN_HASH_BLOCK];
	size_t blocks;
};

/* False when the word is not "|1|salt|hash". */
bool known_hash_parse(const char *word, struct known_hash *out);

/* The name is shorter than KNOWN_NAME_MAX. */
void known_hash_name(const char *name, struct known_hash_name *out);

bool known_hash_matches(const struct known_hash *h, const struct known_hash_name *name);

#endif
