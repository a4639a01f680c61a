#include "coordinator/apply/twophase.h"

#include <stdint.h>
#include <string.h>

static const char *const state_names[] = {
#define STATE_NAME(state, name) [TWOPHASE_##state] = name,
	TWOPHASE_STATES(STATE_NAME)
#undef STATE_NAME
};

static const char *const phase_names[PHASE_COUNT] = { [PHASE_NONE] = "none",
#define PHASE_NAME(phase, word, meaning) [PHASE_##phase] = word,
	TWOPHASE_PHASES(PHASE_NAME)
#undef PHASE_NAME
};

/* clang-format off */
/* The life of a node.  A state that has no row for a request is not sent it.
 *
 * recover: its answer has a table of its own, below.
 * stage:   a node that is lost may still have what was staged.
 * commit:  one that is lost may have written before it fell silent; BROKEN are those
 *          that an earlier coordinator left in the middle of it.
 * keep:    one that is lost may have kept, or put the old content back.
 * forget:  whatever comes of it, the content is the new one.
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
	/*  request  from       done       unchanged  failed     lost       gone */
	ROW(RECOVER, IDLE,      IDLE,      IDLE,      LOST,      LOST,      LOST),
	ROW(RECOVER, LOST,      LOST,      LOST,      LOST,      LOST,      LOST),
	ROW(RECOVER, UNSURE,    UNSURE,    UNSURE,    UNSURE,    UNSURE,    UNSURE),
	ROW(STAGE,   IDLE,      STAGED,    UNCHANGED, REFUSED,   LOST,      IDLE),
	ROW(COMMIT,  STAGED,    COMMITTED, COMMITTED, BROKEN,    UNSURE,    LOST),
	ROW(COMMIT,  UNCHANGED, UNCHANGED, UNCHANGED, BROKEN,    LOST,      LOST),
	ROW(COMMIT,  BROKEN,    COMMITTED, COMMITTED, BROKEN,    UNSURE,    UNSURE),
	ROW(VERIFY,  COMMITTED, VERIFIED,  VERIFIED,  BROKEN,    UNSURE,    UNSURE),
	ROW(VERIFY,  UNCHANGED, UNCHANGED, UNCHANGED, BROKEN,    LOST,      LOST),
	ROW(KEEP,    VERIFIED,  KEPT,      KEPT,      BROKEN,    UNSURE,    UNSURE),
	ROW(KEEP,    UNCHANGED, KEPT,      KEPT,      BROKEN,    LOST,      LOST),
	ROW(FORGET,  KEPT,      FORGOTTEN, FORGOTTEN, KEPT,      KEPT,      KEPT),
	ROW(REVERT,  STAGED,    REVERTED,  REVERTED,  UNSURE,    LOST,      LOST),
	ROW(REVERT,  REFUSED,   REFUSED,   REFUSED,   REFUSED,   REFUSED,   REFUSED),
	ROW(REVERT,  UNCHANGED, REVERTED,  REVERTED,  LOST,      LOST,      LOST),
	ROW(REVERT,  COMMITTED, REVERTED,  REVERTED,  UNSURE,    UNSURE,    UNSURE),
	ROW(REVERT,  VERIFIED,  REVERTED,  REVERTED,  UNSURE,    UNSURE,    UNSURE),
	ROW(REVERT,  BROKEN,    REVERTED,  REVERTED,  UNSURE,    UNSURE,    UNSURE),
	ROW(REVERT,  KEPT,      REVERTED,  REVERTED,  UNSURE,    UNSURE,    UNSURE),
	ROW(REVERT,  LOST,      REVERTED,  REVERTED,  LOST,      LOST,      LOST),
	ROW(REVERT,  UNSURE,    REVERTED,  REVERTED,  UNSURE,    UNSURE,    UNSURE),
#undef ROW
};

/* What a request is called, in which phase it stands, and what follows it: when all is
 * well; when nodes are missing, which must be tried again; when it goes back. */
