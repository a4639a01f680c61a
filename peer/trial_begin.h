/* trial_begin.h - the run of trial guests on this node: trial.c's other half. */
#ifndef PEER_TRIAL_BEGIN_H
#define PEER_TRIAL_BEGIN_H

#include "peer/trial.h"
#include "proto/texts.h"

/* Scratch, guard, link and sweep; nothing where it is the run that has begun. */
enum rc trials_begin(struct trials *t, const char *run, struct err *e);

/* Ends its guests, removes what it has on the node, and releases the guard.  Where a guest
 * cannot be ended all else stays as well, for the guard. */
enum rc trials_end(struct trials *t, struct arena *arena, unsigned *count,
	struct texts *left, struct err *e);

#endif
