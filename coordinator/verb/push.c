#include "coordinator/verb/push.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/token.h"
#include "coordinator/apply/twophase.h"
#include "proto/place.h"

enum { RUN_NAME_MAX = 4 + 33 }; /* "run-", 32 hexadecimal digits, NUL */

/* ---- the requests of the two phases */

union request {
	struct stage stage;
	struct commit commit;
	struct verify verify;
	struct keep keep;
	struct revert revert;
};

struct push {
	struct run *run;
	struct twophase phases;
	char name[RUN_NAME_MAX];
	const char *holder;
	union request *requests;
	bool *sent, *answered, *unchanged; /* in the round that runs */
	enum twophase_request *fell;	   /* the request that first failed the node */
	struct err why;			   /* a signal or the deadline ended it */
};

/* A name that no other run has: it names what is staged on the nodes. */
static enum rc name_make(char name[static RUN_NAME_MAX], struct err *e)
{
	snprintf(name, RUN_NAME_MAX, "run-");
	return token_make(name + 4, RUN_NAME_MAX - 4, e);
}

/* The node's edits as they travel. */
static struct list changes_of(struct push *p, size_t node)
{
	const struct edits *edits = &p->run->nodes[node].edits;
	struct change *changes = arena_alloc(
		&p->run->arena, edits->count, sizeof(*changes));

	for (size_t i = 0; changes && i < edits->count; i++) {
		const struct edit *edit = &edits->item[i];

		changes[i] = (struct change){ edit->place, edit->name, edit->after,
			edit->expected, edit->machine };
	}
	return (struct list){ changes, changes ? edits->count : 0 };
}

static enum message_tag request_stage(struct push *p, size_t node)
{
	const struct offer *offer = p->run->nodes[node].offer;

	p->requests[node].stage = (struct stage){
		.run = p->name,
		.holder = p->holder,
		.changes = changes_of(p, node),
		.virt_type = virt_names[p->run->virt],
		.emulator = offer->emulator,
		.arch = offer->arch,
		.machine = offer->machine,
	};
	return MESSAGE_stage;
}

static enum message_tag request_commit(struct push *p, size_t node)
{
	p->requests[node].commit.run = p->name;
	return MESSAGE_commit;
}

static enum message_tag request_verify(struct push *p, size_t node)
{
	p->requests[node].verify.run = p->name;
	return MESSAGE_verify;
}

static enum message_tag request_keep(struct push *p, size_t node)
{
	p->requests[node].keep.run = p->name;
	return MESSAGE_keep;
}

static enum message_tag request_revert(struct push *p, size_t node)
{
	p->requests[node].revert.run = p->name;
	return MESSAGE_revert;
}

/* ---- their answers */

static enum rc answer_staged(
	struct push *p, size_t node, const void *value, struct err *e)
{
	const struct list *changes = &((const struct staged *)value)->changes;
	const struct staging *staging = changes->item;
	const struct edits *edits = &p->run->nodes[node].edits;

	if (changes->count != edits->count)
		return err_set(e, RC_PROTOCOL, 0, "%zu changes staged, not %zu",
			changes->count, edits->count);
	p->unchanged[node] = true;
	for (size_t i = 0; i < changes->count; i++)
		p->unchanged[node] &= staging[i].unchanged;
	return RC_OK;
}

static enum rc check_reading(
	const struct edit *edit, const struct reading *reading, struct err *e)
{
	if (reading->content.size != edit->after.size ||
		memcmp(reading->content.data, edit->after.data, edit->after.size) != 0)
		return err_set(e, RC_CONFLICT, 0,
			"%s: what is there is not what was written", edit->title);
	if (!reading->accepted)
		return err_set(e, RC_VOTE, 0,
			"%s: the node does not accept what was written: %s", edit->title,
			reading->reason);
	return RC_OK;
}

static enum rc answer_verified(
	struct push *p, size_t node, const void *value, struct err *e)
{
	const struct list *changes = &((const struct verified *)value)->changes;
	const struct reading *reading = changes->item;
	const struct edits *edits = &p->run->nodes[node].edits;
	enum rc rc = RC_OK;

	if (changes->count != edits->count)
		return err_set(e, RC_PROTOCOL, 0, "%zu changes verified, not %zu",
			changes->count, edits->count);
	for (size_t i = 0; i < changes->count && rc == RC_OK; i++)
		rc = check_reading(&edits->item[i], &reading[i], e);
	return rc;
}

/* The answer says all by being there. */
static enum rc answer_nothing(
	struct push *p, size_t node, const void *value, struct err *e)
{
	(void)p;
	(void)node;
	(void)value;
	(void)e;
	return RC_OK;
}

static const struct request_row {
	enum message_tag (*ask)(struct push *p, size_t node);
	enum rc (*answer)(struct push *p, size_t node, const void *value, struct err *e);
} rows[REQUEST_COUNT] = {
	[REQUEST_STAGE] = { request_stage, answer_staged },
	[REQUEST_COMMIT] = { request_commit, answer_nothing },
	[REQUEST_VERIFY] = { request_verify, answer_verified },
	[REQUEST_KEEP] = { request_keep, answer_nothing },
	[REQUEST_REVERT] = { request_revert, answer_nothing },
};

static bool push_ask(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct push *p = context;

	if (!twophase_asks(&p->phases, node))
		return false;
	*tag = rows[p->phases.request].ask(p, node);
	*value = &p->requests[node];
	p->sent[node] = true;
	return true;
}

static enum rc push_answer(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct push *p = context;
	enum rc rc = rows[p->phases.request].answer(p, node, m->value, e);

	p->answered[node] = rc == RC_OK;
	return rc;
}

/* ---- one request to all that it goes to */

/* A node that answered and then went away is as good as lost, except where its answer
 * was the last word. */
