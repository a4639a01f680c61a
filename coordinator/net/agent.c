#include "coordinator/net/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "coordinator/net/agent_message.h"
#include "coordinator/net/wire.h"

struct agent_request {
	struct agent_request *next;
	struct agent_wait *who; /* NULL: nobody wants it any more */
	struct buf message;	/* to be sent */
	struct buf answer;	/* its body */
	struct bytes algorithm; /* in the message */
	bool done;
	struct err err; /* of a request that is done */
};

static void free_request(struct agent_request *r)
{
	buf_destroy(&r->message);
	buf_destroy(&r->answer);
	free(r);
}

/* ---- the end of an agent */

/* Wakes one after the other: whoever is woken may make another one forget. */
static void wake_all(struct agent *a)
{
	while (a->listeners) {
		struct agent_wait *who = a->listeners;

		a->listeners = who->next;
		who->agent = NULL;
		who->wake(who->context);
	}
}

/* Takes the first request off the queue; who asked comes and fetches it. */
static void finish_first(struct agent *a)
{
	struct agent_request *r = a->queue;

	a->queue = r->next;
	r->done = true;
	if (r->who)
		r->who->wake(r->who->context);
	else
		free_request(r);
}

static void give_up(struct agent *a)
{
	struct err why = a->err;

	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	a->asked = false;
	wake_all(a);
	while (a->queue) {
		a->queue->err = why;
		finish_first(a);
	}
}

/* What went wrong is found where nobody may be woken: the loop comes back for it. */
static void die_of(struct agent *a, int error)
{
	err_set(&a->err, RC_AUTH, error, "the ssh-agent at %s does not answer: %s",
		a->path, strerror(error));
}

void agent_late(struct agent *a)
{
	if (a->err.code != RC_OK)
		return;
	err_set(&a->err, RC_TIMEOUT, 0,
		a->listed
			? "the ssh-agent at %s did not answer within %g s (does it wait "
			  "for its user?)"
			: "the ssh-agent at %s hangs and is not used (nothing in %g s)",
		a->path, a->patience_ms / 1000.0);
	a->loop->alarm(a, 0);
	a->loop->watch(a, false);
	give_up(a);
}

/* ---- asking */

static bool start_message(struct agent *a)
{
	struct agent_request *next = a->queue;
	struct bytes message = agent_message_list;

	if (a->asked || (a->listed && !next))
		return false;
	if (a->listed)
		message = buf_bytes(&next->message);
	if (buf_append(&a->out, message.data, message.size) != RC_OK)
		die_of(a, ENOMEM);
	a->asked = true;
	a->loop->alarm(a, a->patience_ms);
	return true;
}

