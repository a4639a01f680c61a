#include "tests/sim/world_sim.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/node.h"

enum { STUCK_S = 60, STANDSTILL = 1000 * 1000 };

struct sim_weather sim_weather;

static struct world *first_world; /* of the fleet; signals wake it */

/* All lanes begin together. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t all_here;
	size_t worlds, here, times;
} beginning = { .lock = PTHREAD_MUTEX_INITIALIZER, .all_here = PTHREAD_COND_INITIALIZER };

static void wait_for_all(void)
{
	size_t before;

	pthread_mutex_lock(&beginning.lock);
	before = beginning.times;
	if (++beginning.here == beginning.worlds) {
		beginning.here = 0;
		beginning.times++;
		pthread_cond_broadcast(&beginning.all_here);
	}
	while (beginning.times == before)
		pthread_cond_wait(&beginning.all_here, &beginning.lock);
	pthread_mutex_unlock(&beginning.lock);
}

enum event_kind { EVENT_READY, EVENT_ALARM, EVENT_WAKE };

struct event {
	enum event_kind kind;
	struct session *session;
	uint64_t at, order;
	size_t place; /* in the heap, from 1; 0: not there */
};

struct world {
	void (*turn)(void *owner);
	void *owner;
	uint64_t now, order;
	struct event **heap; /* heap[1] comes first */
	size_t count, room;
	struct event wake;
	bool stopping, poked;
	pthread_mutex_t lock; /* around poked */
	pthread_cond_t was_poked;
};

struct handles {
	struct world *world;
	struct event ready, alarm;
};

uint64_t sim_now(const struct sim_node *n)
{
	return n->world->now;
}

/* ---- the queue of events: a heap, in which each event knows its place */

static bool comes_before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put_at(struct world *w, size_t place, struct event *event)
{
	w->heap[place] = event;
	event->place = place;
}

static void rise(struct world *w, size_t place, struct event *event)
{
	while (place > 1 && comes_before(event, w->heap[place / 2])) {
		put_at(w, place, w->heap[place / 2]);
		place /= 2;
	}
	put_at(w, place, event);
}

static void sink(struct world *w, size_t place, struct event *event)
{
	for (;;) {
		size_t child = 2 * place;

		if (child < w->count && comes_before(w->heap[child + 1], w->heap[child]))
			child++;
		if (child > w->count || comes_before(event, w->heap[child]))
			break;
		put_at(w, place, w->heap[child]);
		place = child;
	}
	put_at(w, place, event);
}

static void cancel(struct world *w, struct event *event)
{
	size_t place = event->place;
	struct event *last;

	if (!place)
		return;
	event->place = 0;
	last = w->heap[w->count--];
	if (last == event)
		return;
	if (place > 1 && comes_before(last, w->heap[place / 2]))
		rise(w, place, last);
	else
		sink(w, place, last);
}

static void schedule(struct world *w, struct event *event, uint64_t at)
{
	cancel(w, event);
	if (at == SIM_NEVER)
		return;
	if (w->count + 1 >= w->room) {
		w->room = w->room ? 2 * w->room : 256;
		w->heap = realloc(w->heap, w->room * sizeof(struct event *));
		if (!w->heap)
			abort();
	}
	event->at = at;
	event->order = w->order++;
	rise(w, ++w->count, event);
}

static void wake_world(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	w->poked = true;
	pthread_cond_signal(&w->was_poked);
	pthread_mutex_unlock(&w->lock);
}

static void happen(struct world *w, struct event *event)
{
	unsigned count = atomic_fetch_add(&sim_weather.events, 1) + 1;

	cancel(w, event);
	if (count == sim_weather.interrupt_at[0] || count == sim_weather.interrupt_at[1])
		wake_world(first_world);
	if (event->kind == EVENT_READY)
		session_advance(event->session);
	else if (event->kind == EVENT_ALARM)
		session_expire(event->session);
}

/* Goes on to the next moment at which something happens, and lets it happen. */
static void pass_time(struct world *w)
{
	uint64_t made_before = w->order;

	if (w->heap[1]->at > w->now)
		w->now = w->heap[1]->at;
	while (w->count && w->heap[1]->at <= w->now && w->heap[1]->order < made_before)
		happen(w, w->heap[1]);
}

/* ---- sessions */

static struct handles *handles_of(const struct session *s)
{
	return s->handles;
}

static enum rc sim_bind(struct world *w, struct session *s, struct err *e)
{
	struct handles *h = calloc(1, sizeof(*h));
	size_t now_open, most;

	if (!h || atomic_fetch_add(&sim_weather.binds, 1) + 1 ==
			  sim_weather.bind_fails_at) {
		free(h);
		return err_memory(e);
	}
	h->world = w;
	h->ready = (struct event){ .kind = EVENT_READY, .session = s };
	h->alarm = (struct event){ .kind = EVENT_ALARM, .session = s };
	s->handles = h;
	sim_node_begins(sim_node_of(s), w);
	now_open = atomic_fetch_add(&sim_weather.sessions, 1) + 1;
	most = atomic_load(&sim_weather.sessions_max);
	while (now_open > most &&
		!atomic_compare_exchange_weak(&sim_weather.sessions_max, &most, now_open))
		;
	return RC_OK;
}

