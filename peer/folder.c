#include "peer/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "proto/limits.h"

/* ---- walking */

struct walk {
	const struct folder_way *way;
	struct folder_made *made;
	size_t deepest; /* so many of the folders at the end are noted as made before */
	bool may_make;
	struct err *e;
	int fd;
};

static enum rc fail(const struct walk *w, const char *what)
{
	return err_set(
		w->e, RC_PLACE, errno, "%s: %s: %s", w->way->path, what, strerror(errno));
}

static int dup_closing(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int open_folder(int parent, const char *name, bool may_follow)
{
	return openat(parent, name,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC | (may_follow ? 0 : O_NOFOLLOW));
}

/* Notes that the folder in w->fd is a made one; false: no descriptor, too deep. */
static bool note_made(struct walk *w, const char *name)
{
	size_t n = w->made->count;

	if (n == FOLDER_DEPTH_MAX) {
		errno = ENAMETOOLONG;
		return false;
	}
	w->made->item[n].parent = dup_closing(w->fd);
	if (w->made->item[n].parent < 0)
		return false;
	snprintf(w->made->item[n].name, sizeof(w->made->item[n].name), "%s", name);
	w->made->count++;
	return true;
}

/* Makes a folder below w->fd, 0755 whatever the umask, and opens it.  When
 * somebody else makes it at the same moment it is theirs. */
static int make_folder(struct walk *w, const char *name)
{
	int fd;

	if (!note_made(w, name))
		return -1;
	if (mkdirat(w->fd, name, 0755) != 0) {
		close(w->made->item[--w->made->count].parent);
		return errno == EEXIST ? open_folder(w->fd, name, false) : -1;
	}
	fd = open_folder(w->fd, name, false);
	if (fd >= 0 && fchmod(fd, 0755) == 0)
		return fd;
	/* what was noted is unmade by whoever sees the failure */
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Goes into the folder; *missing is set when it is not there and may not be made. */
static enum rc enter(struct walk *w, const char *name, size_t end, bool *missing)
{
	int fd = open_folder(w->fd, name, end <= w->way->base);

	if (fd < 0 && errno == ENOENT && end <= w->way->needed)
		return err_set(w->e, RC_TARGET, ENOENT,
			"%s: there is no %.*s: what it belongs to is not installed here",
			w->way->path, (int)end, w->way->path);
	*missing = fd < 0 && errno == ENOENT && !w->may_make;
	if (*missing)
		return RC_OK;
	if (fd < 0 && errno == ENOENT)
		fd = make_folder(w, name);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return fail(w, "a folder of it is a symbolic link or no folder");
	if (fd < 0)
		return fail(w, name);
	close(w->fd);
	w->fd = fd;
	return RC_OK;
}

/* The next component of the path, copied to name; false at the last one, which
 * is the file.  *at moves behind it. */
static bool next_folder(const char **at, char name[static NAME_MAX + 1])
{
	size_t n;

	*at += strspn(*at, "/");
	n = strcspn(*at, "/");
	if ((*at)[n] == '\0' || n > NAME_MAX)
		return false;
	memcpy(name, *at, n);
	name[n] = '\0';
	*at += n;
	return true;
}

/* How many folders the rest of the path has. */
static size_t folders_left(const char *at)
{
	char name[NAME_MAX + 1];
	size_t n = 0;

	while (next_folder(&at, name))
		n++;
	return n;
}

/* Walks to the folder of the file; *left is the number of folders that are missing,
 * and then *fd is -1. */
static enum rc walk(struct walk *w, const char *root, int *fd, size_t *left)
{
	const char *at = w->way->path, *before = at;
	char name[NAME_MAX + 1];
	bool missing = false;
	enum rc rc = RC_OK;

	*fd = -1;
	w->fd = open(*root ? root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->fd < 0)
		return fail(w, root);
	while (rc == RC_OK && !missing && next_folder(&at, name)) {
		*left = folders_left(before);
		if (*left <= w->deepest && !note_made(w, name))
			rc = fail(w, name);
		else
			rc = enter(w, name, (size_t)(at - w->way->path), &missing);
		before = at;
	}
	if (rc == RC_OK && !missing) {
		*fd = w->fd;
		*left = 0;
	} else {
		close(w->fd);
	}
	return rc;
}

enum rc folder_open(const char *root, const struct folder_way *way,
	struct folder_made *made, int *fd, struct err *e)
{
	struct walk w = { way, made, 0, made != NULL, e, -1 };
	size_t left = 0;

	return walk(&w, root, fd, &left);
}

enum rc folder_count_missing(
	const char *root, const struct folder_way *way, size_t *missing, struct err *e)
{
	struct walk w = { way, NULL, 0, false, e, -1 };
	int fd;
	enum rc rc;

	*missing = 0;
	rc = walk(&w, root, &fd, missing);
	if (fd >= 0)
		close(fd);
	return rc;
}

enum rc folder_open_again(const char *root, const struct folder_way *way, size_t deepest,
	struct folder_made *made, int *fd, struct err *e)
{
	struct walk w = { way, made, deepest, false, e, -1 };
	size_t left = 0;

	return walk(&w, root, fd, &left);
}

bool folder_unmake(struct folder_made *made)
{
	bool removed = false;

	while (made->count) {
		size_t n = --made->count;

		/* fails when somebody put something there: then it stays */
		if (unlinkat(made->item[n].parent, made->item[n].name, AT_REMOVEDIR) ==
			0) {
			removed = true;
			/* before the journal that knows of it goes */
			(void)fsync(made->item[n].parent);
		}
		close(made->item[n].parent);
	}
	return removed;
}

int folder_sync(int folder, const struct folder_made *made)
{
	for (size_t i = 0; i < made->count; i++)
		if (fsync(made->item[i].parent) != 0)
			return errno;
	return fsync(folder) == 0 ? 0 : errno;
}

void folder_settle(struct folder_made *made)
{
	while (made->count)
		close(made->item[--made->count].parent);
}

/* ---- reading */

static enum rc read_all(
	int fd, const char *path, struct place_content *out, struct err *e)
{
	/* one more than allowed, to see a file that grows while it is read */
	size_t room = (size_t)out->info.st_size + 1, n = 0;
	uint8_t *data = arena_alloc(out->arena, room, 1);
	ssize_t got = 1;

	if (!data)
		return err_memory(e);
	while (n < room && got > 0) {
		got = read(fd, data + n, room - n);
		if (got > 0)
			n += (size_t)got;
	}
	if (got < 0)
		return err_set(e, RC_PLACE, errno, "%s: %s", path, strerror(errno));
	if (n == room)
		return err_set(e, RC_CONFLICT, 0, "%s grows while it is read", path);
	out->content = (struct bytes){ data, n };
	out->digest = digest_of(data, n);
	out->exists = true;
	return RC_OK;
}

static enum rc read_regular(
	int fd, const char *path, size_t cap, struct place_content *out, struct err *e)
{
	if (fstat(fd, &out->info) != 0)
		return err_set(e, RC_PLACE, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(out->info.st_mode))
		return err_set(e, RC_PLACE, 0, "%s is not a regular file", path);
	if ((size_t)out->info.st_size > cap)
		return err_set(e, RC_LIMIT, 0, "%s is larger than %zu bytes", path, cap);
	return read_all(fd, path, out, e);
}

enum rc folder_read_up_to(int folder, const char *file, const char *path, size_t cap,
	struct place_content *out, struct err *e)
{
	/* O_NONBLOCK: a FIFO in its place must not hang us */
	int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum rc rc;

	*out = (struct place_content){ .arena = out->arena };
	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	if (fd < 0 && errno == ELOOP)
		return err_set(e, RC_PLACE, errno, "%s is a symbolic link", path);
	if (fd < 0)
		return err_set(e, RC_PLACE, errno, "%s: %s", path, strerror(errno));
	rc = read_regular(fd, path, cap, out, e);
	close(fd);
	return rc;
}

enum rc folder_read(int folder, const char *file, const char *path,
	struct place_content *out, struct err *e)
{
	return folder_read_up_to(folder, file, path, LIMIT_PLACE_BYTES, out, e);
}

/* ---- writing.  These give 0 or an errno. */

static int copy_label(int from, int to, const char *name)
{
	char value[1024];
	ssize_t n = fgetxattr(from, name, value, sizeof(value));

	if (n < 0) /* ENODATA, ENOTSUP: there is none */
		return errno == ENODATA || errno == ENOTSUP ? 0 : errno;
	return fsetxattr(to, name, value, (size_t)n, 0) == 0 ? 0 : errno;
}

/* Owner first: a change of owner clears mode bits. */
static int dress_like(int like, int fd)
{
	static const char *const labels[] = { "security.selinux",
		"system.posix_acl_access" };
	struct stat old, new;
	int problem = 0;

	if (fstat(like, &old) != 0 || fstat(fd, &new) != 0)
		return errno;
	if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
		fchown(fd, old.st_uid, old.st_gid) != 0)
		return errno;
	if (fchmod(fd, old.st_mode & 07777) != 0)
		return errno;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]) && !problem; i++)
		problem = copy_label(like, fd, labels[i]);
	return problem;
}

static int fill(int fd, struct bytes content, int like, struct stat *info)
{
	int problem = file_write_all(fd, content);

	if (!problem && like >= 0)
		problem = dress_like(like, fd);
	else if (!problem && fchmod(fd, 0644) != 0)
		problem = errno;
	if (!problem && (fsync(fd) != 0 || fstat(fd, info) != 0))
		problem = errno;
	return problem;
}

enum rc folder_write(int folder, const char *file, struct bytes content, int like,
	struct stat *info, struct err *e)
{
	int fd = openat(
		folder, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int problem;

	if (fd < 0)
		return err_set(e, RC_PLACE, errno, "%s: %s", file, strerror(errno));
	problem = fill(fd, content, like, info);
	if (close(fd) != 0 && !problem)
		problem = errno;
	if (problem)
		return err_set(e, RC_PLACE, problem, "%s: %s", file, strerror(problem));
	return RC_OK;
}
