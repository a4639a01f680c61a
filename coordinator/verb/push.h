/* push.h - the level into the place of every node, or of none.
 *
 * Carries the messages that the two-phase reducer (coordinator/apply) asks for.
 */
#ifndef COORDINATOR_PUSH_H
#define COORDINATOR_PUSH_H

#include "coordinator/verb/run.h"

/* Stage, commit, verify, keep; or revert.  Fills outcome and note of every node.
 * RC_OK: every node holds the level.  RC_INTERRUPTED or a node's code: no node does,
 * unless it did before.  RC_PARTIAL: the nodes named may. */
enum rc push_write(struct run *run, struct err *e);

/* Does every node hold it already? (after push_write() was well) */
bool push_changed_nothing(const struct run *run);

#endif
