#include "coordinator/net/bastion.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "coordinator/net/relay.h"
#include "coordinator/net/world_private.h"

enum {
	NAME_MAX_BYTES = 300,
	STUCK_MS = 1000,    /* so long a relay may take to open one tunnel */
	CROWD = 4,	    /* so many wait for a relay before there is another one */
	LOOK_MS = 250,	    /* between two looks while some wait */
	AGAIN_MS = 500,	    /* before the second try; doubles */
	NO_MORE_MS = 10000, /* after a further connection failed */
};

struct bastion {
	const struct ssh_settings *settings;
	struct world *world;
	struct session_common common;
	char name[NAME_MAX_BYTES]; /* "jump host gw" */
	struct relay *relays;
	struct tunnel *waiting, **waiting_end;
	size_t waiting_count;
	uv_timer_t attend;
	unsigned tries; /* that failed since a relay was up */
	uint64_t pause_until_ms;
	struct err dead; /* RC_OK, or why it cannot be reached */
	struct bastion *next;
};

static uint64_t now_of(const struct bastion *b)
{
	return uv_now(&b->world->loop);
}

/* ---- who waits */

static void wait_for_turn(struct bastion *b, struct tunnel *t)
{
	t->state = TUNNEL_WAITING;
	t->relay = NULL;
	t->next = NULL;
	*b->waiting_end = t;
	b->waiting_end = &t->next;
	b->waiting_count++;
}

static void remove_waiting(struct bastion *b, struct tunnel **at)
{
	struct tunnel *t = *at;

	*at = t->next;
	if (b->waiting_end == &t->next)
		b->waiting_end = at;
	t->next = NULL;
	b->waiting_count--;
}

struct tunnel *bastion_take(struct bastion *b)
{
	struct tunnel *t = b->waiting;

	if (t)
		remove_waiting(b, &b->waiting);
	return t;
}

static void leave_queue(struct bastion *b, struct tunnel *t)
{
	struct tunnel **at = &b->waiting;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		remove_waiting(b, at);
}

/* Everybody hears the reason. */
static void fail_waiting(struct bastion *b)
{
	struct tunnel *t;

	while ((t = bastion_take(b))) {
		tunnel_fail(t, &b->dead);
		session_advance(t->session);
	}
}

/* ---- relays come and go */

/* The relay's session is S_RELAY's, or over. */
static void relay_settled(struct session *s)
{
	const struct relay *r = s->owner;

	bastion_attend_soon(r->bastion);
}

static enum rc relay_start(struct bastion *b, struct err *e)
{
	struct relay *r = calloc(1, sizeof(*r));

	if (!r)
		return err_memory(e);
	r->bastion = b;
	session_init(&r->session, &b->common, b->name, b->settings, &r->arena);
	r->session.owner = r;
	if (b->common.world->bind(b->world, &r->session, e) != RC_OK) {
		free(r);
		return e->code;
	}
	r->next = b->relays;
	b->relays = r;
	session_open_relay(&r->session);
	return RC_OK;
}

/* A tunnel whose relay is gone: what was not open yet may wait for another one. */
static void orphan(struct bastion *b, struct tunnel *t, const struct err *why)
{
	bool may_wait = t->state == TUNNEL_OPENING && !t->again && b->dead.code == RC_OK;

	t->channel = NULL;
	if (!t->session) {
		tunnel_free(t);
		return;
	}
	t->again = true;
	if (may_wait) {
		wait_for_turn(b, t);
		return;
	}
	tunnel_fail(t, why);
	session_advance(t->session);
}

static void relay_end(struct relay *r, const struct err *why)
{
	struct bastion *b = r->bastion;
	struct tunnel *t;

	r->over = true;
	session_destroy(&r->session);
	b->common.world->unbind(&r->session);
	while ((t = r->tunnels)) {
		r->tunnels = t->next;
		t->next = NULL;
		orphan(b, t, why);
	}
	arena_destroy(&r->arena);
	free(r);
}

