#include "peer/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "proto/limits.h"

static enum rc fail(const char *what, struct err *e)
{
	return err_set(e, RC_PLACE, errno, "cpuherd's own folder on the node: %s: %s",
		what, strerror(errno));
}

/* ---- folders */

/* Is it ours alone? */
static enum rc check_owner(int fd, const char *name, struct err *e)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return fail(name, e);
	if (info.st_uid != geteuid())
		return err_set(e, RC_PLACE, 0,
			"cpuherd's own folder on the node, %s, belongs to user %u", name,
			(unsigned)info.st_uid);
	if ((info.st_mode & 0077) != 0 && fchmod(fd, 0700) != 0)
		return fail(name, e);
	return RC_OK;
}

enum rc store_folder(int parent, const char *name, bool make, int *fd, struct err *e)
{
	bool made = make && mkdirat(parent, name, 0700) == 0;
	enum rc rc;

	if (make && !made && errno != EEXIST)
		return *fd = -1, fail(name, e);
	*fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 && errno == ENOENT && !make)
		return RC_OK;
	if (*fd < 0 || (made && fsync(parent) != 0))
		return fail(name, e);
	rc = check_owner(*fd, name, e);
	if (rc != RC_OK) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

/* The folder that STATE is in. */
static enum rc open_parent(
	const struct place_world *world, bool make, int *parent, struct err *e)
{
	struct folder_way way = { .path = world->state };
	struct folder_made made = { .count = 0 };
	enum rc rc;

	/* all of it is the administrator's, or the user's */
	way.base = strlen(world->state);
	rc = folder_open(world->root, &way, make ? &made : NULL, parent, e);
	if (rc == RC_OK && *parent >= 0 && made.count)
		errno = folder_sync(*parent, &made);
	folder_settle(&made);
	return rc;
}

enum rc store_open(
	struct store *s, const struct place_world *world, bool make, struct err *e)
{
	int parent;
	enum rc rc;

	*s = (struct store){ -1, -1 };
	if (!world->state)
		return err_set(e, RC_PLACE, 0, "neither XDG_STATE_HOME nor HOME is set");
	rc = open_parent(world, make, &parent, e);
	if (rc != RC_OK || parent < 0)
		return rc;
	rc = store_folder(parent, strrchr(world->state, '/') + 1, make, &s->state, e);
	close(parent);
	if (rc == RC_OK && s->state >= 0)
		rc = store_folder(s->state, "runs", make, &s->runs, e);
	if (rc != RC_OK)
		store_close(s);
	return rc;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void store_close(struct store *s)
{
	close_one(&s->state);
	close_one(&s->runs);
}

/* ---- files */

enum rc store_read(int folder, const char *file, struct arena *arena, struct bytes *out,
	struct err *e)
{
	struct place_content now = { .arena = arena };
	enum rc rc = folder_read_up_to(folder, file, file, LIMIT_JOURNAL_BYTES, &now, e);

	*out = now.content;
	return rc;
}

static int write_new(int folder, const char *file, struct bytes content)
{
	int fd = openat(folder, file,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int problem;

	if (fd < 0)
		return errno;
	problem = file_write_all(fd, content);
	if (!problem && fsync(fd) != 0)
		problem = errno;
	close(fd);
	return problem;
}

enum rc store_replace(int folder, const char *file, struct bytes content, struct err *e)
{
	char new[NAME_MAX + 1];

	snprintf(new, sizeof(new), "%s.new", file);
	errno = write_new(folder, new, content);
	if (errno != 0 || renameat(folder, new, folder, file) != 0 || fsync(folder) != 0)
		return fail(file, e);
	return RC_OK;
}

/* ---- what is in a folder: readdir() would take memory */

struct entry {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

typedef int entry_fn(int folder, const char *name, void *context);

/* Calls it for every name but "." and ".." until it gives an errno. */
static int for_each(int folder, entry_fn *call, void *context)
{
	union {
		char bytes[4096];
		uint64_t aligned;
	} room;
	long got, at;
	int problem = lseek(folder, 0, SEEK_SET) < 0 ? errno : 0;

	while (!problem) {
		got = syscall(SYS_getdents64, folder, room.bytes, sizeof(room.bytes));
		if (got <= 0)
			return got < 0 ? errno : 0;
		for (at = 0; at < got && !problem;) {
			const struct entry *entry = (const void *)(room.bytes + at);

			at += entry->size;
			if (strcmp(entry->name, ".") != 0 &&
				strcmp(entry->name, "..") != 0)
				problem = call(folder, entry->name, context);
		}
	}
	return problem;
}

static int remove_entry(int folder, const char *name, void *context)
{
	(void)context;
	return unlinkat(folder, name, 0) == 0 || errno == ENOENT ? 0 : errno;
}

int store_remove(int runs, const char *run, const char *first)
{
	int problem = 0;
	int folder = openat(runs, run, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder < 0)
		return errno == ENOENT ? 0 : errno;
	if (unlinkat(folder, first, 0) != 0 && errno != ENOENT)
		problem = errno;
	/* without it the rest is litter, also after the power is lost */
	if (!problem && fsync(folder) != 0)
		problem = errno;
	if (!problem)
		problem = for_each(folder, remove_entry, NULL);
	close(folder);
	if (!problem && unlinkat(runs, run, AT_REMOVEDIR) != 0 && errno != ENOENT)
		problem = errno;
	if (!problem && fsync(runs) != 0)
		problem = errno;
	return problem;
}

struct listing {
	struct arena *arena;
	struct texts *out;
};

static int list_entry(int folder, const char *name, void *context)
{
	struct listing *l = context;
	const char **grown;

	(void)folder;
	if (name[0] == '.')
		return 0;
	grown = arena_grow(l->arena, l->out->item, l->out->count, sizeof(*grown));
	if (!grown)
		return ENOMEM;
	l->out->item = grown;
	grown[l->out->count] = arena_text(l->arena, name);
	return grown[l->out->count++] ? 0 : ENOMEM;
}

enum rc store_list(int folder, struct arena *arena, struct texts *out, struct err *e)
{
	struct listing listing = { arena, out };

	*out = (struct texts){ 0 };
	errno = for_each(folder, list_entry, &listing);
	if (errno == ENOMEM)
		return err_memory(e);
	return errno == 0 ? RC_OK : fail("runs", e);
}
