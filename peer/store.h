/* store.h - the folder in which a node remembers its runs.
 *
 *	STATE/hold		who is at work (hold.h)
 *	STATE/written		what finished runs wrote (written.h)
 *	STATE/runs/RUN/journal	how far a run is (journal.h)
 *
 * STATE is /var/lib/cpuherd, or the user's own (place.h).  Folders are 0700, files
 * 0600; from STATE on no symbolic link is followed.  Whoever else may write there
 * could make root write: a folder of somebody else is refused.
 */
#ifndef PEER_STORE_H
#define PEER_STORE_H

#include "peer/place.h"
#include "proto/texts.h"

/* Opens STATE and STATE/runs; *state is -1 when it is not there and may not be made.
 * RC_PLACE. */
struct store {
	int state, runs;
};
enum rc store_open(
	struct store *s, const struct place_world *world, bool make, struct err *e);
void store_close(struct store *s);

/* A folder within an open one; *fd is -1 when it is not there and may not be made. */
enum rc store_folder(int parent, const char *name, bool make, int *fd, struct err *e);

/* The whole of a file; no data when it is not there.  The name is for messages too. */
enum rc store_read(int folder, const char *file, struct arena *arena, struct bytes *out,
	struct err *e);

/* Puts it in the place of what is there, by write, fsync, rename, fsync. */
enum rc store_replace(int folder, const char *file, struct bytes content, struct err *e);

/* Removes the folder of a run: first the file of that name, then the others.  Only
 * system calls; 0 or an errno. */
int store_remove(int runs, const char *run, const char *first);

/* The names in a folder, in no order, but for those that begin with a dot.  RC_PLACE,
 * RC_MEMORY. */
enum rc store_list(int folder, struct arena *arena, struct texts *out, struct err *e);

#endif
