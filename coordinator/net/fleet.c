#include "coordinator/net/fleet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "coordinator/net/capacity.h"
#include "coordinator/net/keyring.h"
#include "coordinator/net/lane.h"

enum {
	CONNECT_S = 30,
	REQUEST_S = 120,
	TRIES = 3,
	AGENT_S = 15, /* some agents ask their user before they answer */
};

struct fleet {
	struct crew crew;
	const struct fleet_ground *ground;
	struct hostkey_policy hostkeys;
	struct keyring keyring;
	struct image image;
	struct arena arena;
	struct capacity capacity;
	size_t *queue; /* room for every node */
	bool started;  /* the transport is */
};

/* ---- rounds */

/* The nodes without a session wait in the queue; those with one are asked by the lane that
 * has it. */
static void queue_make(struct fleet *f)
{
	struct crew *c = &f->crew;
	size_t total = 0;

	c->queue_count = 0;
	for (size_t i = 0; i < c->lane_count; i++)
		lane_forget_closing(&c->lanes[i]);
	for (size_t i = 0; i < c->inv->count; i++) {
		if (c->members[i].lost)
			continue;
		total++;
		if (!c->members[i].live)
			f->queue[c->queue_count++] = i;
	}
	c->queue = f->queue;
	atomic_store(&c->next, 0);
	atomic_store(&c->done, 0);
	atomic_store(&c->failed, 0);
	atomic_store(&c->total, total);
}

enum rc fleet_round(
	struct fleet *f, const struct fleet_call *call, void *context, struct err *e)
{
	struct crew *c = &f->crew;
	struct world *first = c->lanes[0].world;
	struct err why;

	c->call = call;
	c->context = context;
	queue_make(f);
	c->world->notice(first); /* signals since the last round */
	lane_notice_stop(&c->lanes[0]);
	c->began_ms = c->world->now_ms(first);
	if (atomic_load(&c->stop) == CREW_GO)
		lanes_run(c);
	if (atomic_load(&c->stop) == CREW_GO)
		return RC_OK;
	crew_describe_stop(c, &why);
	crew_blame_rest(c, &why);
	return err_set(e, why.code, 0, "%.800s during %s", why.text, call->phase);
}

void fleet_ignore_interrupt(struct fleet *f)
{
	f->crew.deaf = true;
	atomic_store(&f->crew.stop, CREW_GO);
}

void fleet_release_signals(struct fleet *f)
{
	f->crew.world->release_signals(f->crew.lanes[0].world);
}

/* All of a few may fall to one lane. */
enum rc fleet_holds(const struct fleet *f, size_t count, struct err *e)
{
	const struct crew *c = &f->crew;

	if (count <= c->hold_max)
		return RC_OK;
	return err_set(e, RC_MEMORY, 0,
		"the connections of %zu nodes cannot stay open at once: %s allows %zu "
		"here",
		count, f->capacity.bound_by, c->hold_max);
}

enum rc fleet_holds_all(const struct fleet *f, struct err *e)
{
	const struct crew *c = &f->crew;
	size_t count = c->inv->count;

	if (c->hold_max == SIZE_MAX)
		return RC_OK;
	return err_set(e, RC_MEMORY, 0,
		"the connections of all %zu nodes cannot stay open at once: %s allows "
		"%zu here",
		count, f->capacity.bound_by, c->hold_max * c->lane_count);
}

void fleet_try_again(struct fleet *f, size_t node)
{
	f->crew.members[node].lost = false;
}

bool fleet_is_alive(const struct fleet *f, size_t node)
{
	return !f->crew.members[node].lost;
}

const struct err *fleet_error(const struct fleet *f, size_t node)
{
	static const struct err well = { RC_OK, 0, "" };
	const struct err *err = f->crew.members[node].err;

	return err ? err : &well;
}

/* ---- life */

/* Less than a node has to connect, so that a node is not blamed for the agent. */
static uint32_t agent_patience_ms(const struct fleet_options *options)
{
	uint32_t half = (options->connect_timeout_s ? options->connect_timeout_s
						    : CONNECT_S) *
			1000 / 2;

	return half < AGENT_S * 1000 ? half : AGENT_S * 1000;
}

static enum rc load_keys(struct fleet *f, struct err *e)
{
	const struct ssh_settings *const *settings = f->crew.options->settings;
	size_t count = f->crew.inv->count;
	enum rc rc = keyring_load(&f->keyring, settings, count, e);

	f->crew.common.keyring = &f->keyring;
	if (rc != RC_OK)
		return rc;
	return keyring_unlock(&f->keyring, settings, count, f->crew.common.agent_ms, e);
}

static enum rc load_known_hosts(struct fleet *f, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < f->crew.inv->count && rc == RC_OK; i++)
		rc = hostkey_load(&f->hostkeys, f->crew.options->settings[i], e);
	return rc;
}

static void describe_common(struct fleet *f)
{
	const struct fleet_options *o = f->crew.options;
	struct session_common *common = &f->crew.common;

	f->image = image_of_peer();
	common->transport = f->ground->transport;
	common->world = &f->crew.world->session;
	common->hostkeys = &f->hostkeys;
	common->connect = o->connect ? o->connect : "";
	common->image = &f->image;
	common->connect_ms = (o->connect_timeout_s ? o->connect_timeout_s : CONNECT_S) *
			     1000;
	common->request_ms = (o->timeout_s ? o->timeout_s : REQUEST_S) * 1000;
	common->agent_ms = agent_patience_ms(o);
	common->answer = lane_answer;
	common->settled = lane_settled;
}

