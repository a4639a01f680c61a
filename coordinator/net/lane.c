#include "coordinator/net/lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

enum {
	PAUSE_MS = 500, /* before the second try; doubles */
	PAUSE_MAX_MS = 8000,
	PASS_MS = 500,	 /* between two looks for sessions that stand still */
	GRACE_MS = 5000, /* for answers under way when the user interrupts */
};

static uint64_t now_of(struct lane *l)
{
	return l->crew->world->now_ms(l->world);
}

static enum crew_stop stop_of(struct lane *l)
{
	return (enum crew_stop)atomic_load(&l->crew->stop);
}

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

/* ---- sessions come and go */

static void live_count(struct live *v, bool busy)
{
	if (v->counted != busy)
		v->lane->busy += busy ? 1 : -(size_t)1;
	v->counted = busy;
}

static void live_hold(struct live *v, bool hold)
{
	if (v->held != hold)
		v->lane->held += hold ? 1 : -(size_t)1;
	v->held = hold;
}

static void live_free(struct live *v)
{
	struct lane *l = v->lane;

	live_count(v, false);
	live_hold(v, false);
	l->open--;
	session_destroy(&v->session);
	l->crew->world->session.unbind(&v->session);
	if (v->previous)
		v->previous->next = v->next;
	else
		l->all = v->next;
	if (v->next)
		v->next->previous = v->previous;
	l->crew->members[v->node].live = NULL;
	free(v);
}

/* What the inventory says of the node, else the run's. */
static bool becomes(const struct crew *c, size_t node)
{
	enum inventory_become own = c->inv->nodes[node].become;

	return own == INVENTORY_BECOME_AS_RUN ? c->options->become
					      : own == INVENTORY_BECOME_YES;
}

static struct live *live_new(struct lane *l, size_t node, struct err *e)
{
	struct crew *c = l->crew;
	struct member *m = &c->members[node];
	struct live *v = calloc(1, sizeof(*v));

	if (!v) {
		err_memory(e);
		return NULL;
	}
	v->lane = l;
	v->node = node;
	session_init(&v->session, &c->common, c->inv->nodes[node].name,
		c->options->settings[node], &m->arena);
	v->session.owner = v;
	v->session.become = becomes(c, node);
	v->session.trace = c->options->traces &&
			   c->options->traces(c->options->context, node);
	if (c->world->session.bind(l->world, &v->session, e) != RC_OK) {
		free(v);
		return NULL;
	}
	l->open++;
	v->next = l->all;
	if (l->all)
		l->all->previous = v;
	l->all = v;
	m->live = v;
	return v;
}

/* ---- the outcome of a node */

static const struct err no_memory = { RC_MEMORY, 0, "out of memory" };

static void member_forgive(struct member *m)
{
	if (m->err != &no_memory)
		free((struct err *)m->err);
	m->err = NULL;
}

/* Without memory for the reason the node has failed all the same. */
void member_blame(struct member *m, const struct err *why)
{
	struct err *copy = malloc(sizeof(*copy));

	member_forgive(m);
	if (copy)
		*copy = *why;
	m->err = copy ? copy : &no_memory;
}

void member_destroy(struct member *m)
{
	member_forgive(m);
	arena_destroy(&m->arena);
}

static void node_finish(struct lane *l, size_t node, const struct err *why)
{
	struct crew *c = l->crew;
	struct member *m = &c->members[node];

	l->unfinished--;
	member_forgive(m);
	if (why->code != RC_OK) {
		member_blame(m, why);
		atomic_fetch_add(&c->failed, 1);
	}
	atomic_fetch_add(&c->done, 1);
}

static void live_finish(struct live *v)
{
	if (!v->finished)
		node_finish(v->lane, v->node, &v->session.err);
	v->finished = true;
}

/* ---- asking */

/* ask() for the node's next request; false: there is none. */
static bool next_request(struct crew *c, size_t node)
{
	struct member *m = &c->members[node];
	bool asked;

	pthread_mutex_lock(&c->lock);
	asked = c->call->ask(c->context, node, &m->tag, &m->value);
	pthread_mutex_unlock(&c->lock);
	return asked;
}