static bool has_relay_up(const struct bastion *b)
{
	bool up = false;

	for (const struct relay *r = b->relays; r; r = r->next)
		up = up || (r->up && !session_is_final(&r->session));
	return up;
}

/* One more connection did not come about: the others do, or it is tried again, or nobody
 * gets through. */
static void take_failure(struct bastion *b, const struct session *s)
{
	b->tries++;
	if (has_relay_up(b)) {
		b->pause_until_ms = now_of(b) + NO_MORE_MS;
		log_line(LOG_INFO, b->name, "a further connection: %s", s->err.text);
	} else if (session_may_retry(s) && b->tries < BASTION_TRIES) {
		b->pause_until_ms = now_of(b) + ((uint64_t)AGAIN_MS << (b->tries - 1));
		log_line(LOG_INFO, b->name, "%s; try %u of %d follows", s->err.text,
			b->tries + 1, BASTION_TRIES);
	} else {
		err_set(&b->dead, s->err.code, 0, "%s: %s", b->name, s->err.text);
	}
}

/* Why the nodes of a relay that was up lost it.  They may be asked again: it may have been
 * this one connection. */
static void describe_loss(const struct bastion *b, const struct session *s, struct err *e)
{
	err_set(e, RC_SSH, ECONNRESET, "the connection to %s broke: %s", b->name,
		s->err.code == RC_OK ? "it was closed" : s->err.text);
}

static void reap(struct bastion *b)
{
	struct relay **at = &b->relays;

	while (*at) {
		struct relay *r = *at;
		struct err why;

		if (!session_is_final(&r->session)) {
			b->tries = r->up ? 0 : b->tries;
			at = &r->next;
			continue;
		}
		*at = r->next;
		if (!r->up)
			take_failure(b, &r->session);
		describe_loss(b, &r->session, &why);
		relay_end(r, &why);
		at = &b->relays; /* the nodes may have changed what was there */
	}
}

/* ---- how many */

static bool is_nimble(const struct bastion *b, const struct relay *r)
{
	return r->up && r->count < RELAY_TUNNELS_MAX &&
	       (!r->opening || now_of(b) - r->opening_since_ms < STUCK_MS);
}

static bool wants_relay(const struct bastion *b)
{
	size_t all = 0, coming = 0, nimble = 0;

	for (const struct relay *r = b->relays; r; r = r->next) {
		all++;
		coming += !r->up;
		nimble += is_nimble(b, r);
	}
	if (!b->waiting || coming || now_of(b) < b->pause_until_ms)
		return false;
	return all < BASTION_RELAYS_MOST && nimble < BASTION_RELAYS &&
	       b->waiting_count > nimble * CROWD;
}

static void attend(uv_timer_t *timer)
{
	struct bastion *b = timer->data;
	struct err e;

	reap(b);
	if (b->dead.code == RC_OK && wants_relay(b) && relay_start(b, &e) != RC_OK)
		err_set(&b->dead, e.code, 0, "%s: %s", b->name, e.text);
	if (b->dead.code != RC_OK && !has_relay_up(b))
		fail_waiting(b);
	for (struct relay *r = b->relays; b->waiting && r; r = r->next)
		relay_rouse(r);
	if (b->waiting && !uv_is_active((uv_handle_t *)&b->attend))
		uv_timer_start(&b->attend, attend, LOOK_MS, 0);
}

void bastion_attend_soon(struct bastion *b)
{
	uv_timer_start(&b->attend, attend, 0, 0);
}

/* ---- bastions */

/* Less time than its nodes have, so that they hear its reason and not their own. */
static void describe_common(struct bastion *b, const struct session_common *nodes)
{
	b->common = *nodes;
	b->common.connect_ms = nodes->connect_ms / 4 * 3;
	b->common.settled = relay_settled;
	b->common.relay = relay_run;
}

static struct bastion *bastion_of(struct session *s, struct err *e)
{
	const struct ssh_settings *jump = s->settings->jump;
	struct world *w = handles_of(s)->world;
	struct bastion *b = w->bastions;

