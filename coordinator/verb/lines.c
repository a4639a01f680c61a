#include "coordinator/verb/lines.h"

#include <errno.h>
#include <string.h>

#include "proto/limits.h"

enum { BLOCK_BYTES = 64 * 1024 };

enum rc lines_open(struct lines *l, const char *path, struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;

	*l = (struct lines){ .path = is_stdin ? "standard input" : path };
	l->read = buf_with_cap(LIMIT_LINE_BYTES + BLOCK_BYTES + 1);
	l->file = is_stdin ? stdin : fopen(path, "re");
	if (!l->file)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	return RC_OK;
}

void lines_close(struct lines *l)
{
	if (l->file && l->file != stdin)
		fclose(l->file);
	l->file = NULL;
	buf_destroy(&l->read);
}

static enum rc block_read(struct lines *l, struct err *e)
{
	char block[BLOCK_BYTES];
	size_t n = fread(block, 1, sizeof(block), l->file);

	if (ferror(l->file))
		return err_set(e, RC_INPUT, errno, "%s: %s", l->path, strerror(errno));
	l->at_end = feof(l->file);
	l->total += n;
	/* a last line that no newline ends is a line as well */
	if (buf_append(&l->read, block, n) != RC_OK ||
		(l->at_end && buf_append(&l->read, "\n", 1) != RC_OK))
		return err_memory(e);
	return RC_OK;
}

/* How many bytes of the buffer are the next line, with its newline; 0: more are needed. */
static size_t line_size(struct bytes b, size_t searched)
{
	const uint8_t *newline = searched < b.size ? memchr(b.data + searched, '\n',
							     b.size - searched)
						   : NULL;

	return newline ? (size_t)(newline - b.data) + 1 : 0;
}

static enum rc line_find(struct lines *l, struct err *e)
{
	size_t searched = 0;

	while (!(l->taken = line_size(buf_bytes(&l->read), searched))) {
		searched = buf_bytes(&l->read).size;
		if (l->at_end)
			return RC_AGAIN;
		if (searched > LIMIT_LINE_BYTES)
			return err_set(e, RC_INPUT, 0,
				"%s:%zu: a line of more than %d bytes", l->path,
				l->number, LIMIT_LINE_BYTES);
		if (block_read(l, e) != RC_OK)
			return e->code;
	}
	return RC_OK;
}

enum rc lines_next(struct lines *l, struct err *e)
{
	enum rc rc;

	buf_consume(&l->read, l->taken);
	l->taken = 0;
	l->number++;
	rc = line_find(l, e);
	if (rc != RC_OK)
		return rc;
	/* the newline that block_read() added behind a last newline is no line */
	if (l->at_end && l->taken == 1 && buf_bytes(&l->read).size == 1)
		return RC_AGAIN;
	l->line = (char *)l->read.memory + l->read.start;
	if (memchr(l->line, '\0', l->taken))
		return err_set(e, RC_INPUT, 0, "%s:%zu: not a text: it holds a NUL byte",
			l->path, l->number);
	l->line[l->taken - 1] = '\0';
	/* what came through a terminal (ansible's raw) has both */
	if (l->taken > 1 && l->line[l->taken - 2] == '\r')
		l->line[l->taken - 2] = '\0';
	return RC_OK;
}
