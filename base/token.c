#include "base/token.h"

#include <sys/random.h>

#include "base/hex.h"

enum { TOKEN_BYTES_MAX = 128 };

enum rc token_make(char *text, size_t size, struct err *e)
{
	unsigned char random[TOKEN_BYTES_MAX];
	size_t n = (size - 1) / 2;

	if (n > sizeof(random) || getrandom(random, n, 0) != (ssize_t)n)
		return err_set(e, RC_INTERNAL, 0, "the kernel gives no random numbers");
	hex_write((struct bytes){ random, n }, text);
	return RC_OK;
}