/* Sends the member's request on a session that rests. */
static void live_ask(struct live *v)
{
	const struct member *m = &v->lane->crew->members[v->node];
	struct err why;

	live_hold(v, false);
	live_count(v, true);
	v->finished = false;
	v->since_ms = now_of(v->lane);
	if (session_ask(&v->session, m->tag, m->value, &why) == RC_OK)
		return;
	v->session.err = why;
	lane_settled(&v->session);
}

/* A session from an earlier round. */
static void live_begin(struct live *v)
{
	struct crew *c = v->lane->crew;

	c->members[v->node].answered = false;
	c->members[v->node].tries = 1;
	if (!next_request(c, v->node)) {
		atomic_fetch_sub(&c->total, 1);
		return;
	}
	v->lane->unfinished++;
	live_ask(v);
}

static void node_open(struct lane *l, size_t node)
{
	struct member *m = &l->crew->members[node];
	struct err why;
	struct live *v = live_new(l, node, &why);

	m->tries++;
	if (!v) {
		m->lost = true;
		node_finish(l, node, &why);
		return;
	}
	live_count(v, true);
	v->since_ms = now_of(l);
	if (session_open(&v->session, m->tag, m->value, &why) == RC_OK)
		return;
	v->session.err = why;
	m->lost = true;
	live_finish(v);
	live_free(v);
}

/* ---- what becomes of a session that rests */

/* The pause before the next try: it doubles, and differs from node to node, so that
 * those who were turned away together do not come back together. */
static uint64_t pause_ms(size_t node, unsigned tries)
{
	uint64_t pause = (uint64_t)PAUSE_MS << (tries - 1);
	uint32_t spread = (uint32_t)node * 2654435761u >> 22; /* 0 to 1023 */

	if (pause > PAUSE_MAX_MS)
		pause = PAUSE_MAX_MS;
	return pause / 2 + pause * spread / 1024;
}

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

/* False when memory is short. */
static bool node_pause(struct lane *l, size_t node)
{
	struct member *m = &l->crew->members[node];

	if (l->paused_count == l->paused_room) {
		size_t room = l->paused_room ? l->paused_room * 2 : 64;
		size_t *bigger = realloc(l->paused, room * sizeof(*bigger));

		if (!bigger)
			return false;
		l->paused = bigger;
		l->paused_room = room;
	}
	m->due_ms = now_of(l) + pause_ms(node, m->tries);
	if (l->paused_count == 0 || m->due_ms < l->due_ms)
		l->due_ms = m->due_ms;
	l->paused[l->paused_count++] = node;
	return true;
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

/* ---- opening */

/* Room in the window, and for one more session at all. */
static bool has_room(const struct lane *l)
{
	return l->busy < l->crew->window && l->open < l->crew->most;
}

/* How long a session may stand still before it gives up its place in the window: nodes
 * that are silent must not keep the others waiting.  An answer may take libvirt a while. */
static uint64_t patience_ms(const struct session *s)
{
	return session_stage(s) == STAGE_ASK ? 15000 : 2000;
}

static void let_pass(struct lane *l)
{
	struct crew *c = l->crew;
	uint64_t now = now_of(l);

	if (l->busy < c->window || now < l->passed_ms + PASS_MS)
		return;
	l->passed_ms = now;
	for (struct live *v = l->all; v; v = v->next)
		if (v->counted && now - v->session.moved_ms >= patience_ms(&v->session))
			live_count(v, false);
}

static void open_queued(struct lane *l)
{
	struct crew *c = l->crew;

	while (has_room(l)) {
		size_t at = atomic_fetch_add(&c->next, 1);
		struct member *m;

		if (at >= c->queue_count)
			return;
		m = &c->members[c->queue[at]];
		m->answered = false;
		m->tries = 0;
		if (!next_request(c, c->queue[at])) {
			atomic_fetch_sub(&c->total, 1);
			continue;
		}
		l->unfinished++;
		node_open(l, c->queue[at]);
	}
}

static void open_paused(struct lane *l)
{
	uint64_t now, due = UINT64_MAX;
	size_t kept = 0;

	if (!l->paused_count || (now = now_of(l)) < l->due_ms)
		return;
	for (size_t i = 0; i < l->paused_count; i++) {
		size_t node = l->paused[i];
		uint64_t at = l->crew->members[node].due_ms;

		if (at <= now && has_room(l)) {
			node_open(l, node);
			continue;
		}
		l->paused[kept++] = node;
		due = at < due ? at : due;
	}
	l->paused_count = kept;
	l->due_ms = due;
}

static void open_more(struct lane *l)
{
	let_pass(l);
	open_paused(l);
	open_queued(l);
}

/* ---- the end of a round before its time */

static void stop_set(struct crew *c, enum crew_stop stop, enum rc code)
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
			stop_set(c, again ? CREW_STOP : CREW_FINISH, RC_INTERRUPTED);
	}
	if (c->deaf)
		return;
	if (stop_of(l) == CREW_FINISH && now >= c->grace_until_ms)
		stop_set(c, CREW_STOP, RC_INTERRUPTED);
	if (stop_of(l) == CREW_GO && c->deadline_ms && now >= c->deadline_ms)
		stop_set(c, CREW_STOP, RC_TIMEOUT);
}

