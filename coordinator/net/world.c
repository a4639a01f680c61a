/* libuv as the world of sessions: one loop, its turns, its time and its signals.
 *
 * A session that is advanced from here never delays another one for longer than its own
 * calls take: reading is done in turns.
 */
#include "coordinator/net/bastion.h"
#include "coordinator/net/proxy.h"
#include "coordinator/net/world_private.h"

#include <signal.h>
#include <stdlib.h>

enum { PATIENCE_MS = 1000 }; /* for what closes in its own time */

/* ---- sessions */

static void alarm_rings(uv_timer_t *timer)
{
	struct handles *h = timer->data;

	session_expire(h->session);
}

static enum rc world_bind(struct world *w, struct session *s, struct err *e)
{
	struct handles *h = calloc(1, sizeof(*h));

	if (!h)
		return err_memory(e);
	h->session = s;
	h->world = w;
	uv_timer_init(&w->loop, &h->alarm);
	h->alarm.data = h;
	s->handles = h;
	return RC_OK;
}

static void handles_free(uv_handle_t *alarm)
{
	free(alarm->data);
}

static void world_unbind(struct session *s)
{
	struct handles *h = handles_of(s);

	h->session = NULL;
	s->handles = NULL;
	uv_close((uv_handle_t *)&h->alarm, handles_free);
}

static void world_alarm(struct session *s, uint64_t ms)
{
	struct handles *h = handles_of(s);

	if (ms)
		uv_timer_start(&h->alarm, alarm_rings, ms, 0);
	else
		uv_timer_stop(&h->alarm);
}

static uint64_t world_now_ms(struct world *w)
{
	/* the loop's own clock stands still while one callback runs long */
	uv_update_time(&w->loop);
	return uv_now(&w->loop);
}

static uint64_t session_now_ms(struct session *s)
{
	return world_now_ms(handles_of(s)->world);
}

static enum rc world_agent(struct session *s, const char *path, struct agent_wait *who,
	struct agent **out, struct err *e)
{
	*out = world_agent_at(&handles_of(s)->world->agents, path, s->common->agent_ms);
	if (!*out)
		return err_memory(e);
	return who ? agent_list(*out, who, e) : RC_AGAIN;
}

/* ---- turns */

static void take_turn(uv_prepare_t *before_wait)
{
	struct world *w = before_wait->data;

	w->turn(w->owner);
}

static void nothing_to_do(uv_timer_t *timer)
{
	(void)timer; /* the wait is over, that is all */
}

/* By another lane, or by a name that was looked up. */
static void poked(uv_async_t *async)
{
	world_hear_lookups(async->data);
}

static void world_wake(struct world *w, uint64_t ms)
{
	if (ms)
		uv_timer_start(&w->alarm, nothing_to_do, ms, 0);
	else
		uv_timer_stop(&w->alarm);
}

static void world_poke(struct world *w)
{
	uv_async_send(&w->poked);
}

static void world_run(struct world *w)
{
	uv_run(&w->loop, UV_RUN_DEFAULT);
}

static void world_notice(struct world *w)
{
	uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void world_stop(struct world *w)
{
	uv_stop(&w->loop);
}

/* ---- signals */

static void count_signal(uv_signal_t *handle, int number)
{
	struct world *w = handle->data;

	(void)number;
	w->caught++;
}

static bool is_ignored(int number)
{
	struct sigaction now;

	return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* A terminal that is closed interrupts as well, but not under nohup. */
static void catch_signals(struct world *w)
{
	static const int numbers[WORLD_SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

	for (int i = 0; i < WORLD_SIGNALS; i++) {
		uv_signal_init(&w->loop, &w->signals[i]);
		w->signals[i].data = w;
		if (numbers[i] != SIGHUP || !is_ignored(SIGHUP))
			uv_signal_start(&w->signals[i], count_signal, numbers[i]);
	}
	w->catching = true;
}

static void let_pass(int number)
{
	(void)number;
}

static void world_release_signals(struct world *w)
{
	/* SA_RESETHAND: once */
	const struct sigaction once = { .sa_handler = let_pass,
		.sa_flags = SA_RESETHAND | SA_RESTART };

	for (int i = 0; i < WORLD_SIGNALS && w->catching && !w->released; i++) {
		int number = w->signals[i].signum; /* 0: it is left alone */

		if (!number)
			continue;
		uv_signal_stop(&w->signals[i]);
		if (w->caught == 0)
			sigaction(number, &once, NULL);
	}
	w->released = true;
}

static unsigned world_interrupts(struct world *w)
{
	if (!w->catching && !w->released)
		catch_signals(w);
	return w->caught;
}

/* ---- life */

static void name_is_there(void *world)
{
	world_poke(world);
}

static struct world *world_create(void (*turn)(void *owner), void *owner, struct err *e)
{
	struct world *w = calloc(1, sizeof(*w));
	int status;

	if (w)
		w->lookups = lookups_new(name_is_there, w);
	if (!w || !w->lookups) {
		free(w);
		err_memory(e);
		return NULL;
	}
	status = uv_loop_init(&w->loop);
	if (status != 0) {
		lookups_leave(w->lookups);
		free(w);
		err_set(e, RC_INTERNAL, status, "no event loop: %s", uv_strerror(status));
		return NULL;
	}
	w->agents.loop = &w->loop;
	w->turn = turn;
	w->owner = owner;
	uv_prepare_init(&w->loop, &w->before_wait);
	w->before_wait.data = w;
	uv_prepare_start(&w->before_wait, take_turn);
	uv_timer_init(&w->loop, &w->alarm);
	uv_async_init(&w->loop, &w->poked, poked);
	w->poked.data = w;
	uv_idle_init(&w->loop, &w->turns);
	w->turns.data = w;
	return w;
}

static void stop_loop(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Waits for the handles to close. */
static void world_destroy(struct world *w)
{
	uv_timer_t patience;

	bastions_close(w);
	proxies_close(w);
	lookups_leave(w->lookups);
	world_agents_close(&w->agents);
	uv_close((uv_handle_t *)&w->before_wait, NULL);
	uv_close((uv_handle_t *)&w->alarm, NULL);
	uv_close((uv_handle_t *)&w->poked, NULL);
	uv_close((uv_handle_t *)&w->turns, NULL);
	for (int i = 0; i < WORLD_SIGNALS && w->catching; i++)
		uv_close((uv_handle_t *)&w->signals[i], NULL);
	uv_timer_init(&w->loop, &patience);
	uv_timer_start(&patience, stop_loop, PATIENCE_MS, 0);
	uv_unref((uv_handle_t *)&patience);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&patience, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	if (uv_loop_close(&w->loop) == 0)
		free(w);
}

const struct world_ops world_libuv = {
	.session = {
		.bind = world_bind,
		.unbind = world_unbind,
		.resolve = world_resolve,
		.dial = world_dial,
		.hang_up = world_hang_up,
		.watch = world_watch,
		.alarm = world_alarm,
		.now_ms = session_now_ms,
		.agent = world_agent,
		.explain = world_explain,
	},
	.create = world_create,
	.run = world_run,
	.stop = world_stop,
	.notice = world_notice,
	.wake = world_wake,
	.poke = world_poke,
	.now_ms = world_now_ms,
	.interrupts = world_interrupts,
	.release_signals = world_release_signals,
	.destroy = world_destroy,
};
