#include "coordinator/verb/stream.h"

#include <errno.h>
#include <string.h>

enum rc stream_read(
	FILE *in, const char *path, const char *kind, struct buf *out, struct err *e)
{
	char block[16 * 1024];
	enum rc rc = RC_OK;
	size_t n;

	while (rc == RC_OK && (n = fread(block, 1, sizeof(block), in)) > 0)
		rc = buf_append(out, block, n);
	if (rc == RC_LIMIT)
		return err_set(e, RC_INPUT, 0, "%s: %s of more than %zu bytes", path,
			kind, out->cap);
	if (rc != RC_OK)
		return err_memory(e);
	if (ferror(in))
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	return RC_OK;
}
