#include "coordinator/net/tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/net/bastion.h"
#include "coordinator/net/relay.h"

enum { CHUNK_BYTES = 16 * 1024, CHUNKS_A_TURN = 8 };

struct tunnel *tunnel_new(struct session *s, int *theirs, struct err *e)
{
	struct tunnel *t = calloc(1, sizeof(*t));
	int pair[2];

	if (!t) {
		err_memory(e);
		return NULL;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) !=
		0) {
		err_set(e, RC_MEMORY, errno,
			"%s: a larger ulimit -n is needed here, or a smaller --parallel",
			strerror(errno));
		free(t);
		return NULL;
	}
	*theirs = pair[0];
	t->fd = pair[1];
	t->session = s;
	t->to = s->settings;
	t->rest = buf_with_cap(CHUNK_BYTES);
	t->why.code = RC_OK;
	return t;
}

void tunnel_free(struct tunnel *t)
{
	tunnel_stop_watching(t);
	if (t->fd >= 0)
		close(t->fd);
	buf_destroy(&t->rest);
	free(t);
}

void tunnel_fail(struct tunnel *t, const struct err *why)
{
	tunnel_stop_watching(t);
	t->state = TUNNEL_FAILED;
	t->why = *why;
	t->channel = NULL;
	t->relay = NULL;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* ---- our end of the socket */

static void poll_freed(uv_handle_t *handle)
{
	free(handle);
}

void tunnel_stop_watching(struct tunnel *t)
{
	if (!t->poll)
		return;
	t->poll->data = NULL;
	uv_close((uv_handle_t *)t->poll, poll_freed);
	t->poll = NULL;
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
	struct tunnel *t = poll->data;

	if (!t)
		return;
	/* an error of the socket shows at the next read; libuv has stopped the poll */
	if (status < 0)
		t->events = 0;
	if (status < 0 || events & UV_READABLE)
		t->readable = true;
	relay_rouse(t->relay);
}

static enum rc start_poll(struct tunnel *t, uv_loop_t *loop, struct err *e)
{
	t->poll = calloc(1, sizeof(*t->poll));
	if (!t->poll)
		return err_memory(e);
	if (uv_poll_init_socket(loop, t->poll, t->fd) != 0) {
		free(t->poll);
		t->poll = NULL;
		return err_set(e, RC_INTERNAL, 0, "a tunnel's socket cannot be watched");
	}
	t->poll->data = t;
	return RC_OK;
}

/* What is known to be readable is not waited for: it would never rest. */
enum rc tunnel_watch(struct tunnel *t, uv_loop_t *loop, struct err *e)
{
	int events = (t->readable || t->silent ? 0 : UV_READABLE) |
		     (buf_bytes(&t->rest).size ? UV_WRITABLE : 0);

	if (!t->session || t->state != TUNNEL_OPEN)
		events = 0;
	if (events == t->events)
		return RC_OK;
	if (!t->poll && start_poll(t, loop, e) != RC_OK)
		return e->code;
	t->events = events;
	if (events)
		uv_poll_start(t->poll, events, socket_ready);
	else
		uv_poll_stop(t->poll);
	return RC_OK;
}

/* ---- from the node to the session */

/* What nobody waits for is dropped. */
static enum rc deliver(struct tunnel *t, const char *data, size_t size, struct err *e)
{
	ssize_t n = t->session ? send(t->fd, data, size, MSG_NOSIGNAL) : (ssize_t)size;

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		n = (ssize_t)size; /* the session hangs up, and says so itself */
	if (n < 0)
		n = 0;
	if ((size_t)n == size)
		return RC_OK;
	if (buf_append(&t->rest, data + n, size - (size_t)n) != RC_OK)
		return err_memory(e);
	return RC_OK;
}

bool tunnel_flush(struct tunnel *t)
{
	struct bytes rest = buf_bytes(&t->rest);
	ssize_t n;

	if (!rest.size)
		return true;
	n = t->session ? send(t->fd, rest.data, rest.size, MSG_NOSIGNAL)
		       : (ssize_t)rest.size;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	buf_consume(&t->rest, n < 0 ? rest.size : (size_t)n);
	return buf_bytes(&t->rest).size == 0;
}

static enum rc fetch(struct tunnel *t, struct session *carrier)
{
	const struct tunnel_ops *ops = carrier->common->transport->tunnels;
	char chunk[CHUNK_BYTES];

	for (int i = 0; i < CHUNKS_A_TURN && !t->ended && tunnel_flush(t); i++) {
		size_t n = 0;
		enum rc rc = ops->read(carrier->transport, t->channel, chunk,
			sizeof(chunk), &n, &carrier->err);

		if (rc != RC_OK)
			return rc;
		t->ended = n == 0;
		if (n && deliver(t, chunk, n, &carrier->err) != RC_OK)
			return carrier->err.code;
	}
	if (t->ended)
		shutdown(t->fd, SHUT_WR);
	else
		carrier->hot = true;
	return RC_OK;
}

/* ---- from the session to the node */

/* The bytes stay in the socket until they are on their way: after RC_AGAIN the same ones
 * are there to be offered again. */
static enum rc send_some(struct tunnel *t, struct session *carrier)
{
	const struct tunnel_ops *ops = carrier->common->transport->tunnels;
	char chunk[CHUNK_BYTES];
	ssize_t there;
	size_t n = 0;
	enum rc rc;

	there = recv(t->fd, chunk, sizeof(chunk), MSG_PEEK);
	if (there <= 0) {
		t->silent = there == 0 || (errno != EAGAIN && errno != EINTR);
		t->readable = false;
		return RC_OK;
	}
	rc = ops->write(
		carrier->transport, t->channel, chunk, (size_t)there, &n, &carrier->err);
	if (rc == RC_UNREACHABLE) {
		t->silent = true; /* that the node is gone shows in what it sends */
		t->readable = false;
		return RC_OK;
	}
	while (rc == RC_OK && n) {
		ssize_t taken = recv(t->fd, chunk, n, 0);

		if (taken <= 0)
			return err_set(&carrier->err, RC_INTERNAL, errno,
				"a tunnel's bytes are gone");
		n -= (size_t)taken;
	}
	return rc;
}

static enum rc send_all(struct tunnel *t, struct session *carrier)
{
	enum rc rc = RC_OK;

	for (int i = 0; i < CHUNKS_A_TURN && t->readable && rc == RC_OK; i++)
		rc = send_some(t, carrier);
	carrier->hot = carrier->hot || (t->readable && rc == RC_OK);
	return rc;
}

/* ---- its life */

static enum rc open_it(struct tunnel *t, struct session *carrier)
{
	const struct tunnel_ops *ops = carrier->common->transport->tunnels;
	struct err why;
	enum rc rc = ops->open(
		carrier->transport, t->to->host, t->to->port, &t->channel, &carrier->err);

	if (rc == RC_OK)
		t->state = TUNNEL_OPEN;
	if (rc != RC_UNREACHABLE)
		return rc;
	err_set(&why, RC_UNREACHABLE, 0, "%s %s", carrier->name, carrier->err.text);
	tunnel_fail(t, &why);
	return RC_OK;
}

static enum rc close_it(struct tunnel *t, struct session *carrier)
{
	enum rc rc = carrier->common->transport->tunnels->close(
		carrier->transport, t->channel, &carrier->err);

	if (rc != RC_OK)
		return rc;
	t->channel = NULL;
	t->state = TUNNEL_CLOSED;
	return RC_OK;
}

enum rc tunnel_do(struct tunnel *t, enum tunnel_op op, struct session *carrier)
{
	static enum rc (*const ops[])(struct tunnel * t, struct session * carrier) = {
		[TUNNEL_DO_OPEN] = open_it,
		[TUNNEL_DO_FETCH] = fetch,
		[TUNNEL_DO_SEND] = send_all,
		[TUNNEL_DO_CLOSE] = close_it,
	};

	return ops[op](t, carrier);
}
