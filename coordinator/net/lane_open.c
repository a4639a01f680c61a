/* Which node is asked next: those that have a session, those that wait in the queue, those
 * that are tried again; as many at once as the window has room for. */
#include <stdlib.h>

#include "coordinator/net/lane_private.h"

enum {
	PAUSE_MS = 500, /* before the second try; doubles */
	PAUSE_MAX_MS = 8000,
	PASS_MS = 500, /* between two looks for sessions that stand still */
};

/* ---- asking */

/* ask() for the node's next request; false: there is none. */
bool next_request(struct crew *c, size_t node)
{
	struct member *m = &c->members[node];
	bool asked;

	pthread_mutex_lock(&c->lock);
	asked = c->call->ask(c->context, node, &m->tag, &m->value);
	pthread_mutex_unlock(&c->lock);
	return asked;
}

/* Sends the member's request on a session that rests. */
void live_ask(struct live *v)
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

void lane_begin_held(struct lane *l)
{
	l->begun = true;
	for (struct live *v = l->all; v; v = v->next)
		if (v->session.state == S_READY && !v->resting)
			live_begin(v);
}

/* ---- pauses */

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

/* False when memory is short. */
bool node_pause(struct lane *l, size_t node)
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

void lane_open_more(struct lane *l)
{
	let_pass(l);
	open_paused(l);
	open_queued(l);
}

uint64_t lane_opens_at(const struct lane *l)
{
	uint64_t at = UINT64_MAX;

	if (l->paused_count && has_room(l))
		at = l->due_ms;
	if (l->busy >= l->crew->window && l->passed_ms + PASS_MS < at)
		at = l->passed_ms + PASS_MS;
	return at;
}
