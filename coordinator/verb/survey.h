/* survey.h - what is in the places of every node now, and what would be written there.
 *
 * One round that changes nothing, and then the targets (coordinator/target) say for
 * each node what is to be done.
 */
#ifndef COORDINATOR_SURVEY_H
#define COORDINATOR_SURVEY_H

#include "coordinator/verb/run.h"

/* The targets of --target (stanza unless told), into run->targets.  RC_USAGE. */
enum rc survey_choose_targets(struct run *run, struct err *e);

/* Asks every node that is well for what the targets want to know.  A node's failure is
 * its err; RC_OK unless the run as a whole cannot go on. */
enum rc survey_ask(struct run *run, struct err *e);

/* Fills the edits of every node that is well, for run->level.  A node that lacks what a
 * target needs, or that somebody else has changed, has an err then. */
enum rc survey_plan(struct run *run, struct err *e);

#endif
