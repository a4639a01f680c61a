#include "coordinator/verb/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Closes in any case; the first errno counts. */
static int write_and_close(int fd, struct bytes content, bool to_disk)
{
	int failed = file_write_all(fd, content);

	if (!failed && to_disk && fsync(fd) != 0)
		failed = errno;
	if (close(fd) != 0 && !failed)
		failed = errno;
	errno = failed;
	return failed ? -1 : 0;
}

static int write_in_place(const char *path, struct bytes content)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -1 : write_and_close(fd, content, false);
}

/* As any file that is made here; mkostemp() gives it to this user alone. */
static mode_t usual_mode(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return 0666 & ~mask;
}

/* The new name survives a power loss; where the file system cannot say so, the file is
 * whole all the same. */
static void folder_to_disk(const char *path)
{
	char folder[PATH_MAX];
	int fd;

	snprintf(folder, sizeof(folder), "%s", path);
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int write_beside(const char *path, mode_t mode, struct bytes content)
{
	char temporary[PATH_MAX];
	int fd, failed;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >=
		sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -1;
	failed = fchmod(fd, mode) != 0 ? errno : 0;
	if (write_and_close(fd, content, true) != 0 && !failed)
		failed = errno;
	if (!failed && rename(temporary, path) != 0)
		failed = errno;
	if (failed)
		unlink(temporary);
	else
		folder_to_disk(path);
	errno = failed;
	return failed ? -1 : 0;
}

enum rc replace_file(const char *path, struct bytes content, struct err *e)
{
	char real[PATH_MAX];
	struct stat st;
	bool exists = stat(path, &st) == 0;
	int rc;

	if (exists && !S_ISREG(st.st_mode))
		rc = write_in_place(path, content);
	else if (exists && realpath(path, real))
		rc = write_beside(real, st.st_mode & 07777, content);
	else
		rc = write_beside(path, usual_mode(), content);
	if (rc == 0)
		return RC_OK;
	return err_set(e, RC_OUTPUT, errno, "%s: %s", path, strerror(errno));
}

/* Where the file will be made anew: beside what a symbolic link leads to. */
static bool can_be_made(const char *path)
{
	char *real = realpath(path, NULL), *slash;
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", real ? real : path);
	free(real);
	slash = strrchr(folder, '/');
	if (!slash)
		return access(".", W_OK | X_OK) == 0;
	slash[slash == folder] = '\0';
	return access(folder, W_OK | X_OK) == 0;
}

bool replace_can(const char *path)
{
	struct stat st;
	bool exists = stat(path, &st) == 0;

	if (exists && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return false;
	}
	return (exists && !S_ISREG(st.st_mode)) || can_be_made(path);
}
