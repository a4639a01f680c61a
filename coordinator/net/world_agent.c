#include "coordinator/net/world_agent.h"

#include <stdlib.h>
#include <string.h>

struct world_agent {
	struct agent agent;
	struct world_agents *world;
	struct world_agent *next;
	uv_poll_t *poll; /* NULL: there is no socket (any more) */
	uv_timer_t alarm;
};

static void poll_freed(uv_handle_t *handle)
{
	free(handle);
}

static void end_poll(struct world_agent *w)
{
	if (!w->poll)
		return;
	w->poll->data = NULL;
	uv_close((uv_handle_t *)w->poll, poll_freed);
	w->poll = NULL;
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	struct world_agent *w = poll->data;

	/* an error of the socket shows at the next read or write */
	(void)status;
	(void)events;
	if (w)
		agent_ready(&w->agent);
}

static uv_poll_t *new_poll(struct world_agent *w)
{
	uv_poll_t *poll = calloc(1, sizeof(*poll));

	if (!poll || uv_poll_init(w->world->loop, poll, w->agent.fd) != 0) {
		free(poll);
		return NULL;
	}
	poll->data = w;
	return poll;
}

/* An agent that is of no use any more is about to close its socket. */
static void watch(struct agent *a, bool also_write)
{
	struct world_agent *w = a->owner;

	if (a->err.code != RC_OK) {
		end_poll(w);
		return;
	}
	if (!w->poll)
		w->poll = new_poll(w);
	if (w->poll)
		uv_poll_start(w->poll, UV_READABLE | (also_write ? UV_WRITABLE : 0),
			socket_ready);
}

static void alarm_rings(uv_timer_t *timer)
{
	agent_late(timer->data);
}

static void set_alarm(struct agent *a, uint32_t ms)
{
	struct world_agent *w = a->owner;

	if (ms)
		uv_timer_start(&w->alarm, alarm_rings, ms, 0);
	else
		uv_timer_stop(&w->alarm);
}

static const struct agent_loop loop = { watch, set_alarm };

struct agent *world_agent_at(
	struct world_agents *world, const char *path, uint32_t patience_ms)
{
	struct world_agent *w = world->first;

	while (w && strcmp(w->agent.path, path) != 0)
		w = w->next;
	if (w)
		return &w->agent;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->world = world;
	w->next = world->first;
	world->first = w;
	uv_timer_init(world->loop, &w->alarm);
	w->alarm.data = &w->agent;
	agent_open(&w->agent, path, patience_ms, &loop, w);
	return &w->agent;
}

static void alarm_freed(uv_handle_t *handle)
{
	struct agent *a = handle->data;

	free(a->owner);
}

void world_agents_close(struct world_agents *world)
{
	while (world->first) {
		struct world_agent *w = world->first;

		world->first = w->next;
		end_poll(w);
		agent_close(&w->agent);
		uv_close((uv_handle_t *)&w->alarm, alarm_freed);
	}
}
