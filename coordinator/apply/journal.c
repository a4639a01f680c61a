#include "coordinator/apply/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "proto/texts.h"

enum { JOURNAL_BYTES_MAX = 512 * 1024 * 1024 };

static const char suffix[] = ".journal";

/* ---- files */

static enum rc fails(enum rc code, const char *path, struct err *e)
{
	return err_set(e, code, errno, "%s: %s", path, strerror(errno));
}

/* Makes it, and what is above it. */
static enum rc folder_make(const char *folder, struct arena *arena, struct err *e)
{
	char *path = arena_text(arena, folder);

	if (!path)
		return err_memory(e);
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return fails(RC_OUTPUT, path, e);
		*at = '/';
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fails(RC_OUTPUT, path, e);
	return RC_OK;
}

/* A file is only there for good when its folder is. */
static int folder_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	int fd, failed;

	if ((size_t)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path) >=
		sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(folder[0] ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	failed = fsync(fd) != 0 ? errno : 0;
	close(fd);
	errno = failed;
	return failed ? -1 : 0;
}

/* What could not be written whole is taken back: nobody relies on it. */
static enum rc append(struct journal *j, struct bytes text, struct err *e)
{
	int failed = file_write_all(j->fd, text);

	if (!failed && fsync(j->fd) != 0)
		failed = errno;
	if (!failed) {
		j->size += (long long)text.size;
		return RC_OK;
	}
	if (ftruncate(j->fd, j->size) != 0 || lseek(j->fd, j->size, SEEK_SET) < 0 ||
		fsync(j->fd) != 0)
		failed = failed ? failed : errno;
	return err_set(e, RC_OUTPUT, failed, "%s: %s", j->path, strerror(failed));
}

static enum rc path_make(struct journal *j, const char *folder, const char *run,
	struct arena *arena, struct err *e)
{
	j->fd = -1;
	if (!text_is_name(run))
		return err_set(e, RC_USAGE, 0, "%s: that is no name of a run", run);
	j->path = arena_format(arena, "%s/%s%s", folder, run, suffix);
	return j->path ? RC_OK : err_memory(e);
}

/* ---- a new one */

static enum rc file_make(
	struct journal *j, const struct journal_plan *plan, struct err *e)
{
	struct buf text = buf_with_cap(JOURNAL_BYTES_MAX);
	enum rc rc = journal_write_plan(&text, plan, j->sum, e);

	if (rc == RC_OK)
		rc = append(j, buf_bytes(&text), e);
	buf_destroy(&text);
	if (rc == RC_OK && folder_sync(j->path) != 0)
		rc = fails(RC_OUTPUT, j->path, e);
	return rc;
}

