/* twophase.h - who is asked what next, so that a level ends up on all nodes or on
 * none.  PURE: it knows of no message, socket or file.
 *
 * One request at a time goes to all nodes that the table names for it:
 *
 *	stage -> commit -> verify -> [decided] -> keep -> forget
 *	     \-------\---------\-> revert
 *
 * The caller carries each request, reports one event for every node that was
 * asked, and asks for the next request.  Before it carries a request it writes down
 * the phase that the request stands in, so that another process can go on.
 *
 * Until it is decided every trouble reverts all.  Then a node that cannot be reached
 * stops nothing but `forget`, which is sent only when all have kept: until the first
 * forget both ways are open.  A node that says no to keep still reverts all.  When
 * forgetting has begun every node holds the content for good.
 *
 * A node that was lost is tried once more at the end of the run, in a new session.
 * What cannot be known from here is said, not guessed: TWOPHASE_UNSURE.
 */
#ifndef COORDINATOR_TWOPHASE_H
#define COORDINATOR_TWOPHASE_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/place.h"

/* T(state, what the report calls it) */
#define TWOPHASE_STATES(T) \
	T(IDLE, "untouched")	  /* it has nothing of this run */ \
	T(STAGED, "staged")	  /* prepared; others see nothing */ \
	T(UNCHANGED, "unchanged") /* staged, and the content is there already */ \
	T(COMMITTED, "committed") /* the files are the new ones */ \
	T(VERIFIED, "verified")	  /* read back, and the node accepts it */ \
	T(REFUSED, "refused")	  /* stage failed: nothing was touched */ \
	T(BROKEN, "failed")	  /* part of it may be written */ \
	T(KEPT, "kept")		  /* it holds, and the way back is there */ \
	T(FORGOTTEN, "written")	  /* final: it holds for good */ \
	T(REVERTED, "reverted")	  /* final: as it was before the run */ \
	T(LOST, "lost")	    /* out of reach; all is as before to see, but what was \
				   * staged may lie there */ \
	T(UNSURE, "unsure") /* nobody here can tell */

enum twophase_state {
#define TWOPHASE_ENUM(state, name) TWOPHASE_##state,
	TWOPHASE_STATES(TWOPHASE_ENUM)
#undef TWOPHASE_ENUM
		TWOPHASE_STATE_COUNT
};

enum twophase_request {
	REQUEST_NONE,	 /* before the first, and after the last */
	REQUEST_RECOVER, /* how far is the run there? */
	REQUEST_STAGE,
	REQUEST_COMMIT,
	REQUEST_VERIFY,
	REQUEST_KEEP,
	REQUEST_FORGET,
	REQUEST_REVERT,
	REQUEST_COUNT
};

/* How far the run as a whole is: it only rises.  H(phase, word, what may have been
 * sent) */
#define TWOPHASE_PHASES(H) \
	H(STAGING, "staging", "stage") \
	H(COMMITTING, "committing", "commit and verify") \
	H(DECIDED, "decided", "keep: all nodes were verified") \
	H(FORGETTING, "forgetting", "forget: all nodes have kept") \
	H(REVERTING, "reverting", "revert")

enum twophase_phase {
	PHASE_NONE,
#define PHASE_ENUM(phase, word, meaning) PHASE_##phase,
	TWOPHASE_PHASES(PHASE_ENUM)
#undef PHASE_ENUM
		PHASE_COUNT
};

/* How one node's request ended. */
enum twophase_event {
	EVENT_DONE,
	EVENT_UNCHANGED, /* stage only: done, and there will be nothing to commit */
	EVENT_FAILED,	 /* it said no; it can still be asked */
	EVENT_LOST,	 /* its session is gone, whatever it said before */
	EVENT_GONE,	 /* its session was gone before the request was sent */
	EVENT_COUNT
};

enum twophase_result {
	RESULT_KEPT,	 /* every node holds the content */
	RESULT_LINGERS,	 /* the same, but some still have the way back to drop */
	RESULT_REVERTED, /* no node does, unless it did before */
	RESULT_PARTIAL,	 /* neither, or nobody can tell: see the states */
};

struct twophase {
	enum twophase_state *state; /* one per node, the caller's memory */
	size_t count;
	enum twophase_request request; /* the one being carried */
	enum twophase_phase phase;
	bool back;  /* it goes back, whatever comes */
	bool again; /* lost nodes are being tried once more, or were */
	bool resumed, interrupted, ended;
};

/* A run over count nodes, all IDLE. */
struct twophase twophase_begin(enum twophase_state *state, size_t count);

/* Goes on with a run that was left in this phase, by another process: forward, unless
 * it was reverting; or back, unless it was forgetting.  committed: it was once in the
 * phase committing.  Lost nodes are not tried again: this is the other time. */
struct twophase twophase_resume(enum twophase_state *state, size_t count,
	enum twophase_phase phase, bool committed, bool back);

/* The next request to carry; REQUEST_NONE when the run has ended. */
enum twophase_request twophase_next(struct twophase *t);

/* The phase of the current request could not be written down, and `was` is what was.
 * False: it must not be carried; ask for the next one. */
bool twophase_unwritten(struct twophase *t, enum twophase_phase was);

/* Does the current request go to this node? */
bool twophase_asks(const struct twophase *t, size_t node);

/* Must be called once for each node that the current request went to; of a recover
 * that was answered the second one. */
void twophase_event(struct twophase *t, size_t node, enum twophase_event event);
void twophase_recovered(struct twophase *t, size_t node, enum run_state state);

/* The user wants out: revert next, unless it is decided. */
void twophase_interrupt(struct twophase *t);

/* After the end. */
enum twophase_result twophase_result(const struct twophase *t);

/* After the end: nothing of the run is left there to go on with. */
bool twophase_is_over(const struct twophase *t, size_t node);

/* "written", ...; "stage", ...; "staging", ... */
const char *twophase_state_name(enum twophase_state state);
const char *twophase_request_name(enum twophase_request request);
const char *twophase_phase_name(enum twophase_phase phase);

/* PHASE_NONE: there is no such word. */
enum twophase_phase twophase_phase_of(const char *word);

#endif