static void sim_unbind(struct session *s)
{
	struct handles *h = handles_of(s);

	cancel(h->world, &h->ready);
	cancel(h->world, &h->alarm);
	sim_node_of(s)->sessions--;
	atomic_fetch_sub(&sim_weather.sessions, 1);
	s->handles = NULL;
	free(h);
}

static enum rc wait_for_node(struct session *s, enum rc rc)
{
	if (rc == RC_AGAIN)
		schedule(handles_of(s)->world, &handles_of(s)->ready,
			sim_node_of(s)->ready_at);
	return rc;
}

static enum rc sim_resolve(struct session *s, struct err *e)
{
	enum rc rc = sim_pass(sim_node_of(s), SIM_RESOLVE, e);

	if (rc == RC_OK)
		s->address_count = 1;
	return wait_for_node(s, rc);
}

static enum rc sim_dial(
	struct session *s, const struct session_address *to, struct err *e)
{
	struct sim_node *n = sim_node_of(s);

	(void)to;
	if (s->fd < 0) {
		if (n->dials < SIM_DIALS_MAX)
			n->dialled_at[n->dials] = n->world->now;
		n->dials++;
		s->fd = n->fd;
		atomic_fetch_add(&sim_weather.sockets, 1);
	}
	return wait_for_node(s, sim_pass(n, SIM_DIAL, e));
}

static void sim_hang_up(struct session *s)
{
	struct handles *h = handles_of(s);

	if (h)
		cancel(h->world, &h->ready);
	if (s->fd >= 0)
		atomic_fetch_sub(&sim_weather.sockets, 1);
	s->fd = -1;
}

static void sim_watch(struct session *s, int directions, bool hot)
{
	struct handles *h = handles_of(s);
	const struct sim_node *n = sim_node_of(s);
	bool awaited = n->directions ? (directions & n->directions) != 0
				     : directions == (TRANSPORT_READ | TRANSPORT_WRITE);

	if (hot)
		schedule(h->world, &h->ready, h->world->now);
	else
		schedule(h->world, &h->ready, awaited ? n->ready_at : SIM_NEVER);
}

static void sim_alarm(struct session *s, uint64_t ms)
{
	struct handles *h = handles_of(s);

	schedule(h->world, &h->alarm, ms ? h->world->now + ms : SIM_NEVER);
}

static uint64_t session_now(struct session *s)
{
	return handles_of(s)->world->now;
}

/* ---- the loop */

static struct world *sim_create(void (*turn)(void *owner), void *owner, struct err *e)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w) {
		err_memory(e);
		return NULL;
	}
	if (!first_world)
		first_world = w;
	beginning.worlds++;
	w->turn = turn;
	w->owner = owner;
	w->now = SIM_BEGIN_MS;
	w->wake.kind = EVENT_WAKE;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->was_poked, NULL);
	return w;
}

/* Was it poked since?  Where nothing will ever happen otherwise, it waits for that: another
 * lane may do it.  False: nobody did, and nobody will. */
static bool take_poke(struct world *w, bool wait)
{
	struct timespec until;
	bool poked;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STUCK_S;
	pthread_mutex_lock(&w->lock);
	while (wait && !w->poked && beginning.worlds > 1)
		if (pthread_cond_timedwait(&w->was_poked, &w->lock, &until) != 0)
			break;
	poked = w->poked;
	w->poked = false;
	pthread_mutex_unlock(&w->lock);
	return poked;
}

static void sim_run(struct world *w)
{
	uint64_t before = 0;
	unsigned standing = 0;

	wait_for_all();
	for (w->stopping = false;;) {
		w->turn(w->owner);
		if (w->stopping)
			return;
		if (take_poke(w, w->count == 0))
			continue;
		standing = w->now == before ? standing + 1 : 0;
		before = w->now;
		if (w->count == 0 || standing > STANDSTILL)
			break;
		pass_time(w);
	}
	atomic_store(&sim_weather.stuck, true);
}

static void sim_stop(struct world *w)
{
	w->stopping = true;
}

static void sim_notice(struct world *w)
{
	(void)w;
}

static void sim_wake(struct world *w, uint64_t ms)
{
	schedule(w, &w->wake, ms ? w->now + ms : SIM_NEVER);
}

static uint64_t sim_now_ms(struct world *w)
{
	return w->now;
}

static unsigned sim_interrupts(struct world *w)
{
	unsigned count = 0;

	assert(w); /* the real one has to look */
	for (int i = 0; i < 2; i++)
		if (sim_weather.interrupt_at[i] &&
			sim_weather.events >= sim_weather.interrupt_at[i])
			count++;
	return count;
}

static void sim_release_signals(struct world *w)
{
	(void)w;
}

static void sim_destroy(struct world *w)
{
	if (w == first_world)
		first_world = NULL;
	beginning.worlds--;
	free(w->heap);
	pthread_cond_destroy(&w->was_poked);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

const struct world_ops world_sim = {
	.session = {
		.bind = sim_bind,
		.unbind = sim_unbind,
		.resolve = sim_resolve,
		.dial = sim_dial,
		.hang_up = sim_hang_up,
		.watch = sim_watch,
		.alarm = sim_alarm,
		.now_ms = session_now,
	},
	.create = sim_create,
	.run = sim_run,
	.stop = sim_stop,
	.notice = sim_notice,
	.wake = sim_wake,
	.poke = wake_world,
	.now_ms = sim_now_ms,
	.interrupts = sim_interrupts,
	.release_signals = sim_release_signals,
	.destroy = sim_destroy,
};
