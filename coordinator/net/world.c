#include "coordinator/net/world.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOKUP_PATIENCE_MS = 1000 };

/* Both outlive the session if they must: libuv gives them back in its own time. */
struct socket_watch {
	uv_poll_t poll;
	struct link *link;
	int events;
};

struct lookup {
	uv_getaddrinfo_t request;
	struct world *world;
	struct link *link; /* NULL: nobody waits for it any more */
};

static struct link *link_of(struct session *s)
{
	return s->owner;
}

/* ---- names */

static void keep_addresses(struct session *s, const struct addrinfo *list)
{
	for (; list && s->address_count < SESSION_ADDRESSES_MAX; list = list->ai_next) {
		struct session_address *a = &s->addresses[s->address_count];

		if (list->ai_addrlen > sizeof(a->address))
			continue;
		memcpy(&a->address, list->ai_addr, list->ai_addrlen);
		a->size = list->ai_addrlen;
		if (getnameinfo(list->ai_addr, a->size, a->text, sizeof(a->text), NULL, 0,
			    NI_NUMERICHOST) != 0)
			snprintf(a->text, sizeof(a->text), "an address");
		s->address_count++;
	}
}

static void lookup_done(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct lookup *lookup = (struct lookup *)request;
	struct link *l = lookup->link;

	lookup->world->lookups--;
	if (l) {
		l->lookup = NULL;
		l->looked_up = true;
		l->lookup_status = status;
		if (status == 0)
			keep_addresses(&l->session, list);
	}
	uv_freeaddrinfo(list);
	free(lookup);
	if (l)
		session_advance(&l->session);
}

static enum rc start_lookup(struct link *l, const char *port, struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct session *s = &l->session;
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	int status;

	if (!lookup)
		return err_memory(e);
	lookup->link = l;
	lookup->world = l->world;
	status = uv_getaddrinfo(&l->world->loop, &lookup->request, lookup_done,
		s->settings->host, port, &hints);
	if (status != 0) {
		free(lookup);
		return err_set(e, RC_UNREACHABLE, status, "name lookup of %s: %s",
			s->settings->host, uv_strerror(status));
	}
	l->lookup = lookup;
	l->world->lookups++;
	return RC_AGAIN;
}

static enum rc world_resolve(struct session *s, struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct link *l = link_of(s);
	struct addrinfo *list = NULL;
	char port[8];

	if (l->lookup)
		return RC_AGAIN;
	if (l->looked_up && l->lookup_status != 0)
		return err_set(e, RC_UNREACHABLE, l->lookup_status,
			"name lookup of %s: %s", s->settings->host,
			uv_strerror(l->lookup_status));
	if (!l->looked_up) {
		snprintf(port, sizeof(port), "%u", s->settings->port);
		/* an address needs no thread */
		if (getaddrinfo(s->settings->host, port, &hints, &list) != 0)
			return start_lookup(l, port, e);
		keep_addresses(s, list);
		freeaddrinfo(list);
	}
	if (s->address_count == 0)
		return err_set(
			e, RC_UNREACHABLE, 0, "%s has no address", s->settings->host);
	return RC_OK;
}

/* ---- sockets */

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	struct socket_watch *watch = (struct socket_watch *)poll;

	/* an error of the socket shows at the next read or write */
	(void)status;
	(void)events;
	if (watch->link)
		session_advance(&watch->link->session);
}

static void socket_freed(uv_handle_t *handle)
{
	free(handle);
}

static void cool(struct link *l)
{
	struct link **at = &l->world->hot;

	while (*at && *at != l)
		at = &(*at)->next_hot;
	if (*at)
		*at = l->next_hot;
	l->is_hot = false;
	l->next_hot = NULL;
}