enum rc journal_create(struct journal *j, const char *folder,
	const struct journal_plan *plan, struct arena *arena, struct err *e)
{
	enum rc rc;

	*j = (struct journal){ .fd = -1 };
	rc = path_make(j, folder, plan->run, arena, e);
	if (rc == RC_OK)
		rc = folder_make(folder, arena, e);
	if (rc != RC_OK)
		return rc;
	j->fd = open(j->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (j->fd < 0)
		return fails(RC_OUTPUT, j->path, e);
	if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
		rc = fails(RC_OUTPUT, j->path, e);
	if (rc == RC_OK)
		rc = file_make(j, plan, e);
	if (rc != RC_OK) {
		unlink(j->path);
		journal_close(j);
	}
	return rc;
}

/* ---- one that is there */

static enum rc file_read(
	struct journal *j, struct bytes *text, struct arena *arena, struct err *e)
{
	struct stat st;
	uint8_t *data;
	size_t size = 0;

	if (fstat(j->fd, &st) != 0)
		return fails(RC_INPUT, j->path, e);
	if (st.st_nlink == 0)
		return err_set(e, RC_INPUT, 0, "%s: this run has just ended", j->path);
	if (st.st_size > JOURNAL_BYTES_MAX || !S_ISREG(st.st_mode))
		return err_set(e, RC_INPUT, 0, "%s: that is no journal", j->path);
	data = arena_alloc(arena, (size_t)st.st_size + 1, 1);
	if (!data)
		return err_memory(e);
	while (size < (size_t)st.st_size) {
		ssize_t n = read(j->fd, data + size, (size_t)st.st_size - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fails(RC_INPUT, j->path, e);
		if (n == 0)
			break;
		size += (size_t)n;
	}
	*text = (struct bytes){ data, size };
	return RC_OK;
}

static enum rc plan_read(struct journal *j, const char *run, struct journal_plan *plan,
	struct arena *arena, struct err *e)
{
	struct bytes text;
	size_t size;
	enum rc rc = file_read(j, &text, arena, e);

	if (rc == RC_OK)
		rc = journal_read(j->path, text, plan, j->sum, &size, arena, e);
	if (rc != RC_OK)
		return rc;
	if (plan->run && strcmp(plan->run, run) != 0)
		return err_set(e, RC_INPUT, 0, "%s: it is the journal of %s", j->path,
			plan->run);
	plan->run = run;
	j->phase = plan->phase;
	j->size = (long long)size;
	return RC_OK;
}

/* The torn tail must go before a line is written behind it. */
static enum rc tail_cut(struct journal *j, struct err *e)
{
	if (ftruncate(j->fd, j->size) != 0 || lseek(j->fd, j->size, SEEK_SET) < 0)
		return fails(RC_OUTPUT, j->path, e);
	return RC_OK;
}

enum rc journal_open(struct journal *j, const char *folder, const char *run,
	struct journal_plan *plan, struct arena *arena, struct err *e)
{
	bool held;
	enum rc rc;

	*j = (struct journal){ .fd = -1 };
	*plan = (struct journal_plan){ 0 };
	rc = path_make(j, folder, run, arena, e);
	if (rc != RC_OK)
		return rc;
	j->fd = open(j->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (j->fd < 0)
		return fails(RC_INPUT, j->path, e);
	held = flock(j->fd, LOCK_EX | LOCK_NB) != 0;
	rc = plan_read(j, run, plan, arena, e);
	if (rc == RC_OK && held)
		rc = err_set(e, RC_CONFLICT, 0, "%s is under way: %s, since %s", run,
			plan->holder ? plan->holder : "another process",
			plan->begun ? plan->begun : "now");
	if (rc == RC_OK)
		rc = tail_cut(j, e);
	if (rc != RC_OK)
		journal_close(j);
	return rc;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

enum rc journal_list(
	const char *folder, struct texts *runs, struct arena *arena, struct err *e)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	enum rc rc = RC_OK;

	if (!dir && errno == ENOENT)
		return RC_OK;
	if (!dir)
		return fails(RC_INPUT, folder, e);
	while (rc == RC_OK && (entry = readdir(dir)))
		if (text_ends_with(entry->d_name, suffix) && entry->d_name[0] != '.')
			rc = texts_add(runs,
				arena_text_n(arena, entry->d_name,
					strlen(entry->d_name) - strlen(suffix)),
				arena, e);
	closedir(dir);
	if (rc == RC_OK && runs->count)
		qsort(runs->item, runs->count, sizeof(*runs->item), by_name);
	return rc;
}

/* ---- how far it is */

enum rc journal_enter(struct journal *j, enum twophase_phase phase, struct err *e)
{
	const char *word = twophase_phase_name(phase);
	struct texts fields = { &word, 1 };
	struct buf text = buf_with_cap(JOURNAL_BYTES_MAX);
	char sum[JOURNAL_SUM_MAX];
	enum rc rc;

	memcpy(sum, j->sum, sizeof(sum));
	rc = journal_write_line(&text, sum, "phase", &fields, e);
	if (rc == RC_OK)
		rc = append(j, buf_bytes(&text), e);
	if (rc == RC_OK) {
		memcpy(j->sum, sum, sizeof(sum));
		j->phase = phase;
	}
	buf_destroy(&text);
	return rc;
}

enum rc journal_leave(struct journal *j, const size_t *nodes, size_t count, struct err *e)
{
	struct buf text = buf_with_cap(JOURNAL_BYTES_MAX);
	char sum[JOURNAL_SUM_MAX], number[32];
	const char *word = number;
	struct texts fields = { &word, 1 };
	enum rc rc = RC_OK;

	memcpy(sum, j->sum, sizeof(sum));
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		snprintf(number, sizeof(number), "%zu", nodes[i]);
		rc = journal_write_line(&text, sum, "over", &fields, e);
	}
	if (rc == RC_OK)
		rc = append(j, buf_bytes(&text), e);
	if (rc == RC_OK)
		memcpy(j->sum, sum, sizeof(sum));
	buf_destroy(&text);
	return rc;
}

enum rc journal_remove(struct journal *j, struct err *e)
{
	if (unlink(j->path) != 0 && errno != ENOENT)
		return fails(RC_OUTPUT, j->path, e);
	if (folder_sync(j->path) != 0)
		return fails(RC_OUTPUT, j->path, e);
	return RC_OK;
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}
