/* push.h - the level into the places of every node, or of none.
 *
 * Carries the messages that the two-phase reducer (coordinator/apply) asks for:
 *
 *	push.c		a new run, and what its end means
 *	push_carry.c	one request to all that it goes to
 *	push_message.c	the requests as messages, and their answers
 *
 * resume.c and rollback.c carry on with a run of another process in the same way.
 */
#ifndef COORDINATOR_PUSH_H
#define COORDINATOR_PUSH_H

#include "coordinator/apply/journal.h"
#include "coordinator/verb/run.h"

union push_request {
	struct stage stage;
	struct commit commit;
	struct verify verify;
	struct keep keep;
	struct forget forget;
	struct revert revert;
	struct recover recover;
};

struct push {
	struct run *run;
	const char *name;     /* of the run, on the nodes */
	struct stage *stages; /* one a node: all that is to be done there */
	struct twophase phases;
	struct journal *journal; /* NULL: none is kept */
	const size_t *places;	 /* of the nodes in the journal; NULL: the same */

	/* private */
	union push_request *requests;
	bool *sent, *answered;	     /* in the round that runs */
	uint32_t *recovered;	     /* states that nodes said they are in */
	bool *unchanged;	     /* nothing had to be written there */
	enum twophase_request *fell; /* the request that first failed the node */
	struct err why;		     /* a signal or the deadline ended it */
	struct err unwritten;	     /* the journal could not be written */
};

/* Stage, commit, verify, keep, forget; or revert.  Fills outcome and note of every node.
 * RC_OK: every node holds the level.  RC_INTERRUPTED or a node's code: no node does,
 * unless it did before.  RC_PARTIAL: some nodes do, or the nodes named may. */
enum rc push_write(struct run *run, struct err *e);

/* Was there nothing to write on any node? (after survey_plan() was well) */
bool push_changed_nothing(const struct run *run);

/* ---- for those who carry on with a run */

/* Room for p->run; name, stages and phases are the caller's. */
enum rc push_prepare(struct push *p, struct err *e);

/* Carries the next request; false: the reducer has no more of them. */
bool push_step(struct push *p);

/* Fills outcome and note of every node; the run's result as push_write() has it. */
enum rc push_tell(struct push *p, struct err *e);

/* Removes the journal of a run that is over, or writes down for which nodes it is. */
void push_end(struct push *p);

/* ---- push_message.c */

/* The current request for the node; and its answer. */
enum message_tag push_ask_for(struct push *p, size_t node);
enum rc push_hear(struct push *p, size_t node, const void *value, struct err *e);

#endif
