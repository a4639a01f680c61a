#include "peer/place_sight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/limits.h"

static const char *file_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

enum rc place_look(const struct place_world *world, const struct folder_way *way,
	struct place_content *out, struct err *e)
{
	int folder;
	enum rc rc = folder_open(world->root, way, NULL, &folder, e);

	*out = (struct place_content){ .arena = out->arena };
	if (rc != RC_OK || folder < 0)
		return rc;
	rc = folder_read(folder, file_of(way->path), way->path, out, e);
	close(folder);
	return rc;
}

/* ---- plan, stage */

static enum rc check_request(const struct place_request *r, struct err *e)
{
	if (r->content.size > LIMIT_PLACE_BYTES)
		return err_set(e, RC_LIMIT, 0,
			"a file of %zu bytes, at most %d are written", r->content.size,
			LIMIT_PLACE_BYTES);
	if (r->expected.size != 0 && r->expected.size != DIGEST_BYTES)
		return err_set(
			e, RC_PROTOCOL, 0, "a digest of %zu bytes", r->expected.size);
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

/* A .cpuherd-old that no journal knows: a journal was lost, or a version of cpuherd
 * without one was killed. */
static enum rc check_no_old(const struct placing *p, struct err *e)
{
	if (!place_sight(p).has_old)
		return RC_OK;
	return err_set(e, RC_CONFLICT, 0,
		"an unfinished run left %s beside %s: keep the right one of both "
		"under the latter name and remove the other",
		p->old_file, p->path);
}

/* Looks at the place, and remembers by what the old file is known. */
static enum rc look_first(struct placing *p, struct err *e)
{
	struct arena scratch = { 0 };
	struct place_content now = { .arena = &scratch };
	enum rc rc = check_no_old(p, e);

	if (rc == RC_OK)
		rc = check_expected(p, &now, e);
	if (rc == RC_OK && now.exists)
		p->old = place_mark_of(&now.info);
	arena_destroy(&scratch);
	return rc;
}

void place_name(struct placing *p, const char *path)
{
	snprintf(p->path, sizeof(p->path), "%s", path);
	snprintf(p->file, sizeof(p->file), "%s", file_of(path));
	snprintf(p->new_file, sizeof(p->new_file), "%.200s.cpuherd-new", p->file);
	snprintf(p->old_file, sizeof(p->old_file), "%.200s.cpuherd-old", p->file);
}

static void fill_in(struct placing *p, const struct place_request *r)
{
	*p = (struct placing){ .folder = -1, .had_old = r->expected.size != 0 };
	place_name(p, r->way->path);
	p->base = r->way->base;
	p->staged = digest_of(r->content.data, r->content.size);
	if (p->had_old)
		memcpy(&p->expected, r->expected.data, DIGEST_BYTES);
	p->state = p->had_old && digest_same(&p->expected, &p->staged) ? PLACE_UNCHANGED
								       : PLACE_STAGED;
}

enum rc place_plan(struct placing *p, const struct place_world *world,
	const struct place_request *r, struct err *e)
{
	enum rc rc = check_request(r, e);

	if (rc != RC_OK)
		return rc;
	fill_in(p, r);
	rc = folder_count_missing(world->root, r->way, &p->makes, e);
	if (rc == RC_OK && p->makes == 0)
		rc = folder_open(world->root, r->way, NULL, &p->folder, e);
	if (rc == RC_OK && p->folder >= 0)
		rc = look_first(p, e);
	else if (rc == RC_OK && p->had_old)
		rc = err_set(e, RC_CONFLICT, 0, "%s has gone meanwhile", p->path);
	if (rc != RC_OK)
		place_release(p);
	return rc;
}

static enum rc write_new(struct placing *p, struct bytes content, struct err *e)
{
	struct stat info = { 0 };
	int like = -1;
	enum rc rc;

	if (p->had_old) {
		like = openat(p->folder, p->file,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (like < 0)
			return place_fail(p, e, "open");
	}
	rc = folder_write(p->folder, p->new_file, content, like, &info, e);
	p->installed = place_mark_of(&info);
	if (like >= 0)
		close(like);
	return rc;
}

static enum rc stage_in_folder(struct placing *p, struct bytes content, struct err *e)
{
	enum rc rc = look_first(p, e);

