/* twophase.h - who is asked what next, so that a level ends up on all nodes or on
 * none.  PURE: it knows of no message, socket or file.
 *
 * One request at a time goes to all nodes that the table names for it:
 *
 *	stage -> commit -> verify -> keep        while every node is well
 *	      \-------\---------\-> revert       as soon as one is not
 *
 * The caller carries each request, reports one event for every node that was
 * asked, and asks for the next request.  Before the first commit is sent, a
 * failure leaves every node as it was.  After it, committed nodes are reverted.
 * `keep` is the point of no return: it is sent only when all nodes are verified.
 *
 * What cannot be known from here is said, not guessed: a node that went silent
 * after a commit or a keep was sent to it ends as TWOPHASE_UNSURE.  (Its peer puts
 * the old file back by itself when the connection ends, unless it was told keep.)
 */
#ifndef COORDINATOR_TWOPHASE_H
#define COORDINATOR_TWOPHASE_H

#include <stdbool.h>
#include <stddef.h>

/* T(state, what the report calls it) */
#define TWOPHASE_STATES(T) \
	T(IDLE, "untouched")	  /* nothing was asked yet */ \
	T(STAGED, "staged")	  /* prepared; others see nothing */ \
	T(UNCHANGED, "unchanged") /* the content is there already */ \
	T(COMMITTED, "committed") /* the file is the new one */ \
	T(VERIFIED, "verified")	  /* read back, and libvirt accepts it */ \
	T(REFUSED, "refused")	  /* stage failed: the file was not touched */ \
	T(BROKEN, "failed")	  /* a request failed: it must be reverted */ \
	T(KEPT, "written")	  /* final: it holds */ \
	T(REVERTED, "reverted")	  /* final: as it was before the run */ \
	T(LOST, "lost")		  /* final: session gone, and nothing was changed */ \
	T(UNSURE, "unsure")	  /* final: nobody here can tell */

enum twophase_state {
#define TWOPHASE_ENUM(state, name) TWOPHASE_##state,
	TWOPHASE_STATES(TWOPHASE_ENUM)
#undef TWOPHASE_ENUM
		TWOPHASE_STATE_COUNT
};

enum twophase_request {
	REQUEST_NONE, /* before the first, and after the last */
	REQUEST_STAGE,
	REQUEST_COMMIT,
	REQUEST_VERIFY,
	REQUEST_KEEP,
	REQUEST_REVERT,
	REQUEST_COUNT
};

/* How one node's request ended. */
enum twophase_event {
	EVENT_DONE,
	EVENT_UNCHANGED, /* stage only: done, and there will be nothing to commit */
	EVENT_FAILED,	 /* it said no or nothing in time; it can still be asked */
	EVENT_LOST,	 /* its session is gone, whatever it said before */
	EVENT_GONE,	 /* its session was gone before the request was sent */
	EVENT_COUNT
};

enum twophase_result {
	RESULT_KEPT,	 /* every node holds the content */
	RESULT_REVERTED, /* no node does, unless it did before */
	RESULT_PARTIAL,	 /* some node is unsure: name it */
};

struct twophase {
	enum twophase_state *state; /* one per node, the caller's memory */
	size_t count;
	enum twophase_request request; /* the one being carried */
	bool failed, interrupted;
};

/* A run over count nodes, all IDLE. */
struct twophase twophase_begin(enum twophase_state *state, size_t count);

/* The next request to carry; REQUEST_NONE when the run has ended. */
enum twophase_request twophase_next(struct twophase *t);

/* Does the current request go to this node? */
bool twophase_asks(const struct twophase *t, size_t node);

/* Must be called once for each node that the current request went to. */
void twophase_event(struct twophase *t, size_t node, enum twophase_event event);

/* The user wants out: revert next, unless keep was sent. */
void twophase_interrupt(struct twophase *t);

/* After the end. */
enum twophase_result twophase_result(const struct twophase *t);

/* "written", "reverted", ... and "stage", "commit", ... */
const char *twophase_state_name(enum twophase_state state);
const char *twophase_request_name(enum twophase_request request);

#endif
