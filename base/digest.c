#include "base/digest.h"

#include <sys/types.h>

#include <sha2.h>
#include <string.h>

#include "base/hex.h"

struct digest digest_of(const void *data, size_t size)
{
	struct digest d;
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, data, size);
	SHA256Final(d.byte, &ctx);
	return d;
}

bool digest_same(const struct digest *a, const struct digest *b)
{
	return memcmp(a->byte, b->byte, DIGEST_BYTES) == 0;
}

bool digest_equals(const struct digest *d, struct bytes b)
{
	return b.size == DIGEST_BYTES && memcmp(d->byte, b.data, DIGEST_BYTES) == 0;
}

void digest_to_hex(const struct digest *d, char hex[static DIGEST_HEX_MAX])
{
	hex_write((struct bytes){ d->byte, DIGEST_BYTES }, hex);
}
