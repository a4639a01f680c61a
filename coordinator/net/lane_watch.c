/* What the sessions of a lane are doing, for the person who watches. */
#include "coordinator/net/lane.h"

#include <string.h>

static enum fleet_stage stage_of(const struct session *s)
{
	static const enum fleet_stage stages[STAGE_COUNT] = {
		[STAGE_CONNECT] = FLEET_CONNECTING,
		[STAGE_LOGIN] = FLEET_LOGIN,
		[STAGE_START] = FLEET_STARTING,
		[STAGE_ASK] = FLEET_ASKED,
	};

	return stages[session_stage(s)];
}

const char *fleet_stage_name(enum fleet_stage stage)
{
	static const char *const names[FLEET_STAGES] = {
		[FLEET_QUEUED] = "queued",
		[FLEET_PAUSED] = "to be tried again",
		[FLEET_CONNECTING] = "connecting",
		[FLEET_LOGIN] = "logging in",
		[FLEET_STARTING] = "starting",
		[FLEET_ASKED] = "asked",
	};

	return names[stage];
}

/* Puts a node among the slowest, which are in order. */
static void add_slow(struct fleet_progress *p, const char *name, enum fleet_stage stage,
	double seconds)
{
	size_t at = FLEET_SLOWEST;

	while (at > 0 &&
		(!p->slowest[at - 1].name || p->slowest[at - 1].seconds < seconds))
		at--;
	if (at == FLEET_SLOWEST)
		return;
	memmove(&p->slowest[at + 1], &p->slowest[at],
		(FLEET_SLOWEST - 1 - at) * sizeof(p->slowest[0]));
	p->slowest[at].name = name;
	p->slowest[at].stage = stage;
	p->slowest[at].seconds = seconds;
}

static struct fleet_progress look(const struct lane *l, uint64_t now)
{
	struct fleet_progress p = { .in_stage[FLEET_PAUSED] = l->paused_count };

	for (const struct live *v = l->all; v; v = v->next) {
		enum fleet_stage stage = stage_of(&v->session);

		if (v->finished || session_stage(&v->session) == STAGE_REST)
			continue;
		p.in_stage[stage]++;
		add_slow(&p, v->session.name, stage, (double)(now - v->since_ms) / 1000);
	}
	return p;
}

static void add_up(struct fleet_progress *all, const struct fleet_progress *one)
{
	for (int i = 0; i < FLEET_STAGES; i++)
		all->in_stage[i] += one->in_stage[i];
	for (int i = 0; i < FLEET_SLOWEST && one->slowest[i].name; i++)
		add_slow(all, one->slowest[i].name, one->slowest[i].stage,
			one->slowest[i].seconds);
}

/* The first lane speaks for all. */
static void report(struct crew *c, uint64_t now)
{
	size_t next = atomic_load(&c->next);
	struct fleet_progress all = {
		.phase = c->call->phase,
		.done = atomic_load(&c->done),
		.failed = atomic_load(&c->failed),
		.total = atomic_load(&c->total),
		.in_stage[FLEET_QUEUED] = next < c->queue_count ? c->queue_count - next
								: 0,
		.seconds = (double)(now - c->began_ms) / 1000,
	};

	for (size_t i = 0; i < c->lane_count; i++)
		add_up(&all, &c->lanes[i].seen);
	c->options->progress(c->options->context, &all);
}

void lane_watch(struct lane *l)
{
	struct crew *c = l->crew;
	uint64_t now;

	if (!c->options->progress)
		return;
	now = c->world->now_ms(l->world);
	if (l->tick_ms && now < l->tick_ms + LANE_TICK_MS &&
		atomic_load(&c->done) < c->total)
		return;
	l->tick_ms = now;
	pthread_mutex_lock(&c->lock);
	l->seen = look(l, now);
	if (l == c->lanes)
		report(c, now);
	pthread_mutex_unlock(&c->lock);
}
