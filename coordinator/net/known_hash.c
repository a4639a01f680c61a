/* HMAC() of libcrypto 3 spends nine tenths of its time on setting up, and its context
 * cannot be had cheaper: so RFC 2104 stands here, over the block function of SHA-1. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "coordinator/net/known_hash.h"

#include <openssl/sha.h>

#include <string.h>

#include "coordinator/net/base64.h"

enum { HASH_BYTES = SHA_DIGEST_LENGTH, SALT_TEXT_MAX = 64 };

static void load_state(SHA_CTX *c, const uint32_t words[static KNOWN_HASH_WORDS])
{
	c->h0 = words[0];
	c->h1 = words[1];
	c->h2 = words[2];
	c->h3 = words[3];
	c->h4 = words[4];
}

static void save_state(const SHA_CTX *c, uint32_t words[static KNOWN_HASH_WORDS])
{
	words[0] = c->h0;
	words[1] = c->h1;
	words[2] = c->h2;
	words[3] = c->h3;
	words[4] = c->h4;
}

static void put_word(uint8_t *out, uint32_t word)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(word >> (24 - 8 * i));
}

/* SHA-1's last bytes: a bit, zeros, the length in bits of all (less than 2^32). */
static void put_end(uint8_t *bytes, size_t used, size_t blocks, size_t hashed)
{
	bytes[used] = 0x80;
	put_word(bytes + blocks * KNOWN_HASH_BLOCK - 4, (uint32_t)hashed * 8);
}

/* The state behind the key's block, each byte of it changed by pad. */
static void absorb_salt(const uint8_t salt[static HASH_BYTES], uint8_t pad,
	uint32_t state[static KNOWN_HASH_WORDS])
{
	uint8_t block[KNOWN_HASH_BLOCK];
	SHA_CTX c;

	memset(block, pad, sizeof(block));
	for (int i = 0; i < HASH_BYTES; i++)
		block[i] ^= salt[i];
	SHA1_Init(&c);
	SHA1_Transform(&c, block);
	save_state(&c, state);
}

static bool decode_part(const char *text, size_t size, uint8_t *out)
{
	size_t decoded;

	return size <= SALT_TEXT_MAX && base64_decode(text, size, out, &decoded) &&
	       decoded == HASH_BYTES;
}

bool known_hash_parse(const char *word, struct known_hash *out)
{
	uint8_t salt[BASE64_DECODED_MAX(SALT_TEXT_MAX)], hash[sizeof(salt)];
	const char *bar;

	if (strncmp(word, "|1|", 3) != 0)
		return false;
	word += 3;
	bar = strchr(word, '|');
	if (!bar || !decode_part(word, (size_t)(bar - word), salt) ||
		!decode_part(bar + 1, strlen(bar + 1), hash))
		return false;
	absorb_salt(salt, 0x36, out->inner);
	absorb_salt(salt, 0x5c, out->outer);
	for (int i = 0; i < KNOWN_HASH_WORDS; i++)
		out->wanted[i] = (uint32_t)hash[4 * i] << 24 |
				 (uint32_t)hash[4 * i + 1] << 16 |
				 (uint32_t)hash[4 * i + 2] << 8 | hash[4 * i + 3];
	return true;
}

void known_hash_name(const char *name, struct known_hash_name *out)
{
	size_t size = strnlen(name, KNOWN_NAME_MAX - 1);

	memset(out->bytes, 0, sizeof(out->bytes));
	memcpy(out->bytes, name, size);
	out->blocks = (size + 8) / KNOWN_HASH_BLOCK + 1;
	put_end(out->bytes, size, out->blocks, KNOWN_HASH_BLOCK + size);
}

bool known_hash_matches(const struct known_hash *h, const struct known_hash_name *name)
{
	uint8_t block[KNOWN_HASH_BLOCK] = { 0 };
	uint32_t state[KNOWN_HASH_WORDS];
	SHA_CTX c;

	load_state(&c, h->inner);
	for (size_t i = 0; i < name->blocks; i++)
		SHA1_Transform(&c, name->bytes + i * KNOWN_HASH_BLOCK);
	save_state(&c, state);
	for (int i = 0; i < KNOWN_HASH_WORDS; i++)
		put_word(block + 4 * (size_t)i, state[i]);
	put_end(block, HASH_BYTES, 1, KNOWN_HASH_BLOCK + HASH_BYTES);
	load_state(&c, h->outer);
	SHA1_Transform(&c, block);
	save_state(&c, state);
	return memcmp(state, h->wanted, sizeof(state)) == 0;
}