static const struct request_row {
	const char *name;
	enum twophase_phase phase;
	enum twophase_request well, missing, back;
} requests[REQUEST_COUNT] = {
#define ROW(request, name, phase, well, missing, back) \
	[REQUEST_##request] = { name, PHASE_##phase, REQUEST_##well, REQUEST_##missing, \
		REQUEST_##back }
	/*  request  name       phase       well     missing  back */
	ROW(NONE,    "none",    NONE,       STAGE,   STAGE,   NONE),
	ROW(RECOVER, "recover", NONE,       STAGE,   STAGE,   REVERT),
	ROW(STAGE,   "stage",   STAGING,    COMMIT,  COMMIT,  REVERT),
	ROW(COMMIT,  "commit",  COMMITTING, VERIFY,  VERIFY,  REVERT),
	ROW(VERIFY,  "verify",  NONE,       KEEP,    KEEP,    REVERT),
	ROW(KEEP,    "keep",    DECIDED,    FORGET,  RECOVER, REVERT),
	ROW(FORGET,  "forget",  FORGETTING, NONE,    RECOVER, NONE),
	ROW(REVERT,  "revert",  REVERTING,  NONE,    REVERT,  REVERT),
#undef ROW
};
/* clang-format on */

static const struct transition *transition_of(
	enum twophase_request request, enum twophase_state from)
{
	for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++)
		if (transitions[i].request == request && transitions[i].from == from)
			return &transitions[i];
	return NULL;
}

/* ---- the beginning */

static struct twophase begin_at(enum twophase_state *state, size_t count,
	enum twophase_state at, enum twophase_phase phase)
{
	for (size_t i = 0; i < count; i++)
		state[i] = at;
	return (struct twophase){ .state = state, .count = count, .phase = phase };
}

struct twophase twophase_begin(enum twophase_state *state, size_t count)
{
	return begin_at(state, count, TWOPHASE_IDLE, PHASE_NONE);
}

struct twophase twophase_resume(enum twophase_state *state, size_t count,
	enum twophase_phase phase, bool committed, bool back)
{
	bool holds = phase == PHASE_FORGETTING;
	struct twophase t = begin_at(state, count,
		holds	    ? TWOPHASE_KEPT
		: committed ? TWOPHASE_UNSURE
			    : TWOPHASE_IDLE,
		phase);

	t.resumed = true;
	t.again = true; /* this is the other time */
	t.back = !holds && (back || phase == PHASE_REVERTING);
	return t;
}

/* ---- what comes next */

static size_t count_of(const struct twophase *t, enum twophase_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < t->count; i++)
		count += t->state[i] == state;
	return count;
}

static bool is_missing(const struct twophase *t)
{
	size_t forgotten = count_of(t, TWOPHASE_FORGOTTEN);

	switch (t->request) {
	case REQUEST_KEEP:
		return count_of(t, TWOPHASE_KEPT) + forgotten < t->count;
	case REQUEST_FORGET:
		return forgotten < t->count;
	case REQUEST_REVERT:
		return count_of(t, TWOPHASE_LOST) + count_of(t, TWOPHASE_UNSURE) > 0;
	default:
		return false;
	}
}

static enum twophase_request successor(struct twophase *t)
{
	const struct request_row *row = &requests[t->request];

	if (t->ended)
		return REQUEST_NONE;
	if (t->resumed && t->request == REQUEST_NONE)
		return REQUEST_RECOVER;
	if (is_missing(t) && (!t->back || t->request == REQUEST_REVERT)) {
		if (t->again)
			return REQUEST_NONE;
		t->again = true;
		return row->missing;
	}
	if (t->request == REQUEST_REVERT)
		return REQUEST_NONE;
	return t->back ? row->back : row->well;
}

static bool asks_any(const struct twophase *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (twophase_asks(t, i))
			return true;
	return false;
}

enum twophase_request twophase_next(struct twophase *t)
{
	if (t->interrupted && t->phase < PHASE_DECIDED)
		t->back = true;
	do
		t->request = successor(t);
	while (t->request != REQUEST_NONE && !asks_any(t));
	t->ended = t->request == REQUEST_NONE;
	if (requests[t->request].phase > t->phase)
		t->phase = requests[t->request].phase;
	return t->request;
}

