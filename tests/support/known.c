#include "tests/support/test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "coordinator/net/base64.h"
#include "tests/support/known.h"

const char *known_hashed_word(struct arena *arena, uint64_t *random, const char *name)
{
	uint8_t salt[20], hash[EVP_MAX_MD_SIZE];
	char salt_text[BASE64_ENCODED_MAX(20)], hash_text[BASE64_ENCODED_MAX(20)];
	unsigned size = 0;

	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)test_random(random);
	HMAC(EVP_sha1(), salt, sizeof(salt), (const uint8_t *)name, strlen(name), hash,
		&size);
	assert_int_equal(size, 20);
	base64_encode(salt, sizeof(salt), salt_text);
	base64_encode(hash, size, hash_text);
	return arena_format(arena, "|1|%s|%s", salt_text, hash_text);
}

void known_read_key(const char *path, char out[static KNOWN_KEY_MAX])
{
	struct arena arena = { NULL };
	char *text = test_read_file(&arena, arena_format(&arena, "%s.pub", path));

	assert_non_null(strchr(text, ' '));
	snprintf(out, KNOWN_KEY_MAX, "%.*s",
		(int)strcspn(strchr(text, ' ') + 1, " \n") +
			(int)(strchr(text, ' ') + 1 - text),
		text);
	arena_destroy(&arena);
}