	if (rc != RC_OK || p->state == PLACE_UNCHANGED)
		return rc;
	/* asked first: a folder that cannot be written in refuses what is not there, too */
	if (place_sight(p).has_new && unlinkat(p->folder, p->new_file, 0) != 0)
		return place_fail(p, e, "remove the .cpuherd-new of an earlier run");
	rc = write_new(p, content, e);
	if (rc != RC_OK)
		return rc;
	errno = folder_sync(p->folder, &p->made);
	return errno == 0 ? RC_OK : place_fail(p, e, "fsync of its folder");
}

enum rc place_stage(struct placing *p, const struct place_world *world,
	const struct place_request *r, struct err *e)
{
	enum rc rc = RC_OK;

	if (p->folder < 0)
		rc = folder_open(world->root, r->way, &p->made, &p->folder, e);
	p->makes = p->made.count;
	return rc == RC_OK ? stage_in_folder(p, r->content, e) : rc;
}

/* ---- commit */

/* Gives the old file its second name.  A hard link: the place is never empty.
 * Where links cannot be made (vfat, some network file systems) it is moved. */
static int set_aside(const struct placing *p)
{
	struct place_sight s = place_sight(p);

	/* a peer that was killed got as far as this */
	if (s.has_old && s.has_path && s.path.st_ino == s.old.st_ino)
		return 0;
	if (linkat(p->folder, p->file, p->folder, p->old_file, 0) == 0)
		return fsync(p->folder) == 0 ? 0 : errno;
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

/* Puts the new file in the place of the old one, which has a second name by now.  Where
 * both can change places nothing is lost that came in between: what was at the path is
 * looked at before it goes.  0, an errno, or ESTALE: it was not the old file. */
static int install_new(const struct placing *p)
{
	enum { EXCHANGE = 2 }; /* RENAME_EXCHANGE */
	struct stat old, was;

	if (syscall(SYS_renameat2, p->folder, p->new_file, p->folder, p->file,
		    EXCHANGE) != 0)
		return renameat(p->folder, p->new_file, p->folder, p->file) == 0 ? 0
										 : errno;
	if (fstatat(p->folder, p->old_file, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
		fstatat(p->folder, p->new_file, &was, AT_SYMLINK_NOFOLLOW) == 0 &&
		was.st_ino == old.st_ino)
		return unlinkat(p->folder, p->new_file, 0) == 0 ? 0 : errno;
	(void)syscall(
		SYS_renameat2, p->folder, p->new_file, p->folder, p->file, EXCHANGE);
	(void)unlinkat(p->folder, p->old_file, 0);
	return ESTALE;
}

static enum rc install_over_old(struct placing *p, struct err *e)
{
	struct arena scratch = { 0 };
	struct place_content aside = { .arena = &scratch };
	int problem = set_aside(p);
	enum rc rc;

	if (problem) {
		errno = problem;
		return place_fail(p, e, "keep the old file");
	}
	/* what was set aside is what the coordinator saw, not what came since */
	rc = folder_read(p->folder, p->old_file, p->path, &aside, e);
	if (rc == RC_OK && !digest_same(&aside.digest, &p->expected))
		rc = err_set(e, RC_CONFLICT, 0, "%s has changed meanwhile", p->path);
	arena_destroy(&scratch);
	if (rc != RC_OK) {
		take_back(p);
		return rc;
	}
	problem = install_new(p);
	if (problem == ESTALE)
		return err_set(e, RC_CONFLICT, 0, "%s has changed meanwhile", p->path);
	if (problem) {
		errno = problem;
		rc = place_fail(p, e, "rename");
		take_back(p);
	}
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
	return problem ? place_fail(p, e, "rename") : RC_OK;
}

static enum rc check_again(const struct placing *p, struct err *e)
{
	struct arena scratch = { 0 };
	struct place_content now = { .arena = &scratch };
	enum rc rc = check_expected(p, &now, e);

	arena_destroy(&scratch);
	return rc;
}

enum rc place_commit(struct placing *p, struct err *e)
{
	enum rc rc;

	if (p->state == PLACE_COMMITTED)
		return RC_OK;
	if (p->folder < 0)
		return err_set(e, RC_CONFLICT, 0, "the folder of %s has gone", p->path);
	rc = check_again(p, e);
	if (rc != RC_OK || p->state == PLACE_UNCHANGED)
		return rc;
	rc = install(p, e);
	if (rc != RC_OK)
		return rc;
	p->state = PLACE_COMMITTED;
	errno = folder_sync(p->folder, &p->made);
	return errno == 0 ? RC_OK : place_fail(p, e, "fsync of its folder");
}
