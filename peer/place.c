#include "peer/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "proto/limits.h"

/* ---- from a place to a path */

enum rc place_world_of_uri(
	struct place_world *out, const char *uri, struct arena *arena, struct err *e)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	*out = (struct place_world){ .root = "",
		.session = text_ends_with(uri, "/session") };
	/* XDG Base Directory Specification: relative paths are to be ignored */
	if (config && config[0] == '/')
		out->config = arena_text(arena, config);
	else if (home && home[0] == '/')
		out->config = arena_format(arena, "%s/.config", home);
	else
		return RC_OK;
	return out->config ? RC_OK : err_memory(e);
}

enum rc place_path(const struct place_world *world, uint32_t place, const char *name,
	struct arena *arena, char **path, struct err *e)
{
	const struct place_row *row = place_of(place);
	const char *pattern, *hole, *base = "";

	if (!row)
		return err_set(e, RC_PLACE, 0, "there is no place number %u", place);
	if (!text_is_name(name))
		return err_set(e, RC_PLACE, 0, "\"%.64s\" is no name for a file", name);
	pattern = world->session ? row->session_path : row->system_path;
	if (text_starts_with(pattern, "~config")) {
		if (!world->config)
			return err_set(e, RC_PLACE, 0,
				"neither XDG_CONFIG_HOME nor HOME is set");
		base = world->config;
		pattern += strlen("~config");
	}
	if (!*pattern || row->number == PLACE_domain ||
		row->number == PLACE_cpu_map_index)
		return err_set(e, RC_PLACE, 0, "%s cannot be written here", row->name);
	hole = strstr(pattern, "%s");
	*path = arena_format(arena, "%s%.*s%s%s", base, (int)(hole - pattern), pattern,
		name, hole + strlen("%s"));
	if (!*path)
		return err_memory(e);
	if (strlen(*path) >= PATH_MAX)
		return err_set(e, RC_PLACE, 0, "the path of %s is too long", name);
	return RC_OK;
}

static const char *file_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

enum rc place_look(const struct place_world *world, const char *path,
	struct place_content *out, struct err *e)
{
	int folder;
	enum rc rc = folder_open(world, path, NULL, &folder, e);

	*out = (struct place_content){ .arena = out->arena };
	if (rc != RC_OK || folder < 0)
		return rc;
	rc = folder_read(folder, file_of(path), path, out, e);
	close(folder);
	return rc;
}

/* ---- putting back: only system calls, no memory; 0 or an errno */

static void release(struct placing *p)
{
	if (p->folder >= 0)
		close(p->folder); /* and the lock */
	folder_settle(&p->made);
	*p = (struct placing){ .folder = -1 };
}