static enum rc connect_to(struct agent *a)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	a->fd = -1;
	if (strlen(a->path) >= sizeof(to.sun_path))
		return errno = ENAMETOOLONG, RC_AUTH;
	memcpy(to.sun_path, a->path, strlen(a->path));
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return RC_AUTH;
	if (connect(a->fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return RC_OK;
	close(a->fd);
	a->fd = -1;
	return RC_AUTH;
}

void agent_open(struct agent *a, const char *path, uint32_t patience_ms,
	const struct agent_loop *loop, void *owner)
{
	*a = (struct agent){ .path = path,
		.patience_ms = patience_ms,
		.loop = loop,
		.owner = owner,
		.in = buf_with_cap(AGENT_MESSAGE_MAX + 4),
		.out = buf_with_cap(AGENT_MESSAGE_MAX + 4) };
	a->err.code = RC_OK;
	if (connect_to(a) != RC_OK) {
		die_of(a, errno);
		return;
	}
	start_message(a);
	loop->watch(a, true);
}

enum rc agent_list(struct agent *a, struct agent_wait *who, struct err *e)
{
	if (a->err.code != RC_OK) {
		*e = a->err;
		return e->code;
	}
	if (a->listed)
		return RC_OK;
	if (!who->agent) {
		who->agent = a;
		who->request = NULL;
		who->next = a->listeners;
		a->listeners = who;
	}
	return RC_AGAIN;
}

static enum rc queue_request(struct agent *a, struct agent_wait *who, struct bytes blob,
	struct bytes data, struct err *e)
{
	struct agent_request *r = calloc(1, sizeof(*r)), **end = &a->queue;
	enum rc rc;

	if (!r)
		return err_memory(e);
	r->message = buf_with_cap(AGENT_MESSAGE_MAX);
	r->answer = buf_with_cap(AGENT_MESSAGE_MAX);
	rc = agent_message_sign(&r->message, blob, data, &r->algorithm);
	if (rc != RC_OK) {
		free_request(r);
		return err_set(e, rc, 0, "the ssh-agent cannot be asked to sign this");
	}
	while (*end)
		end = &(*end)->next;
	*end = r;
	r->who = who;
	who->agent = a;
	who->request = r;
	if (start_message(a))
		a->loop->watch(a, true);
	return RC_AGAIN;
}

/* ---- answers */

/* One whole message; false: it makes no sense. */
static bool take_answer(struct agent *a, uint8_t type, struct bytes body)
{
	struct agent_request *r = a->queue;

	a->asked = false;
	if (!a->listed) {
		if (type != AGENT_IDENTITIES_ANSWER ||
			!agent_message_keys(body, &a->arena, &a->keys, &a->key_count))
			return false;
		a->listed = true;
		wake_all(a);
		return true;
	}
	if (type == AGENT_FAILURE)
		err_set(&r->err, RC_AUTH, 0, "the ssh-agent at %s refuses to sign",
			a->path);
	else if (type != AGENT_SIGN_RESPONSE)
		return false;
	else if (buf_append(&r->answer, body.data, body.size) == RC_OK)
		r->err.code = RC_OK;
	else
		err_memory(&r->err);
	finish_first(a);
	return true;
}

/* Takes what has come; false: the agent makes no sense. */
static bool take_messages(struct agent *a)
{
	for (;;) {
		struct bytes in = buf_bytes(&a->in), message;
		uint32_t size;

		if (!wire_take_number(&in, &size))
			return true;
		if (size == 0 || size > AGENT_MESSAGE_MAX || !a->asked)
			return false;
		if (!wire_take(&in, size, &message))
			return true;
		a->loop->alarm(a, 0);
		if (!take_answer(a, *message.data,
			    (struct bytes){ message.data + 1, message.size - 1 }))
			return false;
		buf_consume(&a->in, size + 4);
		start_message(a);
	}
}

static void read_some(struct agent *a)
{
	uint8_t chunk[4096];
	ssize_t n = recv(a->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		die_of(a, n ? errno : ECONNRESET);
	else if (buf_append(&a->in, chunk, (size_t)n) != RC_OK || !take_messages(a))
		die_of(a, EPROTO);
	explicit_bzero(chunk, sizeof(chunk));
}

static void write_some(struct agent *a)
{
	struct bytes out = buf_bytes(&a->out);
	ssize_t n;

	if (out.size == 0)
		return;
	n = send(a->fd, out.data, out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		buf_consume(&a->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		die_of(a, errno);
}

void agent_ready(struct agent *a)
{
	if (a->fd < 0)
		return;
	write_some(a);
	if (a->err.code == RC_OK)
		read_some(a);
	if (a->err.code == RC_OK) {
		a->loop->watch(a, buf_bytes(&a->out).size > 0);
		return;
	}
	a->loop->alarm(a, 0);
	a->loop->watch(a, false);
	give_up(a);
}

enum rc agent_sign(struct agent *a, struct agent_wait *who, struct bytes blob,
	struct bytes data, uint8_t **out, size_t *size, struct err *e)
{
	struct agent_request *r = who->request;
	enum rc rc;

	if (r && !r->done)
		return RC_AGAIN;
	if (!r && a->err.code != RC_OK) {
		*e = a->err;
		return e->code;
	}
	if (!r)
		return queue_request(a, who, blob, data, e);
	*e = r->err;
	rc = r->err.code;
	if (rc == RC_OK)
		rc = agent_message_signature(
			buf_bytes(&r->answer), r->algorithm, blob, a->path, out, size, e);
	who->request = NULL;
	who->agent = NULL;
	free_request(r);
	return rc;
}

/* ---- the end of waiting */

static void forget_list(struct agent_wait *who)
{
	struct agent_wait **at = &who->agent->listeners;

	while (*at && *at != who)
		at = &(*at)->next;
	if (*at)
		*at = who->next;
}

/* A request that is on its way stays, for the sake of the order of the answers. */
static void forget_request(struct agent_wait *who)
{
	struct agent *a = who->agent;
	struct agent_request *r = who->request, **at = &a->queue;

	r->who = NULL;
	if (a->asked && r == a->queue)
		return;
	while (*at && *at != r)
		at = &(*at)->next;
	if (*at)
		*at = r->next;
	free_request(r);
}

void agent_forget(struct agent_wait *who)
{
	if (!who->agent)
		return;
	if (who->request)
		forget_request(who);
	else
		forget_list(who);
	who->agent = NULL;
	who->request = NULL;
}

void agent_close(struct agent *a)
{
	while (a->listeners)
		agent_forget(a->listeners);
	while (a->queue) {
		struct agent_request *r = a->queue;

		a->queue = r->next;
		if (r->who) {
			r->who->agent = NULL;
			r->who->request = NULL;
		}
		free_request(r);
	}
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	buf_destroy(&a->in);
	buf_destroy(&a->out);
	arena_destroy(&a->arena);
}
