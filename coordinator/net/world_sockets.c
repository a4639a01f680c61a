/* Connecting, readiness, and who reads next. */
#include "coordinator/net/bastion.h"
#include "coordinator/net/proxy.h"
#include "coordinator/net/world_private.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Outlives the session if it must: libuv gives it back in its own time. */
struct socket_watch {
	uv_poll_t poll;
	struct handles *handles;
	int events;
};

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	struct socket_watch *watch = (struct socket_watch *)poll;

	/* An error of the socket shows at a read or write; not at the next one, if there is
	 * still something to read.  libuv stops watching such a socket by itself. */
	if (status < 0)
		watch->events = 0;
	(void)events;
	if (watch->handles)
		session_advance(watch->handles->session);
}

static void socket_freed(uv_handle_t *handle)
{
	free(handle);
}

static void take_out(struct handles **list, struct handles *h)
{
	while (*list && *list != h)
		list = &(*list)->next_hot;
	if (*list)
		*list = h->next_hot;
}

static void cool(struct handles *h)
{
	if (!h->is_hot)
		return;
	take_out(&h->world->hot, h);
	take_out(&h->world->now, h);
	h->is_hot = false;
	h->next_hot = NULL;
}

void world_hang_up(struct session *s)
{
	struct handles *h = handles_of(s);

	if (!h)
		return;
	world_forget_lookup(h);
	if (h->watch) {
		h->watch->handles = NULL;
		uv_close((uv_handle_t *)&h->watch->poll, socket_freed);
		h->watch = NULL;
	}
	cool(h);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	bastion_hang_up(s);
	proxy_hang_up(s);
}

/* Every session that had more to read gets one turn; another one's may take it out. */
static void take_turns(uv_idle_t *idle)
{
	struct world *w = idle->data;

	w->now = w->hot;
	w->hot = NULL;
	while (w->now) {
		struct handles *h = w->now;

		w->now = h->next_hot;
		h->is_hot = false;
		h->next_hot = NULL;
		session_advance(h->session);
	}
	if (!w->hot)
		uv_idle_stop(idle);
}

static void warm(struct handles *h)
{
	if (h->is_hot)
		return;
	h->is_hot = true;
	h->next_hot = h->world->hot;
	h->world->hot = h;
	uv_idle_start(&h->world->turns, take_turns);
}

void world_rouse(struct session *s)
{
	warm(handles_of(s));
}

void world_watch(struct session *s, int directions, bool hot)
{
	struct handles *h = handles_of(s);
	int events = 0;

	if (directions & TRANSPORT_READ)
		events |= UV_READABLE;
	if (directions & TRANSPORT_WRITE)
		events |= UV_WRITABLE;
	if (hot)
		warm(h);
	if (!h->watch || h->watch->events == events)
		return;
	h->watch->events = events;
	if (events)
		uv_poll_start(&h->watch->poll, events, socket_ready);
	else
		uv_poll_stop(&h->watch->poll);
}

static enum rc refuse_address(
	struct session *s, const struct session_address *to, int error, struct err *e)
{
	return err_set(e, RC_UNREACHABLE, error, "connect to %s port %u: %s", to->text,
		s->settings->port, strerror(error));
}

enum rc world_attach(struct session *s, int fd, struct err *e)
{
	struct handles *h = handles_of(s);

	s->fd = fd;
	h->watch = calloc(1, sizeof(*h->watch));
	if (!h->watch)
		return err_memory(e);
	h->watch->handles = h;
	if (uv_poll_init_socket(&h->world->loop, &h->watch->poll, s->fd) == 0)
		return RC_OK;
	free(h->watch);
	h->watch = NULL;
	return err_set(e, RC_INTERNAL, 0, "the socket cannot be watched");
}

static enum rc start_dial(
	struct session *s, const struct session_address *to, struct err *e)
{
	int one = 1, family = to->address.ss_family;

	s->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 && (errno == EMFILE || errno == ENFILE))
		return err_set(e, RC_UNREACHABLE, errno,
			"%s: a larger ulimit -n is needed here, or a smaller --parallel",
			strerror(errno));
	if (s->fd < 0)
		return refuse_address(s, to, errno, e);
	/* requests are small and waited for: 118 ms become 76 without Nagle's delay */
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	/* a node that lost its power must not look alive while the others are asked */
	setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	if (world_attach(s, s->fd, e) != RC_OK)
		return e->code;
	if (connect(s->fd, (const struct sockaddr *)&to->address, to->size) == 0)
		return RC_OK;
	if (errno != EINPROGRESS)
		return refuse_address(s, to, errno, e);
	world_watch(s, TRANSPORT_WRITE, false);
	return RC_AGAIN;
}

static enum rc dial_directly(
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

enum rc world_dial(struct session *s, const struct session_address *to, struct err *e)
{
	if (s->settings->jump)
		return bastion_dial(s, e);
	if (s->settings->proxy_command)
		return proxy_dial(s, e);
	return dial_directly(s, to, e);
}

void world_explain(struct session *s)
{
	const struct handles *h = handles_of(s);

	if (h->tunnel)
		bastion_explain(s);
	if (h->proxy)
		proxy_explain(s);
}
