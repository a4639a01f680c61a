/* Back to what was there before stage, or on to what is kept. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/place_sight.h"

enum rc place_fail(const struct placing *p, struct err *e, const char *what)
{
	return err_set(e, RC_PLACE, errno, "%s: %s: %s", p->path, what, strerror(errno));
}

/* ---- marks */

struct place_mark place_mark_of(const struct stat *s)
{
	return (struct place_mark){ s->st_ino, (uint64_t)s->st_size,
		(uint64_t)s->st_mtim.tv_sec, (uint64_t)s->st_mtim.tv_nsec };
}

static bool mark_same(const struct place_mark *a, const struct place_mark *b)
{
	return a->inode == b->inode && a->size == b->size && a->seconds == b->seconds &&
	       a->nanoseconds == b->nanoseconds;
}

static bool is_there(const struct placing *p, const char *file, struct stat *s)
{
	return p->folder >= 0 && fstatat(p->folder, file, s, AT_SYMLINK_NOFOLLOW) == 0;
}

struct place_sight place_sight(const struct placing *p)
{
	struct place_sight s = { 0 };
	struct place_mark now;
	struct stat info;

	s.has_path = is_there(p, p->file, &s.path);
	s.has_old = is_there(p, p->old_file, &s.old);
	s.has_new = is_there(p, p->new_file, &info);
	now = place_mark_of(&s.path);
	s.ours = s.has_path && p->installed.inode && mark_same(&now, &p->installed);
	return s;
}

/* ---- putting back: only system calls, no memory; 0 or an errno */

void place_release(struct placing *p)
{
	if (p->state != PLACE_FREE && p->folder >= 0)
		close(p->folder);
	folder_settle(&p->made);
	p->state = PLACE_FREE;
	p->folder = -1;
}

/* The old file has its second name, or had it. */
static int bring_back_old(
	const struct placing *p, const struct place_sight *s, bool *changed)
{
	bool linked = s->has_path && s->has_old && s->path.st_ino == s->old.st_ino;
	int problem;

	if (s->has_old && s->has_path && !linked && !s->ours)
		return ESTALE;
	if (!s->has_old && s->ours)
		return ENODATA;
	/* gone, with the new one: whoever removed both wants neither, or does not know */
	if (!s->has_old && !s->has_path && !s->has_new && p->state == PLACE_COMMITTED)
		return ENODATA;
	if (!s->has_old)
		return 0;
	*changed = true;
	/* rename() of two links to one file does nothing */
	problem = linked ? unlinkat(p->folder, p->old_file, 0)
			 : renameat(p->folder, p->old_file, p->folder, p->file);
	return problem == 0 ? 0 : errno;
}

static int remove_first(
	const struct placing *p, const struct place_sight *s, bool *changed)
{
	if (!s->ours && s->has_path && !s->has_new && p->state == PLACE_COMMITTED)
		return ESTALE;
	if (!s->ours)
		return 0;
	*changed = true;
	return unlinkat(p->folder, p->file, 0) == 0 ? 0 : errno;
}

static int put_back(struct placing *p, bool *changed)
{
	struct place_sight s = place_sight(p);
	int problem = p->had_old ? bring_back_old(p, &s, changed)
				 : remove_first(p, &s, changed);

	if (problem || p->folder < 0)
		return problem;
	if (*changed && fsync(p->folder) != 0)
		return errno;
	/* a second attempt finds the work done */
	p->state = PLACE_STAGED;
	/* a folder that cannot be written in refuses what is not there, too */
	if (!s.has_new)
		return 0;
	*changed = true;
	if (unlinkat(p->folder, p->new_file, 0) != 0 && errno != ENOENT)
		return errno;
	return fsync(p->folder) == 0 ? 0 : errno;
}

static const char *reason_of(int problem)
{
	if (problem == ESTALE)
		return "it was changed after commit";
	return problem == ENODATA ? "the old file is gone" : strerror(problem);
}

enum rc place_revert(struct placing *p, bool *changed, struct err *e)
{
	bool aside = p->had_old && place_sight(p).has_old;
	int problem = 0;

	*changed = false;
	if (p->state == PLACE_STAGED || p->state == PLACE_COMMITTED)
		problem = put_back(p, changed);
	if (problem)
		return err_set(e, RC_PARTIAL, problem, "%s could not be put back: %s%s%s",
			p->path, reason_of(problem),
			aside ? "; the old file is beside it as " : "",
			aside ? p->old_file : "");
	if (folder_unmake(&p->made))
		*changed = true;
	place_release(p);
	return RC_OK;
}

/* ---- after a crash */

/* The journal says that it may be written: is it? */
static enum place_state state_found(const struct placing *p)
{
	struct place_sight s = place_sight(p);

	return !s.ours && s.has_new ? PLACE_STAGED : PLACE_COMMITTED;
}

/* The journal ends before the new file was there, and yet the place holds it: lines
 * were lost. */
static bool is_written_unsaid(const struct placing *p)
{
	struct arena scratch = { 0 };
	struct place_content now = { .arena = &scratch };
	struct err e;
	bool same = p->folder >= 0 && !p->had_old && !p->installed.inode &&
		    folder_read(p->folder, p->file, p->path, &now, &e) == RC_OK &&
		    now.exists && digest_same(&now.digest, &p->staged);

	arena_destroy(&scratch);
	return same;
}

enum rc place_restore(struct placing *p, const struct place_world *world, struct err *e)
{
	struct folder_way way = { p->path, p->base, 0 };
	enum rc rc = folder_open_again(
		world->root, &way, p->makes, &p->made, &p->folder, e);

	if (rc == RC_OK && p->state == PLACE_COMMITTED)
		p->state = state_found(p);
	else if (rc == RC_OK && p->state == PLACE_STAGED && is_written_unsaid(p))
		p->state = PLACE_COMMITTED;
	return rc;
}

/* ---- the end */

/* Who keeps what somebody else wrote meanwhile would throw the old file away for a level
 * that is not there. */
enum rc place_check(const struct placing *p, struct err *e)
{
	if (p->state == PLACE_UNCHANGED || place_sight(p).ours)
		return RC_OK;
	return err_set(e, RC_CONFLICT, 0, "%s was changed after commit", p->path);
}

static int drop(const struct placing *p, const char *file)
{
	return unlinkat(p->folder, file, 0) == 0 || errno == ENOENT ? 0 : errno;
}

enum rc place_forget(struct placing *p, struct err *e)
{
	if (p->state == PLACE_COMMITTED && p->folder >= 0) {
		errno = drop(p, p->old_file);
		if (errno == 0)
			errno = drop(p, p->new_file);
		if (errno != 0 || fsync(p->folder) != 0)
			return place_fail(p, e, "remove the old file");
	}
	place_release(p);
	return RC_OK;
}