enum rc crew_describe_stop(const struct crew *c, struct err *e)
{
	if (atomic_load(&c->stop_code) == RC_TIMEOUT)
		return err_set(e, RC_TIMEOUT, 0, "the run took longer than --deadline %u",
			c->options->deadline_s);
	return err_set(e, RC_INTERRUPTED, 0, "interrupted");
}

/* Gives up what is not to be waited for. */
static void give_up(struct lane *l)
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
	return a && a < b ? a : b;
}

/* When something is to be done that no session brings about. */
static void set_alarm(struct lane *l)
{
	struct crew *c = l->crew;
	uint64_t now = now_of(l), at = UINT64_MAX;

	if (l->paused_count && has_room(l))
		at = l->due_ms;
	if (l->busy >= c->window)
		at = sooner(l->passed_ms + PASS_MS, at);
	if (l == c->lanes && !c->deaf)
		at = sooner(
			stop_of(l) == CREW_FINISH ? c->grace_until_ms : c->deadline_ms,
			at);
	if (c->options->progress)
		at = sooner(l->tick_ms + LANE_TICK_MS, at);
	c->world->wake(l->world, at == UINT64_MAX ? 0 : at > now ? at - now : 1);
}

static void begin_held(struct lane *l)
{
	l->begun = true;
	for (struct live *v = l->all; v; v = v->next)
		if (v->session.state == S_READY && !v->resting)
			live_begin(v);
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
		stop_set(c, CREW_STOP, RC_INTERRUPTED);
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
		begin_held(l);
	do {
		rest_all(l);
		if (stop_of(l) != CREW_GO)
			give_up(l);
		else
			open_more(l);
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

static void lane_run(struct lane *l)
{
	l->running = !l->closing;
	l->crew->world->run(l->world);
	l->running = false;
}

static void *lane_main(void *lane)
{
	struct lane *l = lane;
	struct crew *c = l->crew;

	lane_run(l);
	atomic_fetch_sub(&c->others, 1);
	c->world->poke(c->lanes->world);
	return NULL;
}

/* All lanes but the first in threads of their own; where there is no thread to be had, one
 * after the other does it as well. */
void lanes_run(struct crew *c)
{
	bool threaded[FLEET_THREADS_MAX] = { false };

	for (size_t i = 1; i < c->lane_count; i++) {
		struct lane *l = &c->lanes[i];

		atomic_fetch_add(&c->others, 1);
		threaded[i] = pthread_create(&l->thread, NULL, lane_main, l) == 0;
		if (!threaded[i])
			atomic_fetch_sub(&c->others, 1);
	}
	lane_run(&c->lanes[0]);
	for (size_t i = 1; i < c->lane_count; i++)
		if (threaded[i])
			pthread_join(c->lanes[i].thread, NULL);
		else
			lane_run(&c->lanes[i]);
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
