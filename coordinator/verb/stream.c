#include "coordinator/verb/stream.h"

#include <errno.h>
#include <stdbool.h>
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

enum rc stream_read_text(const char *path, const char *kind, size_t most,
	struct arena *arena, const char **out, struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	struct buf text = buf_with_cap(most);
	struct bytes bytes;
	enum rc rc;

	if (!in)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	rc = stream_read(in, path, kind, &text, e);
	bytes = buf_bytes(&text);
	if (rc == RC_OK && bytes.size && memchr(bytes.data, '\0', bytes.size))
		rc = err_set(e, RC_INPUT, 0, "%s: it has a NUL byte", path);
	*out = rc == RC_OK ? arena_text_n(arena, bytes.data, bytes.size) : NULL;
	if (rc == RC_OK && !*out)
		rc = err_memory(e);
	buf_destroy(&text);
	if (!is_stdin)
		fclose(in);
	return rc;
}
