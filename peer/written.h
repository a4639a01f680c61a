/* written.h - what finished runs left on this node, so that look can tell a file that
 * cpuherd wrote from one that somebody else did.
 *
 * A text of the store, a line for each file: digest, path.  What cannot be understood in
 * it counts as not written by cpuherd.
 */
#ifndef PEER_WRITTEN_H
#define PEER_WRITTEN_H

#include "peer/change.h"

/* Is that what cpuherd wrote there last?  RC_PLACE, RC_MEMORY. */
enum rc written_knows(const struct place_world *world, const char *path,
	struct bytes digest, bool *known, struct err *e);

/* Adds the files of these changes that were written and are cpuherd's as a whole.
 * RC_PLACE, RC_MEMORY. */
enum rc written_add(
	int state, const struct change_state *change, size_t count, struct err *e);

#endif
