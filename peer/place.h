/* place.h - stage, commit, revert and forget of one file, on the node.
 *
 * The node's half of two-phase writing, for the closed list of proto/place.h.
 * Only this module turns a place and a name into a path.
 *
 *	plan	looks, and notes all that putting back will need; writes nothing
 *	stage	the content stands beside the place as PATH.cpuherd-new; nothing
 *		that others read has changed, but for folders that had to be made
 *	commit	PATH is the new file; the old one is kept, with its inode, as
 *		PATH.cpuherd-old (so that owner, mode, times, label come back)
 *	revert	as it was before stage, whatever happened in between
 *	forget	PATH.cpuherd-old is gone; there is no way back
 *
 * Each step may be repeated.  What revert does follows from what is there: it gives
 * the same after a crash between any two system calls, once the journal (journal.h)
 * has brought the struct back and place_restore() has opened its folder.
 *
 * From the base folder (/etc, /usr/share/libvirt, ~/.config) on no symbolic link is
 * followed.  One peer at a time is at work: hold.h sees to that.
 */
#ifndef PEER_PLACE_H
#define PEER_PLACE_H

#include "peer/folder.h"
#include "proto/place.h"

enum { PLACE_RUN_MAX = 128 };

/* Where the node's files are; fixed for the life of the process. */
struct place_world {
	const char *root;   /* "" in life; tests have a folder of their own */
	const char *config; /* what ~config means, an absolute path; NULL: unknown */
	const char *state;  /* the folder of hold.h; NULL: unknown */
	bool session;	    /* paths for a session daemon */
	const char *logs;   /* libvirt's folder of QEMU's log files; NULL: unknown */
};

/* For a libvirt URI: $XDG_CONFIG_HOME, else ~/.config; /var/lib/cpuherd for root with
 * the system daemon, else cpuherd in $XDG_STATE_HOME or ~/.local/state: a session is as
 * much a user's own as its places are; its logs are in $XDG_CACHE_HOME or ~/.cache.  The
 * texts live in the arena.  RC_MEMORY. */
enum rc place_world_of_uri(
	struct place_world *out, const char *uri, struct arena *arena, struct err *e);

/* The way that a place and a name mean here.  RC_PLACE: no such place, not a name (of a
 * domain: not a UUID), no home, or a domain, which is no file; RC_TARGET: not to be had
 * with a session daemon; RC_MEMORY. */
enum rc place_way(const struct place_world *world, uint32_t place, const char *name,
	struct arena *arena, struct folder_way *out, struct err *e);

/* What is there now; the caller sets out->arena.  RC_PLACE: not a regular file, a
 * symbolic link on the way, not readable; RC_LIMIT: larger than LIMIT_PLACE_BYTES;
 * RC_TARGET: a folder that the place needs is missing; RC_MEMORY. */
enum rc place_look(const struct place_world *world, const struct folder_way *way,
	struct place_content *out, struct err *e);

enum place_state {
	PLACE_FREE,	 /* nothing planned, or all over */
	PLACE_UNCHANGED, /* the content is there already */
	PLACE_STAGED,	 /* planned; .cpuherd-new may be there */
	PLACE_COMMITTED, /* PATH is new; .cpuherd-old is there if had_old */
};

/* By which a file is known again.  No device number: it may differ after a reboot. */
struct place_mark {
	uint64_t inode, size, seconds, nanoseconds;
};

/* All of it is plain data, so that place_revert() needs no memory and can be
 * called from a signal handler.  {0} is free. */
struct placing {
	enum place_state state;
	char path[PATH_MAX];
	size_t base; /* of folder_way */
	char file[NAME_MAX + 1], new_file[NAME_MAX + 1], old_file[NAME_MAX + 1];
	int folder; /* open; -1: it is not there */
	bool had_old;
	struct digest expected, staged;
	struct place_mark old, installed; /* installed: all 0 until it is staged */
	size_t makes;			  /* folders that stage had to make */
	struct folder_made made;
};

struct place_request {
	const struct folder_way *way;
	struct bytes content;
	struct bytes expected; /* digest of what is there; empty: nothing */
};

/* RC_CONFLICT: something else is there than expected, or the .cpuherd-old of an
 * unfinished run; RC_PLACE; RC_TARGET; RC_LIMIT; RC_MEMORY. */
enum rc place_plan(struct placing *p, const struct place_world *world,
	const struct place_request *request, struct err *e);

/* As place_plan(); RC_PLACE: no space, no permission.  After a failure place_revert()
 * removes what was made. */
enum rc place_stage(struct placing *p, const struct place_world *world,
	const struct place_request *request, struct err *e);

/* Looks again before it writes: RC_CONFLICT as above.  After a failure revert puts it
 * right. */
enum rc place_commit(struct placing *p, struct err *e);

/* After a crash: state, path, base, file names by place_name(), had_old, digests, marks
 * and makes are set; opens the folder.  The state becomes what is found. */
void place_name(struct placing *p, const char *path);
enum rc place_restore(struct placing *p, const struct place_world *world, struct err *e);

/* Only system calls, but for the words of a failure.  *changed: something was put back or
 * removed.  RC_PARTIAL when that could not be done: the text says what is left; it can be
 * tried again. */
enum rc place_revert(struct placing *p, bool *changed, struct err *e);

/* Is what commit put there still there, untouched?  RC_CONFLICT. */
enum rc place_check(const struct placing *p, struct err *e);

/* RC_PLACE when the old file could not be removed. */
enum rc place_forget(struct placing *p, struct err *e);

/* Closes what is open and leaves the files as they are.  Safe to call twice. */
void place_release(struct placing *p);

#endif