static void world_hang_up(struct session *s)
{
	struct link *l = link_of(s);

	if (l->lookup) {
		l->lookup->link = NULL;
		uv_cancel((uv_req_t *)&l->lookup->request);
		l->lookup = NULL;
	}
	if (l->watch) {
		l->watch->link = NULL;
		uv_close((uv_handle_t *)&l->watch->poll, socket_freed);
		l->watch = NULL;
	}
	cool(l);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* Every session that had more to read gets one turn. */
static void take_turns(uv_idle_t *idle)
{
	struct world *w = idle->data;
	struct link *turn = w->hot;

	w->hot = NULL;
	while (turn) {
		struct link *l = turn;

		turn = l->next_hot;
		l->is_hot = false;
		l->next_hot = NULL;
		session_advance(&l->session);
	}
	if (!w->hot)
		uv_idle_stop(idle);
}

static void warm(struct link *l)
{
	if (l->is_hot)
		return;
	l->is_hot = true;
	l->next_hot = l->world->hot;
	l->world->hot = l;
	uv_idle_start(&l->world->turns, take_turns);
}

static void world_watch(struct session *s, int directions, bool hot)
{
	struct link *l = link_of(s);
	int events = 0;

	if (directions & TRANSPORT_READ)
		events |= UV_READABLE;
	if (directions & TRANSPORT_WRITE)
		events |= UV_WRITABLE;
	if (hot)
		warm(l);
	if (!l->watch || l->watch->events == events)
		return;
	l->watch->events = events;
	if (events)
		uv_poll_start(&l->watch->poll, events, socket_ready);
	else
		uv_poll_stop(&l->watch->poll);
}

static enum rc refuse_address(
	struct session *s, const struct session_address *to, int error, struct err *e)
{
	return err_set(e, RC_UNREACHABLE, error, "connect to %s port %u: %s", to->text,
		s->settings->port, strerror(error));
}

static enum rc start_dial(
	struct session *s, const struct session_address *to, struct err *e)
{
	struct link *l = link_of(s);
	int one = 1, family = to->address.ss_family;

	s->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 && (errno == EMFILE || errno == ENFILE))
		return err_set(e, RC_UNREACHABLE, errno,
			"%s: every node needs a connection for the whole run; a larger "
			"ulimit -n is needed here",
			strerror(errno));
	if (s->fd < 0)
		return refuse_address(s, to, errno, e);
	/* requests are small and waited for: 118 ms become 76 without Nagle's delay */
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->watch = calloc(1, sizeof(*l->watch));
	if (!l->watch)
		return err_memory(e);
	l->watch->link = l;
	if (uv_poll_init_socket(&l->world->loop, &l->watch->poll, s->fd) != 0) {
		free(l->watch);
		l->watch = NULL;
		return err_set(e, RC_INTERNAL, 0, "the socket cannot be watched");
	}
	if (connect(s->fd, (const struct sockaddr *)&to->address, to->size) == 0)
		return RC_OK;
	if (errno != EINPROGRESS)
		return refuse_address(s, to, errno, e);
	world_watch(s, TRANSPORT_WRITE, false);
	return RC_AGAIN;
}

static enum rc world_dial(
	struct session *s, const struct session_address *to, struct err *e)
{
	struct pollfd ready = { .fd = s->fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int error = 0;

	if (s->fd < 0)
		return start_dial(s, to, e);
	if (poll(&ready, 1, 0) == 0)
		return RC_AGAIN;
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		error = errno;
	return error ? refuse_address(s, to, error, e) : RC_OK;
}

/* ---- time */

static void alarm_rings(uv_timer_t *timer)
{
	struct link *l = timer->data;

	session_expire(&l->session);
}

static void world_alarm(struct session *s, uint64_t ms)
{
	struct link *l = link_of(s);

	if (ms)
		uv_timer_start(&l->alarm, alarm_rings, ms, 0);
	else
		uv_timer_stop(&l->alarm);
}

static uint64_t world_now_ms(struct session *s)
{
	struct link *l = link_of(s);

	/* the loop's own clock stands still while one callback runs long */
	uv_update_time(&l->world->loop);
	return uv_now(&l->world->loop);
}

const struct session_world world_libuv = {
	.resolve = world_resolve,
	.dial = world_dial,
	.hang_up = world_hang_up,
	.watch = world_watch,
	.alarm = world_alarm,
	.now_ms = world_now_ms,
};

/* ---- life */

enum rc world_init(struct world *w, struct err *e)
{
	int status;

	*w = (struct world){ .hot = NULL };
	status = uv_loop_init(&w->loop);
	if (status != 0)
		return err_set(
			e, RC_INTERNAL, status, "no event loop: %s", uv_strerror(status));
	uv_idle_init(&w->loop, &w->turns);
	w->turns.data = w;
	return RC_OK;
}

void world_add(struct world *w, struct link *l)
{
	l->world = w;
	l->session.owner = l;
	uv_timer_init(&w->loop, &l->alarm);
	l->alarm.data = l;
}

void world_remove(struct link *l)
{
	uv_close((uv_handle_t *)&l->alarm, NULL);
}

static void stop_loop(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

bool world_close(struct world *w)
{
	uv_timer_t patience;

	uv_close((uv_handle_t *)&w->turns, NULL);
	uv_timer_init(&w->loop, &patience);
	uv_timer_start(&patience, stop_loop, LOOKUP_PATIENCE_MS, 0);
	uv_unref((uv_handle_t *)&patience);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&patience, NULL);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	return w->lookups == 0 && uv_loop_close(&w->loop) == 0;
}
