/* One request of the two phases to all that it goes to, and how each of them did. */
#include "coordinator/verb/push.h"

#include <string.h>

#include "base/log.h"

enum rc push_prepare(struct push *p, struct err *e)
{
	struct arena *arena = &p->run->arena;
	size_t n = p->run->count;

	p->requests = arena_alloc(arena, n, sizeof(*p->requests));
	p->sent = arena_alloc(arena, n, sizeof(*p->sent));
	p->answered = arena_alloc(arena, n, sizeof(*p->answered));
	p->recovered = arena_alloc(arena, n, sizeof(*p->recovered));
	p->unchanged = arena_alloc(arena, n, sizeof(*p->unchanged));
	p->fell = arena_alloc(arena, n, sizeof(*p->fell));
	if (!p->requests || !p->sent || !p->answered || !p->recovered || !p->unchanged ||
		!p->fell)
		return err_memory(e);
	return RC_OK;
}

/* No domain of those that were named is on this node.  Without stages only the node's own
 * journal knows what the run changes. */
static bool has_no_changes(const struct push *p, size_t node)
{
	return p->stages && p->stages[node].changes.count == 0;
}

static bool push_ask(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct push *p = context;

	if (!twophase_asks(&p->phases, node))
		return false;
	if (has_no_changes(p, node)) {
		p->answered[node] = p->unchanged[node] = true;
		return false;
	}
	*tag = push_ask_for(p, node);
	*value = &p->requests[node];
	p->sent[node] = true;
	return true;
}

static enum rc push_answer(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct push *p = context;
	enum rc rc = push_hear(p, node, m->value, e);

	p->answered[node] = rc == RC_OK;
	return rc;
}

/* A node that answered and then went away is as good as lost, except where its answer
 * stands whatever becomes of its session. */
static enum twophase_event event_of(const struct push *p, size_t node)
{
	bool stands = p->phases.request == REQUEST_KEEP ||
		      p->phases.request == REQUEST_FORGET ||
		      p->phases.request == REQUEST_REVERT;
	bool alive = fleet_is_alive(p->run->fleet, node);

	if (p->answered[node] && (alive || stands))
		return p->phases.request == REQUEST_STAGE && p->unchanged[node]
			       ? EVENT_UNCHANGED
			       : EVENT_DONE;
	if (alive)
		return EVENT_FAILED;
	return p->sent[node] ? EVENT_LOST : EVENT_GONE;
}

/* Keeps the first error of a node.  One that the user's interrupt cut short did
 * nothing wrong. */
static void failure_take(struct push *p, size_t node)
{
	const struct err *err = fleet_error(p->run->fleet, node);
	struct report_node *n = &p->run->nodes[node];

	if (p->fell[node] == REQUEST_NONE)
		p->fell[node] = p->phases.request;
	if (n->err.code == RC_OK && err->code != p->why.code)
		n->err = *err;
}

static void event_take(struct push *p, size_t node)
{
	enum twophase_event event = event_of(p, node);

	if (event == EVENT_DONE && p->phases.request == REQUEST_RECOVER)
		twophase_recovered(&p->phases, node, (enum run_state)p->recovered[node]);
	else
		twophase_event(&p->phases, node, event);
	if (event != EVENT_DONE && event != EVENT_UNCHANGED)
		failure_take(p, node);
}

/* From here there is only forward, or only back: neither may stop half-way. */
static bool must_end(const struct push *p)
{
	return p->phases.phase >= PHASE_DECIDED;
}

/* The peer of a connection that ends reverts by itself, so what is to be reached again
 * is mostly done already, and says so. */
static void lost_try_again(struct push *p)
{
	for (size_t i = 0; i < p->run->count; i++)
		if (twophase_asks(&p->phases, i))
			fleet_try_again(p->run->fleet, i);
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
	if (must_end(p))
		fleet_ignore_interrupt(p->run->fleet);
	if (p->phases.again && !p->phases.resumed)
		lost_try_again(p);
	log_line(LOG_INFO, NULL, "%s", call.phase);
	rc = fleet_round(p->run->fleet, &call, p, &e);
	if (rc != RC_OK && !p->phases.interrupted) {
		twophase_interrupt(&p->phases);
		p->why = e;
	}
	for (size_t i = 0; i < count; i++)
		if (twophase_asks(&p->phases, i))
			event_take(p, i);
}

/* Is the phase of the request on disk, so that it may be carried? */
static bool phase_enter(struct push *p, enum twophase_phase was)
{
	if (!p->journal || p->journal->phase == p->phases.phase)
		return true;
	if (journal_enter(p->journal, p->phases.phase, &p->unwritten) == RC_OK)
		return true;
	log_line(LOG_ERROR, NULL, "%s", p->unwritten.text);
	return twophase_unwritten(&p->phases, was);
}

bool push_step(struct push *p)
{
	enum twophase_phase was = p->phases.phase;

	if (twophase_next(&p->phases) == REQUEST_NONE)
		return false;
	if (phase_enter(p, was))
		request_carry(p);
	return true;
}