/* Each lane has its part of the window.  Where not all sessions fit it has its part of
 * those that do as well, and keeps enough of it for its window. */
static void share_out(struct crew *c, size_t most)
{
	c->window /= c->lane_count;
	c->most = c->hold_max = SIZE_MAX;
	if (most >= c->inv->count)
		return;
	c->most = most / c->lane_count;
	c->hold_max = c->most - c->window;
}

/* Open files of one node: its socket; and what connects it to a jump host or to the
 * words of a ProxyCommand. */
static size_t files_each(const struct fleet *f)
{
	const struct ssh_settings *const *settings = f->crew.options->settings;
	bool direct = true;

	for (size_t i = 0; i < f->crew.inv->count; i++)
		direct = direct && !settings[i]->jump && !settings[i]->proxy_command;
	return direct ? 1 : 2;
}

/* How many at once: what the user says, within what this machine has. */
static enum rc find_capacity(struct fleet *f, struct err *e)
{
	struct crew *c = &f->crew;
	size_t window = c->options->parallel ? c->options->parallel : FLEET_PARALLEL;
	size_t most;

	if (f->ground->sessions)
		f->capacity = (struct capacity){ f->ground->sessions, 0, "the ground" };
	else if (capacity_find(c->inv->count, files_each(f), &f->capacity, e) != RC_OK)
		return e->code;
	most = f->capacity.sessions;
	if (c->options->parallel > most)
		log_line(LOG_WARN, NULL, "--parallel %u: %s allows %zu here",
			c->options->parallel, f->capacity.bound_by, most);
	c->window = window < most ? window : most;
	return RC_OK;
}

/* No more lanes than sessions at once, so that each has work. */
static size_t lanes_wanted(const struct crew *c)
{
	size_t count = c->options->threads ? c->options->threads : 1;

	count = count < FLEET_THREADS_MAX ? count : FLEET_THREADS_MAX;
	count = count < c->window ? count : c->window;
	count = count < c->inv->count ? count : c->inv->count;
	return count ? count : 1;
}

static enum rc lanes_make(struct fleet *f, struct err *e)
{
	struct crew *c = &f->crew;
	size_t count = lanes_wanted(c);

	c->lanes = arena_alloc(&f->arena, count, sizeof(*c->lanes));
	if (!c->lanes)
		return err_memory(e);
	if (lanes_start(c, count, e) != RC_OK)
		return e->code;
	share_out(c, f->capacity.sessions);
	if (c->options->deadline_s)
		c->deadline_ms = c->world->now_ms(c->lanes[0].world) +
				 c->options->deadline_s * UINT64_C(1000);
	return RC_OK;
}

static enum rc members_make(struct fleet *f, struct err *e)
{
	struct crew *c = &f->crew;

	c->members = arena_alloc(&f->arena, c->inv->count, sizeof(*c->members));
	f->queue = arena_alloc(&f->arena, c->inv->count, sizeof(*f->queue));
	return c->members && f->queue ? RC_OK : err_memory(e);
}

static enum rc fleet_start(struct fleet *f, struct err *e)
{
	enum rc rc = f->ground->transport->start(e);

	f->started = rc == RC_OK;
	describe_common(f);
	if (rc == RC_OK)
		rc = members_make(f, e);
	if (rc == RC_OK)
		rc = load_keys(f, e);
	if (rc == RC_OK)
		rc = load_known_hosts(f, e);
	if (rc == RC_OK)
		rc = find_capacity(f, e);
	return rc == RC_OK ? lanes_make(f, e) : rc;
}

struct fleet *fleet_new(
	const struct inventory *inv, const struct fleet_options *options, struct err *e)
{
	static const struct fleet_ground ground = { &world_libuv, &transport_libssh2, 0 };

	return fleet_new_on(&ground, inv, options, e);
}

struct fleet *fleet_new_on(const struct fleet_ground *ground, const struct inventory *inv,
	const struct fleet_options *options, struct err *e)
{
	struct fleet *f = calloc(1, sizeof(*f));

	if (!f) {
		err_memory(e);
		return NULL;
	}
	f->ground = ground;
	f->crew.world = ground->world;
	f->crew.inv = inv;
	f->crew.options = options;
	f->crew.tries = options->tries ? options->tries : TRIES;
	pthread_mutex_init(&f->crew.lock, NULL);
	hostkey_init(&f->hostkeys);
	if (fleet_start(f, e) == RC_OK)
		return f;
	fleet_destroy(f);
	return NULL;
}

void fleet_destroy(struct fleet *f)
{
	struct crew *c;
	bool any = false;

	if (!f)
		return;
	c = &f->crew;
	for (size_t i = 0; i < c->lane_count; i++) {
		lane_part(&c->lanes[i]);
		any = any || c->lanes[i].all;
	}
	if (any && atomic_load(&c->stop) != CREW_STOP)
		lanes_run(c);
	if (c->lanes)
		lanes_end(c);
	for (size_t i = 0; c->members && i < c->inv->count; i++)
		member_destroy(&c->members[i]);
	pthread_mutex_destroy(&c->lock);
	hostkey_destroy(&f->hostkeys);
	keyring_destroy(&f->keyring);
	arena_destroy(&f->arena);
	if (f->started)
		f->ground->transport->stop();
	free(f);
}
