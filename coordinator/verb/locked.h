/* locked.h - negotiate with a lock: its level stays as long as it holds on all nodes.
 */
#ifndef COORDINATOR_LOCKED_H
#define COORDINATOR_LOCKED_H

#include "coordinator/verb/run.h"

/* Before anything is asked: RC_LEVEL when a wish of the command line is not what the
 * locked level is, RC_USAGE when it is for other guests.  Nothing without a lock. */
enum rc locked_check_wishes(struct run *run, struct err *e);

/* In place of judge_level() and the votes: puts the locked level before the nodes.
 * RC_BROKEN when it does not hold; who and why is in their errs. */
enum rc locked_propose(struct run *run, struct err *e);

/* Says in the report which nodes come into the lock, leave it or stay in it unasked. */
enum rc locked_remark_nodes(struct run *run, struct err *e);

#endif
