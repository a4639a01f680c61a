/* The end of a round before its time: signals and the deadline. */
#include "coordinator/net/lane_private.h"

enum { GRACE_MS = 5000 }; /* for answers under way when the user interrupts */

void crew_stop_all(struct crew *c, enum crew_stop stop, enum rc code)
{
	atomic_store(&c->stop_code, code);
	atomic_store(&c->stop, stop);
	for (size_t i = 0; i < c->lane_count; i++)
		c->world->poke(c->lanes[i].world);
}

/* The first lane takes in signals and time for all. */
void lane_notice_stop(struct lane *l)
{
	struct crew *c = l->crew;
	unsigned interrupts = c->world->interrupts(l->world);
	uint64_t now = now_of(l);

	if (interrupts != c->interrupts) {
		bool again = c->interrupted || interrupts > c->interrupts + 1;

		c->interrupts = interrupts;
		c->interrupted = true;
		c->grace_until_ms = now + GRACE_MS;
		if (!c->deaf)
			crew_stop_all(c, again ? CREW_STOP : CREW_FINISH, RC_INTERRUPTED);
	}
	if (c->deaf)
		return;
	if (stop_of(l) == CREW_FINISH && now >= c->grace_until_ms)
		crew_stop_all(c, CREW_STOP, RC_INTERRUPTED);
	if (stop_of(l) == CREW_GO && c->deadline_ms && now >= c->deadline_ms)
		crew_stop_all(c, CREW_STOP, RC_TIMEOUT);
}

uint64_t lane_stops_at(const struct lane *l)
{
	const struct crew *c = l->crew;

	if (l != c->lanes || c->deaf)
		return UINT64_MAX;
	if (stop_of(l) == CREW_FINISH)
		return c->grace_until_ms;
	return c->deadline_ms ? c->deadline_ms : UINT64_MAX;
}

enum rc crew_describe_stop(const struct crew *c, struct err *e)
{
	if (atomic_load(&c->stop_code) == RC_TIMEOUT)
		return err_set(e, RC_TIMEOUT, 0, "the run took longer than --deadline %u",
			c->options->deadline_s);
	return err_set(e, RC_INTERRUPTED, 0, "interrupted");
}

void lane_give_up(struct lane *l)
{
	bool all = stop_of(l) == CREW_STOP;
	struct err why;

	crew_describe_stop(l->crew, &why);
	for (size_t i = 0; i < l->paused_count; i++) {
		l->crew->members[l->paused[i]].lost = true;
		node_finish(l, l->paused[i], &why);
	}
	l->paused_count = 0;
	for (struct live *v = l->all; v; v = v->next) {
		enum session_stage stage = session_stage(&v->session);

		if (stage != STAGE_REST && (all || stage != STAGE_ASK))
			session_abort(&v->session, why.code, why.text);
	}
}

/* Nodes that would not have been asked anyway keep the outcome that they have. */
static void blame_unless_idle(struct crew *c, size_t node, const struct err *why)
{
	if (next_request(c, node))
		member_blame(&c->members[node], why);
}

void crew_blame_rest(struct crew *c, const struct err *why)
{
	for (size_t at = atomic_load(&c->next); at < c->queue_count; at++)
		blame_unless_idle(c, c->queue[at], why);
	for (size_t i = 0; i < c->lane_count; i++)
		for (struct live *v = c->lanes[i].all; v; v = v->next)
			if (!c->lanes[i].begun && v->session.state == S_READY)
				blame_unless_idle(c, v->node, why);
}
