/* place.h - stage, commit, verify, revert and keep, on the node.
 *
 * The node's half of two-phase writing, for the closed list of proto/place.h.
 * Only this module turns a place and a name into a path.
 *
 *	stage	the content stands beside the place as PATH.cpuherd-new; nothing
 *		that others read has changed, but for folders that had to be made
 *	commit	PATH is the new file; the old one is kept, with its inode, as
 *		PATH.cpuherd-old (so that owner, mode, times, label come back)
 *	revert	as it was before stage, whatever happened in between
 *	keep	PATH.cpuherd-old is gone; there is no way back
 *
 * One place context carries one run at a time.  Each step may be repeated with
 * the same run: the second time changes nothing and answers the same.  A run
 * that is not kept must be reverted before the context is closed;
 * place_close() does that, so a coordinator that vanishes leaves the node as it
 * was.  (SIGKILL and power loss leave PATH.cpuherd-old: the next stage refuses
 * and says so.)
 *
 * From the base folder (/etc, ~/.config) on no symbolic link is followed.  A
 * lock on the folder keeps a second peer out; it dies with its holder.
 */
#ifndef PEER_PLACE_H
#define PEER_PLACE_H

#include "peer/folder.h"
#include "proto/place.h"

enum { PLACE_RUN_MAX = 128 };

/* $XDG_CONFIG_HOME, else ~/.config, for a libvirt URI.  The texts live in the
 * arena.  RC_MEMORY. */
enum rc place_world_of_uri(
	struct place_world *out, const char *uri, struct arena *arena, struct err *e);

/* The path that a place and a name mean here, without the root.
 * RC_PLACE: no such place, not a name, no home; RC_MEMORY. */
enum rc place_path(const struct place_world *world, uint32_t place, const char *name,
	struct arena *arena, char **path, struct err *e);

/* What is there now; the caller sets out->arena.  RC_PLACE: not a regular file, a
 * symbolic link on the way, not readable; RC_LIMIT: larger than LIMIT_PLACE_BYTES;
 * RC_MEMORY. */
enum rc place_look(const struct place_world *world, const char *path,
	struct place_content *out, struct err *e);

enum place_state {
	PLACE_FREE,	 /* nothing staged */
	PLACE_UNCHANGED, /* staged; the content is there already */
	PLACE_STAGED,	 /* .cpuherd-new may be there */
	PLACE_COMMITTED, /* PATH is new; .cpuherd-old is there if had_old */
};

/* All of it is plain data, so that place_revert() needs no memory and can be
 * called from a signal handler.  {0} is free. */
struct placing {
	enum place_state state;
	char run[PLACE_RUN_MAX + 1];
	char path[PATH_MAX]; /* for messages */
	char file[NAME_MAX + 1], new_file[NAME_MAX + 1], old_file[NAME_MAX + 1];
	int folder; /* open and locked; valid unless free */
	bool had_old;
	struct digest expected, staged;
	struct stat installed; /* of the new file, once it has the path */
	struct folder_made made;
};

struct place_request {
	const char *run;
	const char *path; /* of place_path() */
	struct bytes content;
	struct bytes expected; /* digest of what is there; empty: nothing */
};

/* RC_CONFLICT: something else is there than expected, another peer holds the
 * lock, an unfinished run left its .cpuherd-old, another run is under way;
 * RC_PLACE: no space, no permission, not a plain file; RC_LIMIT; RC_MEMORY.
 * After a failure nothing is staged and no trace is left. */
enum rc place_stage(struct placing *p, const struct place_world *world,
	const struct place_request *request, struct err *e);

/* Looks again before it writes: RC_CONFLICT as above.  After a failure the run
 * is still staged and the file the old one (or, when only the way to the disk
 * failed, committed); revert puts both right.  *changed: false when the content
 * was there already. */
enum rc place_commit(struct placing *p, const char *run, bool *changed, struct err *e);

/* RC_PLACE when the run is neither committed nor found everything in place. */
enum rc place_read_back(const struct placing *p, const struct place_world *world,
	const char *run, struct place_content *out, struct err *e);

/* Harmless for a run that is not known here.  *changed: something was put back
 * or removed.  RC_PARTIAL when that could not be done: the text says what is
 * left; the run stays committed and can be reverted again. */
enum rc place_revert(struct placing *p, const char *run, bool *changed, struct err *e);

/* As place_revert(): harmless for a run that is not known.  RC_PLACE when the old
 * file could not be removed, or when the run is not committed; RC_CONFLICT when
 * somebody else changed or removed the file since commit: then the old one stays. */
enum rc place_keep(struct placing *p, const char *run, bool *changed, struct err *e);

/* Reverts what is not kept.  Safe to call twice. */
enum rc place_close(struct placing *p, bool *changed, struct err *e);

#endif
