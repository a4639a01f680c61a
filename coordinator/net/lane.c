/* What becomes of a session that rests, and a lane's turns. */
#include "coordinator/net/lane_private.h"

#include <stdlib.h>

#include "base/log.h"

/* ---- what sessions call */

void lane_settled(struct session *s)
{
	struct live *v = s->owner;

	if (v->resting)
		return;
	v->resting = true;
	v->next_resting = v->lane->resting;
	v->lane->resting = v;
}

enum rc lane_answer(struct session *s, const struct message *m, struct err *e)
{
	struct live *v = s->owner;
	struct crew *c = v->lane->crew;
	enum rc rc;

	c->members[v->node].answered = true;
	pthread_mutex_lock(&c->lock);
	rc = c->call->answer(c->context, v->node, m, e);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

/* ---- what becomes of a session that rests */

static bool may_try_again(const struct live *v)
{
	const struct crew *c = v->lane->crew;
	const struct member *m = &c->members[v->node];
	const struct session *s = &v->session;

	if (v->finished || m->tries >= c->tries || stop_of(v->lane) != CREW_GO)
		return false;
	if (session_may_retry(s))
		return true;
	/* the line broke in the middle of a question that may be asked twice */
	return c->call->repeatable && !m->answered && session_was_cut(s);
}

static void live_failed(struct live *v)
{
	struct member *m = &v->lane->crew->members[v->node];
	const struct err why = v->session.err;

	if (may_try_again(v) && node_pause(v->lane, v->node)) {
		log_line(LOG_INFO, v->session.name, "%s; try %u of %u follows", why.text,
			m->tries + 1, v->lane->crew->tries);
		live_free(v);
		return;
	}
	if (m->tries > 1)
		err_set(&v->session.err, why.code, why.native, "%s (%u tries)", why.text,
			m->tries);
	live_finish(v);
	m->lost = true;
	live_free(v);
}

/* An answered session stays, is closed, or gets its next request. */
static void live_answered(struct live *v)
{
	struct crew *c = v->lane->crew;

	if (!v->finished && c->call->chain && v->session.err.code == RC_OK &&
		stop_of(v->lane) == CREW_GO && next_request(c, v->node)) {
		live_ask(v);
		return;
	}
	live_finish(v);
	live_count(v, false);
	if (c->call->hold && v->lane->held < c->hold_max) {
		live_hold(v, true);
		return;
	}
	live_count(v, true);
	session_close(&v->session);
}

static void rest_all(struct lane *l)
{
	while (l->resting) {
		struct live *v = l->resting;

		l->resting = v->next_resting;
		v->resting = false;
		if (v->session.state == S_READY)
			live_answered(v);
		else if (v->session.state == S_FAILED)
			live_failed(v);
		else
			live_free(v);
	}
}

/* ---- turns */

/* The first lane hears signals, and speaks, for all: it is the last to end. */
static bool must_stay(const struct lane *l)
{
	return l == l->crew->lanes && atomic_load(&l->crew->others) > 0;
}

static bool is_over(const struct lane *l)
{
	const struct crew *c = l->crew;

	if (l->unfinished || must_stay(l))
		return false;
	return atomic_load(&c->stop) != CREW_GO ||
	       atomic_load(&c->next) >= c->queue_count;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When something is to be done that no session brings about. */
static void set_alarm(struct lane *l)
{
	struct crew *c = l->crew;
	uint64_t now = now_of(l), at = sooner(lane_opens_at(l), lane_stops_at(l));

	if (c->options->progress)
		at = sooner(l->tick_ms + LANE_TICK_MS, at);
	c->world->wake(l->world, at == UINT64_MAX ? 0 : at > now ? at - now : 1);
}

/* While closing there is no round: sessions that rest are done with. */
static void close_turn(struct lane *l)
{
	struct crew *c = l->crew;

	while (l->resting) {
		struct live *v = l->resting;

		l->resting = v->next_resting;
		live_free(v);
	}
	if (l == c->lanes && c->world->interrupts(l->world) != c->interrupts &&
		stop_of(l) != CREW_STOP)
		crew_stop_all(c, CREW_STOP, RC_INTERRUPTED);
	if ((!l->all || stop_of(l) == CREW_STOP) && !must_stay(l))
		c->world->stop(l->world);
}

void lane_turn(void *owner)
{
	struct lane *l = owner;

	if (l->closing)
		close_turn(l);
	if (!l->running)
		return;
	if (l == l->crew->lanes)
		lane_notice_stop(l);
	if (!l->begun && stop_of(l) == CREW_GO)
		lane_begin_held(l);
	do {
		rest_all(l);
		if (stop_of(l) != CREW_GO)
			lane_give_up(l);
		else
			lane_open_more(l);
	} while (l->resting);
	lane_watch(l);
	if (is_over(l))
		l->crew->world->stop(l->world);
	else
		set_alarm(l);
}

/* ---- life */

enum rc lane_init(struct lane *l, struct crew *crew, struct err *e)
{
	*l = (struct lane){ .crew = crew };
	l->world = crew->world->create(lane_turn, l, e);
	return l->world ? RC_OK : e->code;
}

void lane_forget_closing(struct lane *l)
{
	struct live *v = l->all, *next;

	for (; v; v = next) {
		next = v->next;
		if (v->session.state != S_READY)
			live_free(v);
	}
	l->resting = NULL;
	l->begun = false;
}

void lane_part(struct lane *l)
{
	l->closing = true;
	for (struct live *v = l->all; v; v = v->next)
		session_close(&v->session);
}

void lane_destroy(struct lane *l)
{
	struct live *v = l->all, *next;

	if (!l->world)
		return;
	for (; v; v = next) {
		next = v->next;
		live_free(v);
	}
	l->crew->world->destroy(l->world);
	free(l->paused);
	l->world = NULL;
}