static enum twophase_event event_of(const struct push *p, size_t node)
{
	bool last = p->phases.request == REQUEST_KEEP ||
		    p->phases.request == REQUEST_REVERT;
	bool alive = fleet_is_alive(p->run->fleet, node);

	if (p->answered[node] && (alive || last))
		return p->unchanged[node] ? EVENT_UNCHANGED : EVENT_DONE;
	if (alive)
		return EVENT_FAILED;
	return p->sent[node] ? EVENT_LOST : EVENT_GONE;
}

/* Keeps the first error of a node.  One that the user's interrupt cut short did
 * nothing wrong, and where nothing was to be changed no harm can come of it. */
static void failure_take(struct push *p, size_t node)
{
	const struct err *err = fleet_error(p->run->fleet, node);
	struct report_node *n = &p->run->nodes[node];

	if (p->fell[node] == REQUEST_NONE)
		p->fell[node] = p->phases.request;
	if (n->err.code == RC_OK && err->code != p->why.code &&
		p->phases.state[node] != TWOPHASE_UNCHANGED)
		n->err = *err;
}

/* Tells the reducer how each node did. */
static void events_take(struct push *p)
{
	for (size_t i = 0; i < p->run->count; i++) {
		enum twophase_event event;

		if (!twophase_asks(&p->phases, i))
			continue;
		event = event_of(p, i);
		twophase_event(&p->phases, i, event);
		if (event != EVENT_DONE && event != EVENT_UNCHANGED)
			failure_take(p, i);
	}
}

/* Not run_round(): a node with an err is still asked to revert. */
static void request_carry(struct push *p)
{
	struct fleet_call call = { twophase_request_name(p->phases.request), push_ask,
		push_answer, .hold = true };
	size_t count = p->run->count;
	struct err e = { 0 };
	enum rc rc;

	memset(p->sent, 0, count * sizeof(*p->sent));
	memset(p->answered, 0, count * sizeof(*p->answered));
	memset(p->unchanged, 0, count * sizeof(*p->unchanged));
	/* from here there is only forward, or only back: neither may stop half-way */
	if (p->phases.request == REQUEST_KEEP || p->phases.request == REQUEST_REVERT)
		fleet_ignore_interrupt(p->run->fleet);
	log_line(LOG_INFO, NULL, "%s", call.phase);
	rc = fleet_round(p->run->fleet, &call, p, &e);
	if (rc != RC_OK && !p->phases.interrupted) {
		twophase_interrupt(&p->phases);
		p->why = e;
	}
	events_take(p);
}

/* ---- the end */

/* A peer that could not revert has said what is left; of one that fell silent there is
 * only what it does by itself. */
static void unsure_tell(struct push *p, size_t node)
{
	const struct err *last = fleet_error(p->run->fleet, node);
	struct report_node *n = &p->run->nodes[node];
	const char *note;

	if (last->code == RC_PARTIAL)
		note = arena_text(&p->run->arena, last->text);
	else
		note = arena_format(&p->run->arena,
			"%s failed after it may have written: its peer puts the old file "
			"back by itself when the connection ends, unless it was killed; "
			"look at %s, and for .cpuherd-old beside it",
			twophase_request_name(p->fell[node]), n->edits.item[0].title);
	n->note = note ? note : "";
}

static void outcomes_tell(struct push *p)
{
	for (size_t i = 0; i < p->run->count; i++) {
		struct report_node *n = &p->run->nodes[i];
		enum twophase_state state = p->phases.state[i];

		n->outcome = twophase_state_name(state);
		if (state == TWOPHASE_UNSURE)
			unsure_tell(p, i);
	}
}

static bool is_unsure(const struct report_node *n)
{
	return n->note[0] != '\0';
}

static enum rc result_tell(struct push *p, struct err *e)
{
	struct run *run = p->run;
	enum rc rc;

	switch (twophase_result(&p->phases)) {
	case RESULT_KEPT:
		return RC_OK;
	case RESULT_PARTIAL:
		return err_set(e, RC_PARTIAL, 0,
			"it is not known what these nodes hold now: %s",
			run_names(run, is_unsure));
	case RESULT_REVERTED:
		break;
	}
	if (p->phases.interrupted)
		return err_set(e, p->why.code, 0,
			"%.800s: every node is as it was before", p->why.text);
	rc = run_blame(run, "every node is as it was before", e);
	return rc != RC_OK ? rc : err_set(e, RC_INTERNAL, 0, "reverted without a reason");
}

enum rc push_write(struct run *run, struct err *e)
{
	struct push p = { .run = run };
	size_t n = run->count;
	enum twophase_state *state = arena_alloc(&run->arena, n, sizeof(*state));
	enum rc rc = name_make(p.name, e);

	if (rc != RC_OK)
		return rc;
	p.holder = "cpuherd";
	p.requests = arena_alloc(&run->arena, n, sizeof(*p.requests));
	p.sent = arena_alloc(&run->arena, n, sizeof(*p.sent));
	p.answered = arena_alloc(&run->arena, n, sizeof(*p.answered));
	p.unchanged = arena_alloc(&run->arena, n, sizeof(*p.unchanged));
	p.fell = arena_alloc(&run->arena, n, sizeof(*p.fell));
	if (!state || !p.requests || !p.sent || !p.answered || !p.unchanged || !p.fell)
		return err_memory(e);
	p.phases = twophase_begin(state, n);
	while (twophase_next(&p.phases) != REQUEST_NONE)
		request_carry(&p);
	outcomes_tell(&p);
	return result_tell(&p, e);
}

bool push_changed_nothing(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (strcmp(run->nodes[i].outcome,
			    twophase_state_name(TWOPHASE_UNCHANGED)) != 0)
			return false;
	return true;
}