	while (b && b->settings != jump)
		b = b->next;
	if (b)
		return b;
	b = calloc(1, sizeof(*b));
	if (!b) {
		err_memory(e);
		return NULL;
	}
	b->settings = jump;
	b->world = w;
	b->waiting_end = &b->waiting;
	b->dead.code = RC_OK;
	describe_common(b, s->common);
	snprintf(b->name, sizeof(b->name),
		jump->port == 22 ? "jump host %s" : "jump host %s:%u", jump->host,
		jump->port);
	uv_timer_init(&w->loop, &b->attend);
	b->attend.data = b;
	b->next = w->bastions;
	w->bastions = b;
	return b;
}

static enum rc join(struct session *s, struct err *e)
{
	struct bastion *b = bastion_of(s, e);
	struct tunnel *t;
	int fd;

	if (!b)
		return e->code;
	if (b->dead.code != RC_OK) {
		*e = b->dead;
		return e->code;
	}
	t = tunnel_new(s, &fd, e);
	if (!t)
		return e->code;
	t->bastion = b;
	handles_of(s)->tunnel = t;
	wait_for_turn(b, t);
	bastion_attend_soon(b);
	return world_attach(s, fd, e) == RC_OK ? RC_AGAIN : e->code;
}

enum rc bastion_dial(struct session *s, struct err *e)
{
	const struct tunnel *t = handles_of(s)->tunnel;

	if (!t)
		return join(s, e);
	if (t->state == TUNNEL_FAILED) {
		*e = t->why;
		return e->code;
	}
	return t->state == TUNNEL_OPEN ? RC_OK : RC_AGAIN;
}

void bastion_hang_up(struct session *s)
{
	struct handles *h = handles_of(s);
	struct tunnel *t = h->tunnel;

	h->tunnel = NULL;
	if (!t)
		return;
	t->session = NULL;
	tunnel_stop_watching(t);
	if (t->state == TUNNEL_WAITING)
		leave_queue(t->bastion, t);
	if (t->relay)
		relay_rouse(t->relay); /* closes the channel */
	else
		tunnel_free(t);
}

/* Where a relay is that is not up; NULL: none is on its way. */
static const char *stage_of_relay(const struct bastion *b)
{
	const char *stage = NULL;

	for (const struct relay *r = b->relays; r; r = r->next)
		if (!r->up)
			stage = session_state_name(r->session.state);
	return stage;
}

void bastion_explain(struct session *s)
{
	const struct tunnel *t = handles_of(s)->tunnel;
	const struct bastion *b = t->bastion;
	const struct err why = s->err;
	const char *stage = stage_of_relay(b);

	if (t->state == TUNNEL_FAILED)
		s->err = t->why;
	else if (t->state == TUNNEL_OPENING)
		err_set(&s->err, why.code, 0, "%s (%s waits for it)", why.text, b->name);
	else if (t->state == TUNNEL_WAITING && !has_relay_up(b))
		err_set(&s->err, why.code, 0, "%s (%s is not reached yet: %s)", why.text,
			b->name, stage ? stage : "to be tried again");
	else if (t->state == TUNNEL_WAITING)
		err_set(&s->err, why.code, 0, "%s (%s is busy with other nodes)",
			why.text, b->name);
}

static void bastion_freed(uv_handle_t *timer)
{
	free(timer->data);
}

void bastions_close(struct world *w)
{
	static const struct err end = { RC_INTERRUPTED, 0, "the run is over" };

	/* one may be the way to the other: first all connections end */
	for (struct bastion *b = w->bastions; b; b = b->next)
		for (struct relay *r = b->relays; r; r = r->next) {
			r->over = true;
			session_destroy(&r->session);
		}
	while (w->bastions) {
		struct bastion *b = w->bastions;

		w->bastions = b->next;
		while (b->relays) {
			struct relay *r = b->relays;

			b->relays = r->next;
			relay_end(r, &end);
		}
		uv_close((uv_handle_t *)&b->attend, bastion_freed);
	}
}