/* Before it was decided another process takes a half-reverted node for a broken one, so
 * the revert may go on; after that it would take it for one that has kept. */
bool twophase_unwritten(struct twophase *t, enum twophase_phase was)
{
	bool decided = was >= PHASE_DECIDED;

	if (t->request == REQUEST_REVERT && !decided)
		return true;
	t->phase = was;
	t->ended = decided;
	t->back = !decided;
	return false;
}

bool twophase_asks(const struct twophase *t, size_t node)
{
	enum twophase_state state = t->state[node];

	if (t->request == REQUEST_RECOVER && t->phase == PHASE_FORGETTING)
		return state == TWOPHASE_KEPT;
	return transition_of(t->request, state) != NULL;
}

/* ---- what came of it */

/* Before it is decided nobody may be missing; after that nobody may say no. */
static bool leads_back(const struct twophase *t, enum twophase_event event)
{
	if (event == EVENT_DONE || event == EVENT_UNCHANGED)
		return false;
	if (t->phase < PHASE_DECIDED)
		return true;
	return t->phase == PHASE_DECIDED && event == EVENT_FAILED &&
	       t->request != REQUEST_RECOVER;
}

void twophase_event(struct twophase *t, size_t node, enum twophase_event event)
{
	const struct transition *row = transition_of(t->request, t->state[node]);

	if (row)
		t->state[node] = (enum twophase_state)row->to[event];
	if (leads_back(t, event))
		t->back = true;
}

void twophase_recovered(struct twophase *t, size_t node, enum run_state state)
{
	static const enum twophase_state states[RUN_STATE_COUNT] = {
		[RUN_STATE_none] = TWOPHASE_IDLE,
		[RUN_STATE_staged] = TWOPHASE_STAGED,
		[RUN_STATE_committing] = TWOPHASE_BROKEN,
		[RUN_STATE_committed] = TWOPHASE_COMMITTED,
		[RUN_STATE_kept] = TWOPHASE_KEPT,
	};

	if (t->phase == PHASE_FORGETTING)
		t->state[node] = state == RUN_STATE_none   ? TWOPHASE_FORGOTTEN
				 : state == RUN_STATE_kept ? TWOPHASE_KEPT
							   : TWOPHASE_UNSURE;
	else if (t->back && state == RUN_STATE_none)
		t->state[node] = TWOPHASE_REVERTED;
	else
		t->state[node] = states[state];
}

void twophase_interrupt(struct twophase *t)
{
	t->interrupted = true;
}

/* ---- the end */

enum twophase_result twophase_result(const struct twophase *t)
{
	size_t forgotten = count_of(t, TWOPHASE_FORGOTTEN);
	size_t kept = count_of(t, TWOPHASE_KEPT);
	size_t back = count_of(t, TWOPHASE_IDLE) + count_of(t, TWOPHASE_REFUSED) +
		      count_of(t, TWOPHASE_LOST) + count_of(t, TWOPHASE_REVERTED) +
		      count_of(t, TWOPHASE_STAGED);

	if (forgotten == t->count)
		return RESULT_KEPT;
	if (forgotten + kept == t->count)
		return RESULT_LINGERS;
	return back == t->count && t->back ? RESULT_REVERTED : RESULT_PARTIAL;
}

bool twophase_is_over(const struct twophase *t, size_t node)
{
	switch (t->state[node]) {
	case TWOPHASE_FORGOTTEN:
		return true;
	case TWOPHASE_IDLE:
	case TWOPHASE_REFUSED:
	case TWOPHASE_REVERTED:
		return t->back;
	default:
		return false;
	}
}

/* ---- words */

const char *twophase_state_name(enum twophase_state state)
{
	return state_names[state];
}

const char *twophase_request_name(enum twophase_request request)
{
	return requests[request].name;
}

const char *twophase_phase_name(enum twophase_phase phase)
{
	return phase_names[phase];
}

enum twophase_phase twophase_phase_of(const char *word)
{
	for (int i = PHASE_NONE + 1; i < PHASE_COUNT; i++)
		if (strcmp(phase_names[i], word) == 0)
			return (enum twophase_phase)i;
	return PHASE_NONE;
}
