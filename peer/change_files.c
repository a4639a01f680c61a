#include "peer/change_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "proto/limits.h"

enum { NAME_ROOM = 64 };

static enum rc fail(const char *doing, const char *name, struct err *e)
{
	return err_set(e, RC_PLACE, errno, "cannot %s %s in the folder of the run: %s",
		doing, name, strerror(errno));
}

static void name_of(char name[static NAME_ROOM], size_t index, const char *kind)
{
	snprintf(name, NAME_ROOM, "%zu.%.32s", index, kind);
}

/* Begun anew where one was cut short. */
static enum rc write_new(
	int folder, const char *name, struct bytes content, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd, problem;

	if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
		return fail("replace", name, e);
	fd = openat(folder, name, flags, 0600);
	if (fd < 0)
		return fail("make", name, e);
	problem = file_write_all(fd, content);
	if (!problem && fsync(fd) != 0)
		problem = errno;
	close(fd);
	errno = problem;
	return problem ? fail("write", name, e) : RC_OK;
}

enum rc change_file_put(
	int folder, size_t index, const char *kind, struct bytes content, struct err *e)
{
	char name[NAME_ROOM], new_name[NAME_ROOM];

	name_of(name, index, kind);
	name_of(new_name, index, "part");
	if (write_new(folder, new_name, content, e) != RC_OK)
		return e->code;
	if (renameat(folder, new_name, folder, name) != 0)
		return fail("rename", name, e);
	return fsync(folder) == 0 ? RC_OK : fail("bring to disk", name, e);
}

static enum rc read_open(
	int fd, const char *name, struct arena *arena, char **out, struct err *e)
{
	struct stat info;
	size_t n = 0;
	ssize_t got = 1;

	if (fstat(fd, &info) != 0)
		return fail("read", name, e);
	if (!S_ISREG(info.st_mode) || info.st_size > LIMIT_BODY_BYTES)
		return err_set(e, RC_LIMIT, 0,
			"%s in the folder of the run is no file of ours", name);
	*out = arena_alloc(arena, (size_t)info.st_size + 1, 1);
	if (!*out)
		return err_memory(e);
	while (n < (size_t)info.st_size && got > 0) {
		got = read(fd, *out + n, (size_t)info.st_size - n);
		n += got > 0 ? (size_t)got : 0;
	}
	return got >= 0 ? RC_OK : fail("read", name, e);
}

enum rc change_file_get(int folder, size_t index, const char *kind, struct arena *arena,
	char **out, struct err *e)
{
	char name[NAME_ROOM];
	enum rc rc;
	int fd;

	name_of(name, index, kind);
	*out = NULL;
	fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? RC_OK : fail("open", name, e);
	rc = read_open(fd, name, arena, out, e);
	close(fd);
	return rc;
}

enum rc change_file_drop(int folder, size_t index, const char *kind, struct err *e)
{
	char name[NAME_ROOM];

	name_of(name, index, kind);
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return RC_OK;
	return fail("remove", name, e);
}
