#include "coordinator/apply/twophase.h"

#include <stdint.h>

static const char *const state_names[] = {
#define STATE_NAME(state, name) [TWOPHASE_##state] = name,
	TWOPHASE_STATES(STATE_NAME)
#undef STATE_NAME
};

static const char *const request_names[REQUEST_COUNT] = {
	[REQUEST_NONE] = "none",
	[REQUEST_STAGE] = "stage",
	[REQUEST_COMMIT] = "commit",
	[REQUEST_VERIFY] = "verify",
	[REQUEST_KEEP] = "keep",
	[REQUEST_REVERT] = "revert",
};

/* clang-format off */
/* The life of a node.  A state that has no row for a request is not sent it.
 *
 * stage:  a node that is lost takes its peer along, which removes what it staged.
 * commit: one that is lost may have written before it fell silent.
 * keep:   one that says no still holds the content, but its peer may put the old
 *         one back when the connection ends.
 * UNCHANGED nodes have nothing that could be put back, so losing them is no doubt.
 */
static const struct transition {
	enum twophase_request request;
	enum twophase_state from;
	uint8_t to[EVENT_COUNT];
} transitions[] = {
#define ROW(request, from, done, unchanged, failed, lost, gone) \
	{ REQUEST_##request, TWOPHASE_##from, \
		{ TWOPHASE_##done, TWOPHASE_##unchanged, TWOPHASE_##failed, \
			TWOPHASE_##lost, TWOPHASE_##gone } }
	/*  request from       done       unchanged  failed     lost       gone */
	ROW(STAGE,  IDLE,      STAGED,    UNCHANGED, REFUSED,   LOST,      LOST),
	ROW(COMMIT, STAGED,    COMMITTED, COMMITTED, BROKEN,    UNSURE,    LOST),
	ROW(COMMIT, UNCHANGED, UNCHANGED, UNCHANGED, BROKEN,    LOST,      LOST),
	ROW(VERIFY, COMMITTED, VERIFIED,  VERIFIED,  BROKEN,    UNSURE,    UNSURE),
	ROW(VERIFY, UNCHANGED, UNCHANGED, UNCHANGED, BROKEN,    LOST,      LOST),
	ROW(KEEP,   VERIFIED,  KEPT,      KEPT,      UNSURE,    UNSURE,    UNSURE),
	ROW(KEEP,   UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED),
	ROW(REVERT, STAGED,    REVERTED,  REVERTED,  UNSURE,    LOST,      LOST),
	ROW(REVERT, REFUSED,   REFUSED,   REFUSED,   REFUSED,   LOST,      LOST),
	ROW(REVERT, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, LOST,      LOST),
	ROW(REVERT, COMMITTED, REVERTED,  REVERTED,  UNSURE,    UNSURE,    UNSURE),
	ROW(REVERT, VERIFIED,  REVERTED,  REVERTED,  UNSURE,    UNSURE,    UNSURE),
	ROW(REVERT, BROKEN,    REVERTED,  REVERTED,  UNSURE,    UNSURE,    UNSURE),
#undef ROW
};
/* clang-format on */

/* What follows a request when all nodes are well, and when one is not. */
static const struct {
	enum twophase_request well, broken;
} successors[REQUEST_COUNT] = {
	[REQUEST_NONE] = { REQUEST_STAGE, REQUEST_NONE },
	[REQUEST_STAGE] = { REQUEST_COMMIT, REQUEST_REVERT },
	[REQUEST_COMMIT] = { REQUEST_VERIFY, REQUEST_REVERT },
	[REQUEST_VERIFY] = { REQUEST_KEEP, REQUEST_REVERT },
	[REQUEST_KEEP] = { REQUEST_NONE, REQUEST_NONE },
	[REQUEST_REVERT] = { REQUEST_NONE, REQUEST_NONE },
};

static const struct transition *transition_of(
	enum twophase_request request, enum twophase_state from)
{
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++)
		if (transitions[i].request == request && transitions[i].from == from)
			return &transitions[i];
	return NULL;
}

struct twophase twophase_begin(enum twophase_state *state, size_t count)
{
	for (size_t i = 0; i < count; i++)
		state[i] = TWOPHASE_IDLE;
	return (struct twophase){ .state = state, .count = count };
}

enum twophase_request twophase_next(struct twophase *t)
{
	bool broken = t->failed || t->interrupted;

	t->request = broken ? successors[t->request].broken : successors[t->request].well;
	return t->request;
}

bool twophase_asks(const struct twophase *t, size_t node)
{
	return transition_of(t->request, t->state[node]) != NULL;
}

void twophase_event(struct twophase *t, size_t node, enum twophase_event event)
{
	const struct transition *row = transition_of(t->request, t->state[node]);

	if (!row)
		return;
	t->state[node] = (enum twophase_state)row->to[event];
	if (event != EVENT_DONE && event != EVENT_UNCHANGED)
		t->failed = true;
}

void twophase_interrupt(struct twophase *t)
{
	t->interrupted = true;
}

enum twophase_result twophase_result(const struct twophase *t)
{
	size_t holding = 0;

	for (size_t i = 0; i < t->count; i++) {
		if (t->state[i] == TWOPHASE_UNSURE)
			return RESULT_PARTIAL;
		if (t->state[i] == TWOPHASE_KEPT || t->state[i] == TWOPHASE_UNCHANGED)
			holding++;
	}
	return holding == t->count ? RESULT_KEPT : RESULT_REVERTED;
}

const char *twophase_state_name(enum twophase_state state)
{
	return state_names[state];
}

const char *twophase_request_name(enum twophase_request request)
{
	return request_names[request];
}
