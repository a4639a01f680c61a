#include "base/token.h"

#include <stdio.h>
#include <sys/random.h>

enum { TOKEN_BYTES_MAX = 128 };

enum rc token_make(char *text, size_t size, struct err *e)
{
	unsigned char random[TOKEN_BYTES_MAX];
	size_t n = (size - 1) / 2;

	if (n > sizeof(random) || getrandom(random, n, 0) != (ssize_t)n)
		return err_set(e, RC_INTERNAL, 0, "the kernel gives no random numbers");
	for (size_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", random[i]);
	return RC_OK;
}
