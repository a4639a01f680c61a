#include "coordinator/net/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "coordinator/net/key.h"
#include "coordinator/net/wire.h"

enum {
	/* draft-ietf-sshm-ssh-agent, 5.1 */
	AGENT_FAILURE = 5,
	REQUEST_IDENTITIES = 11,
	IDENTITIES_ANSWER = 12,
	SIGN_REQUEST = 13,
	SIGN_RESPONSE = 14,
	SIGN_RSA_SHA2_256 = 2,
	SIGN_RSA_SHA2_512 = 4,

	MESSAGE_BYTES_MAX = 256 * 1024, /* as in OpenSSH */
	KEYS_MAX = 2000,		/* the same */
};

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
	const uint8_t list[] = { 0, 0, 0, 1, REQUEST_IDENTITIES };
	struct bytes message = { list, sizeof(list) };

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
		.in = buf_with_cap(MESSAGE_BYTES_MAX + 4),
		.out = buf_with_cap(MESSAGE_BYTES_MAX + 4) };
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

/* RSA keys know several algorithms; the flags choose. */
static uint32_t flags_of(struct bytes algorithm)
{
	static const struct {
		const char *start;
		uint32_t flag;
	} rows[] = { { "rsa-sha2-256", SIGN_RSA_SHA2_256 },
		{ "rsa-sha2-512", SIGN_RSA_SHA2_512 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (algorithm.size >= strlen(rows[i].start) &&
			memcmp(algorithm.data, rows[i].start, strlen(rows[i].start)) == 0)
			return rows[i].flag;
	return 0;
}

/* Without what a certificate's algorithm has behind it. */
static struct bytes plain_algorithm(struct bytes algorithm)
{
	static const char suffix[] = "-cert-v01@openssh.com";
	size_t n = sizeof(suffix) - 1;

	if (algorithm.size > n &&
		memcmp(algorithm.data + algorithm.size - n, suffix, n) == 0)
		algorithm.size -= n;
	return algorithm;
}

/* The whole message; r->algorithm points into the data that it holds. */
static enum rc write_request(
	struct agent_request *r, struct bytes blob, struct bytes data)
{
	size_t body = 1 + 4 + blob.size + 4 + data.size + 4;
	struct bytes algorithm, copy;
	enum rc rc = wire_put_number(&r->message, (uint32_t)body);

	if (!key_algorithm_of(data, &algorithm))
		return RC_INTERNAL;
	if (rc == RC_OK)
		rc = buf_append(&r->message, &(uint8_t){ SIGN_REQUEST }, 1);
	if (rc == RC_OK)
		rc = wire_put_string(&r->message, blob.data, blob.size);
	if (rc == RC_OK)
		rc = wire_put_string(&r->message, data.data, data.size);
	if (rc == RC_OK)
		rc = wire_put_number(&r->message, flags_of(algorithm));
	copy = buf_bytes(&r->message);
	if (rc == RC_OK)
		copy.data += copy.size - 4 - data.size;
	copy.size = data.size;
	if (rc == RC_OK)
		key_algorithm_of(copy, &r->algorithm);
	return rc;
}

static enum rc queue_request(struct agent *a, struct agent_wait *who, struct bytes blob,
	struct bytes data, struct err *e)
{
	struct agent_request *r = calloc(1, sizeof(*r)), **end = &a->queue;
	enum rc rc;

	if (!r)
		return err_memory(e);
	r->message = buf_with_cap(MESSAGE_BYTES_MAX);
	r->answer = buf_with_cap(MESSAGE_BYTES_MAX);
	rc = write_request(r, blob, data);
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

static bool keep_keys(struct agent *a, struct bytes body)
{
	struct agent_key *keys;
	struct bytes blob, name;
	uint32_t count;

	if (!wire_take_number(&body, &count) || count > KEYS_MAX)
		return false;
	keys = arena_alloc(&a->arena, count, sizeof(*keys));
	if (!keys)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!wire_take_string(&body, &blob) || !wire_take_string(&body, &name))
			return false;
		keys[i].blob.data = (const uint8_t *)arena_text_n(
			&a->arena, blob.data, blob.size);
		keys[i].blob.size = blob.size;
		keys[i].name = arena_text_n(&a->arena, name.data, name.size);
		if (!keys[i].blob.data || !keys[i].name)
			return false;
	}
	a->keys = keys;
	a->key_count = count;
	return true;
}

/* One whole message; false: it makes no sense. */
static bool take_answer(struct agent *a, uint8_t type, struct bytes body)
{
	struct agent_request *r = a->queue;

	a->asked = false;
	if (!a->listed) {
		if (type != IDENTITIES_ANSWER || !keep_keys(a, body))
			return false;
		a->listed = true;
		wake_all(a);
		return true;
	}
	if (type == AGENT_FAILURE)
		err_set(&r->err, RC_AUTH, 0, "the ssh-agent at %s refuses to sign",
			a->path);
	else if (type != SIGN_RESPONSE)
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
		if (size == 0 || size > MESSAGE_BYTES_MAX || !a->asked)
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

/* What the agent answered: an algorithm and its signature; more behind it where a token
 * signed (PROTOCOL.u2f of OpenSSH), and then that belongs to it. */
static enum rc unpack(struct agent *a, struct agent_request *r, struct bytes blob,
	uint8_t **out, size_t *size, struct err *e)
{
	struct bytes body = buf_bytes(&r->answer), whole, algorithm, signature;
	struct bytes wanted = plain_algorithm(r->algorithm);

	if (!wire_take_string(&body, &whole) || !wire_take_string(&whole, &algorithm))
		return err_set(
			e, RC_AUTH, 0, "the ssh-agent at %s makes no sense", a->path);
	if (!wire_same(algorithm, wanted))
		return err_set(e, RC_AUTH, 0,
			"the ssh-agent at %s signed with %.*s and was asked for %.*s",
			a->path, (int)algorithm.size, (const char *)algorithm.data,
			(int)wanted.size, (const char *)wanted.data);
	signature = whole;
	if (!key_is_token(blob) && !wire_take_string(&whole, &signature))
		return err_set(
			e, RC_AUTH, 0, "the ssh-agent at %s makes no sense", a->path);
	*out = malloc(signature.size + 1);
	if (!*out)
		return err_memory(e);
	memcpy(*out, signature.data, signature.size);
	*size = signature.size;
	return RC_OK;
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
	rc = r->err.code == RC_OK ? unpack(a, r, blob, out, size, e) : r->err.code;
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
