#include "peer/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "peer/pulse.h"
#include "peer/scratch_private.h"
#include "proto/texts.h"

enum { RUN_MIN = 8 };

static const char folder_path[] = "/var/tmp", prefix[] = SCRATCH_PREFIX,
		  suffix[] = ".elf";

bool scratch_run_is_allowed(const char *run)
{
	size_t n = strspn(run, "0123456789abcdef");

	return run[n] == '\0' && n >= RUN_MIN && n <= SCRATCH_RUN_MAX;
}

/* The kernel's name in its folder. */
static const char *file_of(const struct scratch *s)
{
	return s->kernel + sizeof(folder_path);
}

static enum rc fail(const struct scratch *s, int problem, struct err *e)
{
	return err_set(e, RC_PLACE, problem, "%s: %s", s->kernel, strerror(problem));
}

/* ---- the lock: of the open file, so that a guard has it as well */

static struct flock whole_file(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

/* RC_CONFLICT also where the file was removed since it was opened: then the lock is
 * worth nothing. */
static enum rc lock(const struct scratch *s, struct err *e)
{
	struct flock all = whole_file();
	int problem = fcntl(s->file, F_OFD_SETLK, &all) == 0 ? 0 : errno;
	struct stat info;

	if (problem == EAGAIN || problem == EACCES)
		return err_set(e, RC_CONFLICT, 0,
			"%s is in use: another cpuherd-peer is at work for this run "
			"here; perhaps two of the nodes are one machine",
			s->kernel);
	if (problem || fstat(s->file, &info) != 0)
		return fail(s, problem ? problem : errno, e);
	if (info.st_nlink == 0)
		return err_set(e, RC_CONFLICT, 0, "%s was just removed", s->kernel);
	return RC_OK;
}

static bool is_locked(int fd)
{
	struct flock all = whole_file();

	return fcntl(fd, F_OFD_GETLK, &all) != 0 || all.l_type != F_UNLCK;
}

/* ---- the kernel's file */

/* May it be swept from here: a file of this kind of daemon, and of nobody else? */
static bool is_of_our_kind(const struct place_world *world, int fd)
{
	struct stat info;

	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		return false;
	if (world->session)
		return info.st_uid == geteuid() && !(info.st_mode & S_IROTH);
	/* libvirt may have changed the owner */
	return info.st_mode & S_IROTH;
}

/* Without being led astray, or hung by a FIFO; -1 where there is none of ours. */
static int open_existing(const struct place_world *world, int folder, const char *name)
{
	int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && !is_of_our_kind(world, fd)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static enum rc begin(struct scratch *s, const struct place_world *world, const char *run,
	struct err *e)
{
	*s = (struct scratch){ .world = *world, .folder = -1, .file = -1 };
	if (!scratch_run_is_allowed(run))
		return err_set(
			e, RC_PLACE, 0, "\"%.64s\" is no name of a run of trials", run);
	snprintf(s->run, sizeof(s->run), "%s", run);
	snprintf(s->kernel, sizeof(s->kernel), "%s/%s%s%s", folder_path, prefix, run,
		suffix);
	s->folder = scratch_folder(world, folder_path);
	return s->folder < 0 ? fail(s, errno, e) : RC_OK;
}

/* After a failure closes what begin() and its followers opened; passes rc on. */
static enum rc end(struct scratch *s, enum rc rc)
{
	s->made = true;
	if (rc != RC_OK)
		scratch_abandon(s);
	return rc;
}

static enum rc fill(const struct scratch *s, struct err *e)
{
	struct bytes kernel = { trial_kernel, (size_t)(trial_kernel_end - trial_kernel) };
	int problem = file_write_all(s->file, kernel);

	if (!problem && fchmod(s->file, s->world.session ? 0600 : 0644) != 0)
		problem = errno;
	return problem ? fail(s, problem, e) : RC_OK;
}

/* Somebody's file lies there: who is at work?  Runs have names that nobody guesses: it may
 * be a peer that is about to lock it. */
static enum rc refuse(struct scratch *s, struct err *e)
{
	s->file = open_existing(&s->world, s->folder, file_of(s));
	if (s->file >= 0 && lock(s, e) != RC_OK)
		return e->code;
	return err_set(e, RC_PLACE, EEXIST,
		"%s: %s; perhaps two of the nodes are one machine", s->kernel,
		strerror(EEXIST));
}

enum rc scratch_make(struct scratch *s, const struct place_world *world, const char *run,
	struct err *e)
{
	enum rc rc = begin(s, world, run, e);

	if (rc != RC_OK)
		return end(s, rc);
	s->file = openat(s->folder, file_of(s),
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->file < 0)
		return end(s, errno == EEXIST ? refuse(s, e) : fail(s, errno, e));
	rc = lock(s, e);
	if (rc == RC_OK)
		rc = fill(s, e);
	if (rc != RC_OK && rc != RC_CONFLICT)
		(void)unlinkat(s->folder, file_of(s), 0);
	return end(s, rc);
}

enum rc scratch_adopt(struct scratch *s, const struct place_world *world, const char *run,
	struct err *e)
{
	enum rc rc = begin(s, world, run, e);

	if (rc != RC_OK)
		return end(s, rc);
	s->file = open_existing(world, s->folder, file_of(s));
	if (s->file < 0)
		return end(s, err_set(e, RC_CONFLICT, 0, "%s is gone, or somebody else's",
				      s->kernel));
	return end(s, lock(s, e));
}

/* ---- runs that died */

/* The run that a file's name tells, in run; false: none. */
static bool run_of(const char *name, char run[static SCRATCH_RUN_MAX + 1])
{
	size_t around = strlen(prefix) + strlen(suffix), n = strlen(name);

	if (n <= around || n - around > SCRATCH_RUN_MAX ||
		!text_starts_with(name, prefix) || !text_ends_with(name, suffix))
		return false;
	snprintf(run, SCRATCH_RUN_MAX + 1, "%.*s", (int)(n - around),
		name + strlen(prefix));
	return scratch_run_is_allowed(run);
}

static bool is_stale(const struct place_world *world, int folder, const char *name)
{
	int fd = open_existing(world, folder, name);
	bool stale = fd >= 0 && !is_locked(fd);

	if (fd >= 0)
		close(fd);
	return stale;
}

static enum rc list_stale(const struct place_world *world, DIR *d, struct arena *arena,
	struct texts *runs, struct err *e)
{
	const struct dirent *entry;
	char run[SCRATCH_RUN_MAX + 1];
	enum rc rc = RC_OK;

	while (rc == RC_OK && runs->count < SCRATCH_STALE_MAX && (entry = readdir(d)))
		if (run_of(entry->d_name, run) &&
			is_stale(world, dirfd(d), entry->d_name))
			rc = texts_add(runs, arena_text(arena, run), arena, e);
	return rc;
}

enum rc scratch_stale(const struct place_world *world, struct arena *arena,
	struct texts *runs, struct err *e)
{
	int fd = scratch_folder(world, folder_path);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	enum rc rc;

	if (!d) {
		err_fill(e, RC_PLACE, errno, "%s: %s", folder_path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return RC_PLACE;
	}
	rc = list_stale(world, d, arena, runs, e);
	closedir(d);
	return rc;
}

/* ---- the end */

static void remove_kernel(
	const struct scratch *s, struct arena *arena, struct texts *left)
{
	struct stat ours, there;

	if (fstatat(s->folder, file_of(s), &there, AT_SYMLINK_NOFOLLOW) != 0 ||
		fstat(s->file, &ours) != 0)
		return; /* a guard, or a peer, was here before */
	if (there.st_ino != ours.st_ino || there.st_dev != ours.st_dev)
		return;
	if (unlinkat(s->folder, file_of(s), 0) != 0 && errno != ENOENT)
		scratch_say_left(left, arena, errno, s->kernel);
}

void scratch_remove(struct scratch *s, struct arena *arena, struct texts *left)
{
	if (!s->made)
		return;
	scratch_remove_logs(s, arena, left);
	remove_kernel(s, arena, left); /* last: while it lies there a sweep comes back */
	scratch_abandon(s);
}

void scratch_abandon(struct scratch *s)
{
	if (!s->made)
		return;
	if (s->file >= 0)
		close(s->file);
	if (s->folder >= 0)
		close(s->folder);
	s->file = s->folder = -1;
	s->made = false;
}
