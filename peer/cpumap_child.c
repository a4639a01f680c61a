#include "peer/cpumap_child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "peer/child.h"
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

static enum rc write_all(int fd, struct bytes content, struct err *e)
{
	errno = file_write_all(fd, content);
	return errno ? cannot(e, "writing the copy") : RC_OK;
}

static enum rc copy_bytes(int from, int to, struct err *e)
{
	char piece[COPY_BYTES];
	enum rc rc = RC_OK;
	ssize_t n = 0;

	while (rc == RC_OK && (n = read(from, piece, sizeof(piece))) > 0)
		rc = write_all(
			to, (struct bytes){ (const uint8_t *)piece, (size_t)n }, e);
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
		rc = write_all(fd, t->change[i].content, e);
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
static void try_map(const void *context, struct buf *out)
{
	const struct cpumap_trial *t = context;
	struct err e = { 0 };
	enum rc rc = prepare(t, &e);

	if (rc == RC_OK)
		rc = libvirt_map_list(out, t->name, &e);
	if (rc == RC_OK) {
		(void)buf_append_text(out, "end\n");
		return;
	}
	buf_consume(out, buf_bytes(out).size);
	text_make_printable(e.text);
	(void)buf_format(out, "%s %s\n", rc == RC_LIBVIRT ? "refused" : "cannot", e.text);
}

/* ---- in the parent */

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

enum rc cpumap_try(const struct cpumap_trial *t, struct arena *arena,
	struct cpumap_answer *out, struct err *e)
{
	const struct child_wait wait = { CPUMAP_LIMIT_MS, -1, NULL };
	struct child child;
	enum rc rc = child_start(&child, try_map, t, ANSWER_BYTES, e);

	*out = (struct cpumap_answer){ 0 };
	if (rc != RC_OK)
		return cannot(e, "a process");
	rc = child_hear(&child, &wait, e);
	if (rc == RC_TIMEOUT)
		err_set(e, RC_TIMEOUT, 0,
			"libvirt did not read a copy of its cpu_map within %d s",
			CPUMAP_LIMIT_MS / 1000);
	if (rc == RC_OK)
		rc = read_answer(buf_bytes(&child.said), arena, out, e);
	child_end(&child);
	return rc;
}