/* Is the file at the path still the one that commit put there, untouched? */
static int check_installed(const struct placing *p)
{
	const struct stat *ours = &p->installed;
	struct stat now;

	if (fstatat(p->folder, p->file, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : errno;
	if (now.st_ino != ours->st_ino || now.st_dev != ours->st_dev ||
		now.st_size != ours->st_size ||
		now.st_mtim.tv_sec != ours->st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != ours->st_mtim.tv_nsec)
		return ESTALE;
	return 0;
}

static int put_back(struct placing *p)
{
	int problem = check_installed(p);

	if (problem)
		return problem;
	if (p->had_old && renameat(p->folder, p->old_file, p->folder, p->file) != 0)
		return errno;
	if (!p->had_old && unlinkat(p->folder, p->file, 0) != 0 && errno != ENOENT)
		return errno;
	/* a second attempt after a failing fsync finds the work done */
	p->state = PLACE_STAGED;
	return fsync(p->folder) == 0 ? 0 : errno;
}

static int undo(struct placing *p, bool *changed)
{
	int problem = 0;

	*changed = false;
	if (p->state == PLACE_COMMITTED) {
		problem = put_back(p);
		if (problem)
			return problem;
		*changed = true;
	}
	if (p->state == PLACE_STAGED) {
		if (unlinkat(p->folder, p->new_file, 0) == 0)
			*changed = true;
		else if (errno != ENOENT)
			return errno;
	}
	if (folder_unmake(&p->made))
		*changed = true;
	release(p);
	return 0;
}

static bool carries(const struct placing *p, const char *run)
{
	return p->state != PLACE_FREE && strcmp(p->run, run) == 0;
}

enum rc place_close(struct placing *p, bool *changed, struct err *e)
{
	int problem;

	*changed = false;
	if (p->state == PLACE_FREE)
		return RC_OK;
	problem = undo(p, changed);
	if (problem == 0)
		return RC_OK;
	return err_set(e, RC_PARTIAL, problem, "%s could not be put back: %s%s%s",
		p->path,
		problem == ESTALE ? "it was changed after commit" : strerror(problem),
		p->had_old ? "; the old file is beside it as " : "",
		p->had_old ? p->old_file : "");
}

enum rc place_revert(struct placing *p, const char *run, bool *changed, struct err *e)
{
	*changed = false;
	return carries(p, run) ? place_close(p, changed, e) : RC_OK;
}

/* ---- stage */

static enum rc fail(const struct placing *p, struct err *e, const char *what)
{
	return err_set(e, RC_PLACE, errno, "%s: %s: %s", p->path, what, strerror(errno));
}

static enum rc check_request(const struct place_request *r, struct err *e)
{
	if (!text_is_name(r->run) || strlen(r->run) > PLACE_RUN_MAX)
		return err_set(e, RC_PLACE, 0, "\"%.64s\" is no name for a run", r->run);
	if (r->content.size > LIMIT_PLACE_BYTES)
		return err_set(e, RC_LIMIT, 0,
			"a file of %zu bytes, at most %d are written", r->content.size,
			LIMIT_PLACE_BYTES);
	if (r->expected.size != 0 && r->expected.size != DIGEST_BYTES)
		return err_set(
			e, RC_PROTOCOL, 0, "a digest of %zu bytes", r->expected.size);
	return RC_OK;
}

static enum rc lock(struct placing *p, struct err *e)
{
	struct stat info;

	if (flock(p->folder, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return fail(p, e, "lock");
		return err_set(e, RC_CONFLICT, 0,
			"another cpuherd-peer is at work in the folder of %s", p->path);
	}
	/* the other one may have removed the folder that it had made */
	if (fstat(p->folder, &info) != 0 || info.st_nlink == 0)
		return err_set(
			e, RC_CONFLICT, 0, "the folder of %s was just removed", p->path);
	return RC_OK;
}

static enum rc clear_leftovers(struct placing *p, struct err *e)
{
	struct stat info;

	if (fstatat(p->folder, p->old_file, &info, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, RC_CONFLICT, 0,
			"an unfinished run left %s beside %s: keep the right one of both "
			"under the latter name and remove the other",
			p->old_file, p->path);
	if (unlinkat(p->folder, p->new_file, 0) != 0 && errno != ENOENT)
		return fail(p, e, "remove the .cpuherd-new of an earlier run");
	return RC_OK;
}

/* Is there what the coordinator saw?  Fills *now. */
static enum rc check_expected(
	const struct placing *p, struct place_content *now, struct err *e)
{
	enum rc rc = folder_read(p->folder, p->file, p->path, now, e);
	bool same = now->exists && digest_same(&now->digest, &p->expected);

	if (rc != RC_OK)
		return rc;
	if (now->exists != p->had_old)
		return err_set(e, RC_CONFLICT, 0, "%s %s meanwhile", p->path,
			now->exists ? "has appeared" : "has gone");
	if (p->had_old && !same)
		return err_set(e, RC_CONFLICT, 0, "%s has changed meanwhile", p->path);
	return RC_OK;
}

static enum rc write_new(struct placing *p, struct bytes content, struct err *e)
{
	int like = -1;
	enum rc rc;

	if (p->had_old) {
		like = openat(p->folder, p->file,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (like < 0)
			return fail(p, e, "open");
	}
	p->state = PLACE_STAGED;
	rc = folder_write(p->folder, p->new_file, content, like, &p->installed, e);
	if (like >= 0)
		close(like);
	return rc;
}

static enum rc stage_in_folder(struct placing *p, struct bytes content, struct err *e)
{
	struct arena scratch = { 0 };
	struct place_content now = { .arena = &scratch };
	enum rc rc = lock(p, e);

	if (rc == RC_OK)
		rc = clear_leftovers(p, e);
	if (rc == RC_OK)
		rc = check_expected(p, &now, e);
	if (rc == RC_OK && now.exists && digest_same(&now.digest, &p->staged))
		p->state = PLACE_UNCHANGED;
	else if (rc == RC_OK)
		rc = write_new(p, content, e);
	arena_destroy(&scratch);
	return rc;
}

static void fill_in(struct placing *p, const struct place_request *r)
{
	*p = (struct placing){ .folder = -1, .had_old = r->expected.size != 0 };
	snprintf(p->run, sizeof(p->run), "%s", r->run);
	snprintf(p->path, sizeof(p->path), "%s", r->path);
	snprintf(p->file, sizeof(p->file), "%s", file_of(r->path));
	snprintf(p->new_file, sizeof(p->new_file), "%.200s.cpuherd-new", p->file);
	snprintf(p->old_file, sizeof(p->old_file), "%.200s.cpuherd-old", p->file);
	p->staged = digest_of(r->content.data, r->content.size);
	if (p->had_old)
		memcpy(&p->expected, r->expected.data, DIGEST_BYTES);
}

/* The same request once more? */
static enum rc stage_again(
	const struct placing *p, const struct place_request *r, struct err *e)
{
	struct digest content = digest_of(r->content.data, r->content.size);

	if (carries(p, r->run) && strcmp(p->path, r->path) == 0 &&
		digest_same(&content, &p->staged))
		return RC_OK;
	return err_set(
		e, RC_CONFLICT, 0, "run %s is still under way for %s", p->run, p->path);
}

enum rc place_stage(struct placing *p, const struct place_world *world,
	const struct place_request *request, struct err *e)
{
	enum rc rc = check_request(request, e);
	bool changed;

	if (rc != RC_OK)
		return rc;
	if (p->state != PLACE_FREE)
		return stage_again(p, request, e);
	fill_in(p, request);
	rc = folder_open(world, p->path, &p->made, &p->folder, e);
	if (rc == RC_OK)
		rc = stage_in_folder(p, request->content, e);
	if (rc != RC_OK)
		(void)undo(p, &changed);
	return rc;
}

/* ---- commit */

static enum rc not_staged(const char *run, struct err *e)
{
	return err_set(e, RC_PLACE, 0, "nothing is staged for run \"%.64s\"", run);
}

/* Gives the old file its second name.  A hard link: the place is never empty.
 * Where links cannot be made (vfat, some network file systems) it is moved. */
static int set_aside(const struct placing *p)
{
	if (linkat(p->folder, p->file, p->folder, p->old_file, 0) == 0)
		return 0;
	if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK)
		return errno;
	return renameat(p->folder, p->file, p->folder, p->old_file) == 0 ? 0 : errno;
}

/* Undoes set_aside(): rename() of two links to one file does nothing, hence both. */
static void take_back(const struct placing *p)
{
	(void)renameat(p->folder, p->old_file, p->folder, p->file);
	(void)unlinkat(p->folder, p->old_file, 0);
}

/* Moves the new file to a name that must be free; 0 or an errno. */
static int install_first(const struct placing *p)
{
	enum { NO_REPLACE = 1 }; /* RENAME_NOREPLACE; glibc has renameat2 from 2.28 */
	struct stat info;

	if (syscall(SYS_renameat2, p->folder, p->new_file, p->folder, p->file,
		    NO_REPLACE) == 0)
		return 0;
	if (errno != ENOSYS && errno != EINVAL)
		return errno;
	if (fstatat(p->folder, p->file, &info, AT_SYMLINK_NOFOLLOW) == 0)
		return EEXIST;
	return renameat(p->folder, p->new_file, p->folder, p->file) == 0 ? 0 : errno;
}

static enum rc install_over_old(struct placing *p, struct err *e)
{
	struct arena scratch = { 0 };
	struct place_content aside = { .arena = &scratch };
	int problem = set_aside(p);
	enum rc rc;

	if (problem) {
		errno = problem;
		return fail(p, e, "keep the old file");
	}
	/* what was set aside is what the coordinator saw, not what came since */
	rc = folder_read(p->folder, p->old_file, p->path, &aside, e);
	if (rc == RC_OK && !digest_same(&aside.digest, &p->expected))
		rc = err_set(e, RC_CONFLICT, 0, "%s has changed meanwhile", p->path);
	arena_destroy(&scratch);
	if (rc == RC_OK && renameat(p->folder, p->new_file, p->folder, p->file) != 0)
		rc = fail(p, e, "rename");
	if (rc != RC_OK)
		take_back(p);
	return rc;
}

static enum rc install(struct placing *p, struct err *e)
{
	int problem;

	if (p->had_old)
		return install_over_old(p, e);
	problem = install_first(p);
	if (problem == EEXIST)
		return err_set(e, RC_CONFLICT, 0, "%s has appeared meanwhile", p->path);
	errno = problem;
	return problem ? fail(p, e, "rename") : RC_OK;
}

static enum rc check_again(const struct placing *p, struct err *e)
{
	struct arena scratch = { 0 };
	struct place_content now = { .arena = &scratch };
	enum rc rc = check_expected(p, &now, e);

	arena_destroy(&scratch);
	return rc;
}

enum rc place_commit(struct placing *p, const char *run, bool *changed, struct err *e)
{
	enum rc rc;

	*changed = false;
	if (!carries(p, run))
		return not_staged(run, e);
	*changed = p->state != PLACE_UNCHANGED;
	if (p->state == PLACE_COMMITTED)
		return RC_OK;
	rc = check_again(p, e);
	if (rc != RC_OK || p->state == PLACE_UNCHANGED)
		return rc;
	rc = install(p, e);
	if (rc != RC_OK)
		return rc;
	p->state = PLACE_COMMITTED;
	errno = folder_sync(p->folder, &p->made);
	return errno == 0 ? RC_OK : fail(p, e, "fsync of its folder");
}

/* ---- verify, keep */

enum rc place_read_back(const struct placing *p, const struct place_world *world,
	const char *run, struct place_content *out, struct err *e)
{
	if (!carries(p, run))
		return not_staged(run, e);
	if (p->state == PLACE_STAGED)
		return err_set(e, RC_PLACE, 0, "%s is staged, not committed", p->path);
	return place_look(world, p->path, out, e);
}

/* Who keeps what somebody else wrote meanwhile would throw the old file away for a level
 * that is not there. */
static enum rc check_ours(const struct placing *p, struct err *e)
{
	struct stat now;

	if (fstatat(p->folder, p->file, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
		check_installed(p) == 0)
		return RC_OK;
	return err_set(e, RC_CONFLICT, 0, "%s was changed after commit", p->path);
}

enum rc place_keep(struct placing *p, const char *run, bool *changed, struct err *e)
{
	*changed = false;
	if (!carries(p, run))
		return RC_OK;
	if (p->state == PLACE_STAGED)
		return err_set(e, RC_PLACE, 0, "%s is staged, not committed", p->path);
	if (p->state == PLACE_COMMITTED && check_ours(p, e) != RC_OK)
		return e->code;
	*changed = p->state == PLACE_COMMITTED;
	if (p->state == PLACE_COMMITTED && p->had_old &&
		unlinkat(p->folder, p->old_file, 0) != 0 && errno != ENOENT)
		return fail(p, e, "remove the old file");
	if (p->state == PLACE_COMMITTED && fsync(p->folder) != 0)
		return fail(p, e, "fsync of its folder");
	release(p);
	return RC_OK;
}
