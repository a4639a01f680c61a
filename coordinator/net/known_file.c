#include "coordinator/net/known_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/net/base64.h"

static enum rc read_all(int fd, const char *path, struct buf *out, struct err *e)
{
	char chunk[16 * 1024];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		enum rc rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(
				e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			return RC_OK;
		rc = buf_append(out, chunk, (size_t)n);
		if (rc == RC_LIMIT)
			return err_set(e, RC_INPUT, 0, "%s: larger than %d MiB", path,
				KNOWN_FILE_BYTES_MAX / 1024 / 1024);
		if (rc != RC_OK)
			return err_memory(e);
	}
}

enum rc known_file_read(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum rc rc;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return RC_OK;
	if (fd < 0)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	rc = read_all(fd, path, out, e);
	close(fd);
	return rc;
}

/* Makes the folder that the file lies in (ssh makes ~/.ssh; not more). */
static void make_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	if (!slash || slash == path || (size_t)(slash - path) >= sizeof(folder))
		return;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	mkdir(folder, 0700); /* open() says what is wrong, if anything */
}

/* Does the file end in the middle of a line? */
static bool lacks_newline(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last;

	return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

static enum rc append_line(const char *path, struct buf *line, struct err *e)
{
	struct bytes text;
	int fd, error = 0;

	make_folder(path);
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, RC_HOSTKEY, errno,
			"the new host key cannot be recorded in %s: %s", path,
			strerror(errno));
	if (!lacks_newline(fd)) /* the line starts with one */
		buf_consume(line, 1);
	text = buf_bytes(line);
	errno = EIO;
	if (write(fd, text.data, text.size) != (ssize_t)text.size)
		error = errno;
	if (close(fd) != 0 && !error)
		error = errno;
	if (error)
		return err_set(e, RC_HOSTKEY, error,
			"the new host key cannot be recorded in %s: %s", path,
			strerror(error));
	return RC_OK;
}

/* What would be another line, or another host, when it is read again. */
static bool can_be_written(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || strchr("*?!,|#@\177", *c))
			return false;
	return *name;
}

static enum rc make_line(const char *name, const char *type, struct bytes blob,
	struct buf *line, struct err *e)
{
	char *base64 = malloc(BASE64_ENCODED_MAX(blob.size));
	enum rc rc;

	if (!base64)
		return err_memory(e);
	base64_encode(blob.data, blob.size, base64);
	rc = buf_format(line, "\n%s %s %s\n", name, type, base64);
	free(base64);
	return rc == RC_OK ? RC_OK : err_memory(e);
}

enum rc known_file_append(const char *path, const char *name, const char *type,
	struct bytes blob, struct buf *line, struct err *e)
{
	if (!can_be_written(name))
		return err_set(e, RC_HOSTKEY, 0,
			"the new host key cannot be recorded in %s: as a name there "
			"\"%s\" would mean something else",
			path, name);
	if (make_line(name, type, blob, line, e) != RC_OK)
		return e->code;
	return append_line(path, line, e);
}
