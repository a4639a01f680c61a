/* wants.h - what the command line wants of nodes and level, into the run.
 *
 * --without takes a node or a feature: a word that could be both is refused, and one
 * that is neither as well, because a typing error must leave nothing in.
 */
#ifndef COORDINATOR_WANTS_H
#define COORDINATOR_WANTS_H

#include "coordinator/verb/run.h"

/* --model, --prefer, --require, --at-least.  RC_USAGE. */
enum rc wants_read(struct run *run, struct err *e);

/* --exclude, --without and --limit, from the nodes of the inventory.  RC_USAGE, RC_INPUT. */
enum rc wants_leave_out(struct run *run, struct err *e);

/* Remarks on what is required and the level cannot hold: one for all features that the
 * same nodes refuse for the same reason. */
enum rc wants_explain(struct run *run, struct err *e);

#endif
