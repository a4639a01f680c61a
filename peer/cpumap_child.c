#include "peer/cpumap_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "peer/libvirt_map.h"

enum { ANSWER_BYTES = 256 * 1024, COPY_BYTES = 16 * 1024 };

/* ---- in the child */

static enum rc cannot(struct err *e, const char *what)
{
	return err_set(e, RC_TARGET, errno,
		"a copy of libvirt's cpu_map cannot be tried here, so it is left alone: "
		"%s: "
		"%s%s",
		what, strerror(errno),
		errno == EPERM ? " (the peer has to be root: --become)" : "");
}

/* What the parent does at these is nothing for its child. */
static void forget_handlers(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGALRM, SIGPIPE };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static enum rc write_all(int fd, const void *data, size_t size, struct err *e)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot(e, "writing the copy");
		at += n;
		size -= (size_t)n;
	}
	return RC_OK;
}

static enum rc copy_bytes(int from, int to, struct err *e)
{
	char piece[COPY_BYTES];
	enum rc rc = RC_OK;
	ssize_t n = 0;

	while (rc == RC_OK && (n = read(from, piece, sizeof(piece))) > 0)
		rc = write_all(to, piece, (size_t)n, e);
	return rc == RC_OK && n < 0 ? cannot(e, "reading the map") : rc;
}

static int create(int folder, const char *name)
{
	return openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

/* Plain files only: the map has no others. */
static enum rc copy_file(int from, int to, const char *name, struct err *e)
{
	int source = openat(from, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), copy;
	struct stat info;
	enum rc rc = RC_OK;

	if (source < 0)
		return errno == ENOENT ? RC_OK : cannot(e, name);
	if (fstat(source, &info) == 0 && S_ISREG(info.st_mode)) {
		copy = create(to, name);
		rc = copy < 0 ? cannot(e, name) : copy_bytes(source, copy, e);
		if (copy >= 0)
			close(copy);
	}
	close(source);
	return rc;
}

static enum rc copy_folder(DIR *from, int to, struct err *e)
{
	struct dirent *entry;
	enum rc rc = RC_OK;

	while (rc == RC_OK && (entry = readdir(from)))
		rc = copy_file(dirfd(from), to, entry->d_name, e);
	return rc;
}

static enum rc put_changes(const struct cpumap_trial *t, int to, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < t->changes && rc == RC_OK; i++) {
		int fd = create(to, t->change[i].file);

		if (fd < 0)
			return cannot(e, t->change[i].file);
		rc = write_all(
			fd, t->change[i].content.data, t->change[i].content.size, e);
		close(fd);
	}
	return rc;
}

/* The real folder stays open as `from`, below what covers it from here on. */
static enum rc cover(const struct cpumap_trial *t, DIR *from, struct err *e)
{
	enum rc rc;
	int to;

	if (unshare(CLONE_NEWNS) != 0)
		return cannot(e, "a mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return cannot(e, "private mounts");
	if (mount("cpuherd", CPUMAP_FOLDER, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    "mode=755,size=32m") != 0)
		return cannot(e, "a file system in memory over " CPUMAP_FOLDER);
	to = open(CPUMAP_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return cannot(e, CPUMAP_FOLDER);
	rc = copy_folder(from, to, e);
	if (rc == RC_OK)
		rc = put_changes(t, to, e);
	close(to);
	return rc;
}

static enum rc prepare(const struct cpumap_trial *t, struct err *e)
{
	char path[PATH_MAX];
	DIR *from;
	enum rc rc;

	if (t->as_it_is)
		return RC_OK;
	snprintf(path, sizeof(path), "%s" CPUMAP_FOLDER, t->root);
	from = opendir(path);
	if (!from)
		return cannot(e, path);
	rc = cover(t, from, e);
	closedir(from);
	return rc;
}

/* "cannot WORDS", "refused WORDS", or the list and "end". */
static void run_child(const struct cpumap_trial *t, int out)
{
	struct buf answer = buf_with_cap(ANSWER_BYTES);
	struct err e = { 0 };
	enum rc rc;

	forget_handlers();
	rc = prepare(t, &e);
	if (rc == RC_OK)
		rc = libvirt_map_list(&answer, t->name, &e);
	if (rc != RC_OK)
		buf_consume(&answer, buf_bytes(&answer).size);
	text_make_printable(e.text);
	if (rc != RC_OK)
		rc = buf_format(&answer, "%s %s\n",
			rc == RC_LIBVIRT ? "refused" : "cannot", e.text);
	else
		rc = buf_append_text(&answer, "end\n");
	if (rc == RC_OK)
		(void)write_all(
			out, buf_bytes(&answer).data, buf_bytes(&answer).size, &e);
	_exit(0);
}

/* ---- in the parent */

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static enum rc hear(int fd, struct buf *answer, struct err *e)
{
	long end = now_ms() + CPUMAP_LIMIT_MS;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		long left = end - now_ms();
		char piece[4096];
		ssize_t n;

		if (left <= 0)
			return err_set(e, RC_TIMEOUT, 0,
				"libvirt did not read a copy of its cpu_map within %d s",
				CPUMAP_LIMIT_MS / 1000);
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, piece, sizeof(piece));
		if (n == 0)
			return RC_OK;
		if (n > 0 && buf_append(answer, piece, (size_t)n) != RC_OK)
			return err_memory(e);
	}
}

static enum rc read_line(
	char *line, struct arena *arena, struct cpumap_answer *out, struct err *e)
{
	const struct {
		const char *begin;
		struct texts *list;
	} kinds[] = { { "model ", &out->models }, { "feature ", &out->features } };

	if (text_starts_with(line, "cannot "))
		return err_set(e, RC_TARGET, 0, "%s", line + strlen("cannot "));
	if (text_starts_with(line, "refused "))
		out->refusal = line + strlen("refused ");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (text_starts_with(line, kinds[i].begin))
			return texts_add(
				kinds[i].list, line + strlen(kinds[i].begin), arena, e);
	return RC_OK;
}

/* The last line says that it is whole. */
static enum rc read_answer(
	struct bytes said, struct arena *arena, struct cpumap_answer *out, struct err *e)
{
	char *text = arena_text_n(arena, said.data, said.size), *next;
	bool is_whole = false;
	enum rc rc = RC_OK;

	if (!text)
		return err_memory(e);
	for (char *line = text; rc == RC_OK && *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		*next++ = '\0';
		is_whole = strcmp(line, "end") == 0;
		rc = read_line(line, arena, out, e);
	}
	if (rc != RC_OK || is_whole || out->refusal)
		return rc;
	out->refusal = "libvirt ended while it read the map";
	return RC_OK;
}

static void reap(pid_t child)
{
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static enum rc start(
	const struct cpumap_trial *t, int *answer, pid_t *child, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return cannot(e, "a pipe");
	*child = fork();
	if (*child == 0)
		run_child(t, ends[1]);
	close(ends[1]);
	*answer = ends[0];
	if (*child > 0)
		return RC_OK;
	close(ends[0]);
	return cannot(e, "a process");
}

enum rc cpumap_try(const struct cpumap_trial *t, struct arena *arena,
	struct cpumap_answer *out, struct err *e)
{
	struct buf said = buf_with_cap(ANSWER_BYTES);
	pid_t child;
	int answer;
	enum rc rc = start(t, &answer, &child, e);

	*out = (struct cpumap_answer){ 0 };
	if (rc != RC_OK)
		return rc;
	rc = hear(answer, &said, e);
	reap(child);
	close(answer);
	if (rc == RC_OK)
		rc = read_answer(buf_bytes(&said), arena, out, e);
	buf_destroy(&said);
	return rc;
}
