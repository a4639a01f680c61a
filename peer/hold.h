/* hold.h - one run at a time on a node.
 *
 * A lock (flock) on a file of the store.  It dies with its holder; the words in the
 * file are for whoever finds the node held.
 */
#ifndef PEER_HOLD_H
#define PEER_HOLD_H

#include "base/err.h"

struct hold {
	int fd; /* -1: not held */
};

struct hold_words {
	const char *run, *holder, *since;
};

/* RC_CONFLICT: "node is held by run R of HOLDER since TIME"; RC_PLACE.  Held already:
 * only the words are written. */
enum rc hold_take(
	struct hold *h, int state, const struct hold_words *words, struct err *e);

/* Safe to call twice, and in a signal handler. */
void hold_release(struct hold *h);

#endif
