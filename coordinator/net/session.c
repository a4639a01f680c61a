#include "coordinator/net/session.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/log.h"
#include "coordinator/net/session_steps.h"
#include "proto/frame.h"

enum { CLOSE_MS = 2000, READ_BUDGET = 512 * 1024 };

/* How long a state may last. */
enum limit {
	LIMIT_NONE,
	LIMIT_DIAL,    /* what is left of the time to reach the server */
	LIMIT_ADDRESS, /* this address' share of it */
	LIMIT_CONNECT, /* what is left of the time to reach the peer */
	LIMIT_REQUEST, /* the time of one request */
	LIMIT_CLOSE,
};

/* The life of one connection.  STEP_FAIL leads to S_FAILED from everywhere. */
static const struct state_row {
	const char *name;
	enum step (*step)(struct session *s); /* NULL: the session rests */
	enum limit limit;
	enum session_state done, alt, late; /* after STEP_DONE, STEP_ALT, the limit */
	enum session_stage stage;
} rows[S_COUNT] = {
	/* clang-format off */
	[S_IDLE] = { "idle", NULL, LIMIT_NONE, S_IDLE, S_IDLE, S_IDLE, STAGE_REST },
	[S_RESOLVE] = { "name lookup", step_resolve, LIMIT_DIAL, S_DIAL, S_FAILED, S_FAILED, STAGE_CONNECT },
	[S_DIAL] = { "connect", step_dial, LIMIT_ADDRESS, S_HANDSHAKE, S_NEXT_ADDRESS, S_NEXT_ADDRESS, STAGE_CONNECT },
	[S_NEXT_ADDRESS] = { "next address", step_next_address, LIMIT_DIAL, S_DIAL, S_FAILED, S_FAILED, STAGE_CONNECT },
	[S_HANDSHAKE] = { "ssh handshake", step_handshake, LIMIT_DIAL, S_HOST_KEY, S_FAILED, S_FAILED, STAGE_CONNECT },
	[S_HOST_KEY] = { "host key", step_host_key, LIMIT_DIAL, S_AGENT, S_FAILED, S_FAILED, STAGE_LOGIN },
	[S_AGENT] = { "ssh-agent", step_agent, LIMIT_CONNECT, S_KEY, S_FAILED, S_FAILED, STAGE_LOGIN },
	[S_KEY] = { "next key", step_key, LIMIT_CONNECT, S_LOGIN, S_FAILED, S_FAILED, STAGE_LOGIN },
	[S_LOGIN] = { "login", step_login, LIMIT_CONNECT, S_CHANNEL, S_KEY, S_FAILED, STAGE_LOGIN },
	[S_CHANNEL] = { "channel", step_channel, LIMIT_CONNECT, S_EXEC, S_RELAY, S_FAILED, STAGE_START },
	[S_RELAY] = { "relay", step_relay, LIMIT_NONE, S_DONE, S_FAILED, S_FAILED, STAGE_REST },
	[S_EXEC] = { "command", step_exec, LIMIT_CONNECT, S_START, S_FAILED, S_FAILED, STAGE_START },
	[S_START] = { "peer start", step_start, LIMIT_CONNECT, S_HELLO, S_PUSH, S_FAILED, STAGE_START },
	[S_PUSH] = { "push of the peer", step_push, LIMIT_CONNECT, S_PUSHED, S_FAILED, S_FAILED, STAGE_START },
	[S_PUSHED] = { "start of the pushed peer", step_pushed, LIMIT_CONNECT, S_HELLO, S_FAILED, S_FAILED, STAGE_START },
	[S_HELLO] = { "hello", step_hello, LIMIT_CONNECT, S_WELCOME, S_FAILED, S_FAILED, STAGE_START },
	[S_WELCOME] = { "welcome", step_welcome, LIMIT_CONNECT, S_REQUEST, S_FAILED, S_FAILED, STAGE_START },
	[S_READY] = { "ready", NULL, LIMIT_NONE, S_REQUEST, S_BYE, S_FAILED, STAGE_REST },
	[S_REQUEST] = { "request", step_request, LIMIT_REQUEST, S_ANSWER, S_FAILED, S_FAILED, STAGE_ASK },
	[S_ANSWER] = { "answer", step_answer, LIMIT_REQUEST, S_READY, S_FAILED, S_FAILED, STAGE_ASK },
	[S_BYE] = { "bye", step_bye, LIMIT_CLOSE, S_CLOSE, S_DONE, S_DONE, STAGE_REST },
	[S_CLOSE] = { "close", step_close, LIMIT_CLOSE, S_DONE, S_DONE, S_DONE, STAGE_REST },
	[S_DONE] = { "done", NULL, LIMIT_NONE, S_DONE, S_DONE, S_DONE, STAGE_REST },
	[S_FAILED] = { "failed", NULL, LIMIT_NONE, S_FAILED, S_FAILED, S_FAILED, STAGE_REST },
	/* clang-format on */
};

const char *session_state_name(enum session_state state)
{
	return rows[state].name;
}

enum session_stage session_stage(const struct session *s)
{
	return rows[s->state].stage;
}

const char *session_stage_name(enum session_stage stage)
{
	static const char *const names[STAGE_COUNT] = { "connecting", "logging in",
		"starting", "asked", "resting" };

	return names[stage];
}

bool session_is_final(const struct session *s)
{
	return s->state == S_DONE || s->state == S_FAILED;
}

static bool passes(const struct err *why)
{
	static const int passing[] = { ECONNREFUSED, ECONNRESET, EPIPE, EAI_AGAIN };
	bool found = false;

	if (why->code != RC_UNREACHABLE && why->code != RC_SSH)
		return false;
	for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
		found = found || why->native == passing[i];
	return found;
}

bool session_was_cut(const struct session *s)
{
	return s->state == S_FAILED && passes(&s->err) &&
	       rows[s->fell].stage != STAGE_LOGIN;
}

bool session_may_retry(const struct session *s)
{
	return session_was_cut(s) && rows[s->fell].stage == STAGE_CONNECT;
}

static uint64_t left_ms(uint64_t until, uint64_t now)
{
	return until > now ? until - now : 1;
}

/* Milliseconds from now; 0: no limit. */
static uint64_t limit_ms(struct session *s, enum limit limit)
{
	uint64_t now = s->common->world->now_ms(s);

	switch (limit) {
	case LIMIT_NONE:
		return 0;
	case LIMIT_DIAL:
		return left_ms(s->dial_until_ms, now);
	case LIMIT_ADDRESS:
		return left_ms(s->dial_until_ms, now) / (s->address_count - s->address) +
		       1;
	case LIMIT_CONNECT:
		return left_ms(s->connect_until_ms, now);
	case LIMIT_REQUEST:
		return s->common->request_ms;
	case LIMIT_CLOSE:
		return CLOSE_MS;
	}
	return 1;
}

/* Lets go of the connection; what was learnt stays. */
static void session_release(struct session *s)
{
	agent_forget(&s->waits);
	if (s->transport)
		s->common->transport->destroy(s->transport);
	s->transport = NULL;
	s->common->world->hang_up(s);
	buf_destroy(&s->in);
	buf_destroy(&s->out);
	arena_destroy(&s->scratch);
	s->command = NULL;
}

/* The only place that changes s->state: trace and deadline cannot be forgotten. */
static void session_enter(struct session *s, enum session_state next)
{
	const struct state_row *row = &rows[next];

	log_line(LOG_DEBUG, s->name, "%s -> %s", rows[s->state].name, row->name);
	if ((next == S_FAILED || next == S_NEXT_ADDRESS) && s->common->world->explain)
		s->common->world->explain(s);
	if (next == S_FAILED)
		s->fell = s->state;
	s->state = next;
	s->moved_ms = s->common->world->now_ms(s);
	if (session_is_final(s))
		session_release(s);
	/* an answer is part of its request's time */
	if (next != S_ANSWER)
		s->common->world->alarm(s, limit_ms(s, row->limit));
	if (row->step)
		return;
	if (s->transport) /* lets go what is still to be sent */
		s->common->transport->wait(s->transport);
	s->common->world->watch(s, 0, false);
	s->common->settled(s);
}

static void session_want_io(struct session *s)
{
	int directions = 0;

	if (s->transport)
		directions = s->common->transport->wait(s->transport);
	/* what the node says meanwhile can wait, and must not wake us all the time */
	if (s->waits.agent || s->idle) {
		s->common->world->watch(s, 0, false);
		return;
	}
	if (s->transport && !directions)
		directions = TRANSPORT_READ | TRANSPORT_WRITE;
	if (s->transport)
		s->common->world->watch(s, directions, s->hot);
}

void session_advance(struct session *s)
{
	s->budget = READ_BUDGET;
	s->hot = s->idle = false;
	while (rows[s->state].step) {
		const struct state_row *row = &rows[s->state];

		switch (row->step(s)) {
		case STEP_AGAIN:
			session_want_io(s);
			return;
		case STEP_DONE:
			session_enter(s, row->done);
			break;
		case STEP_ALT:
			session_enter(s, row->alt);
			break;
		case STEP_FAIL:
			session_enter(s, S_FAILED);
			break;
		}
	}
}

/* What the operator reads when the time was up: before there was a server to talk to, */
static void describe_way(struct session *s, double limit_s)
{
	const char *host = s->settings->host;
	unsigned port = s->settings->port;

	if (s->state == S_RESOLVE)
		err_set(&s->err, RC_TIMEOUT, 0,
			"name lookup of %s: no answer within %g s; look at the name "
			"servers of this machine",
			host, limit_s);
	else if (s->state == S_DIAL)
		err_set(&s->err, RC_TIMEOUT, 0,
			"connect to %s port %u: no answer in time; the node is down, or "
			"something on the way drops what is sent",
			s->addresses[s->address].text, port);
	else
		err_set(&s->err, RC_TIMEOUT, 0,
			"ssh handshake with %s port %u: not done within %g s; what "
			"listens there hangs, or is no sshd",
			s->addresses[s->address].text, port, limit_s);
}

/* and after. */
static void describe_lateness(struct session *s)
{
	bool asked = rows[s->state].limit == LIMIT_REQUEST;
	uint64_t until = rows[s->state].limit == LIMIT_DIAL ? s->dial_until_ms
							    : s->connect_until_ms;
	double limit_s = (asked ? s->common->request_ms : until - s->opened_ms) / 1000.0;
	double login_s = (s->exec_ms - s->opened_ms) / 1000.0;
	char words[TAIL_LINE_MAX];

	tail_words(&s->words, words);
	if (s->waits.agent)
		err_set(&s->err, RC_TIMEOUT, 0,
			"%s: the ssh-agent at %s did not come to this node within %g s",
			rows[s->state].name, s->waits.agent->path, limit_s);
	else if (rows[s->state].stage == STAGE_CONNECT)
		describe_way(s, limit_s);
	else if (s->state == S_START)
		err_set(&s->err, RC_TIMEOUT, 0,
			"peer start: not done within %g s: the login was through after "
			"%.1f s, and since then the login shell says %s%s; look at its "
			"start files (~/.bashrc, /etc/profile.d) and the node's load",
			limit_s, login_s, *words ? "only: " : "nothing", words);
	else
		err_set(&s->err, RC_TIMEOUT, 0, "%s%s%s: not done within %g s%s%s",
			asked ? s->request->name : rows[s->state].name, asked ? ": " : "",
			asked ? rows[s->state].name : "", limit_s,
			*words ? "; the node said: " : "", words);
}

void session_expire(struct session *s)
{
	if (!rows[s->state].step)
		return;
	if (rows[s->state].late != S_DONE)
		describe_lateness(s);
	session_enter(s, rows[s->state].late);
	session_advance(s);
}

static void session_wake(void *context)
{
	session_advance(context);
}

void session_init(struct session *s, const struct session_common *common,
	const char *name, const struct ssh_settings *settings, struct arena *arena)
{
	*s = (struct session){ .common = common,
		.name = name,
		.settings = settings,
		.arena = arena,
		.fd = -1 };
	s->waits.wake = session_wake;
	s->waits.context = s;
	s->in = buf_with_cap(SESSION_STREAM_BYTES);
	s->out = buf_with_cap(SESSION_STREAM_BYTES);
	s->err.code = RC_OK;
}

/* Frames a message for the peer. */
static enum rc session_say(
	struct session *s, enum message_tag tag, const void *value, struct err *e)
{
	size_t before = buf_bytes(&s->out).size;
	enum rc rc = frame_put(&s->out, tag, value, e);

	if (rc == RC_OK && s->trace)
		session_trace(s, s->state == S_IDLE ? "will send" : "sends",
			message_type_of(tag), buf_bytes(&s->out).size - before);
	return rc;
}

void session_trace(const struct session *s, const char *does,
	const struct message_type *type, size_t size)
{
	log_line(LOG_WARN, s->name, "%s %s, %zu bytes, %.3f s after it was opened", does,
		type->name, size,
		(s->common->world->now_ms((struct session *)s) - s->opened_ms) / 1000.0);
}

/* How long name, address and handshake may take, and all up to the peer's welcome. */
static void set_deadlines(struct session *s)
{
	uint64_t connect_ms = s->common->connect_ms, dial_ms = connect_ms;
	uint64_t named_ms = s->settings->connect_timeout_s * UINT64_C(1000);

	if (named_ms && named_ms < dial_ms)
		dial_ms = named_ms;
	s->opened_ms = s->exec_ms = s->common->world->now_ms(s);
	s->dial_until_ms = s->opened_ms + dial_ms;
	s->connect_until_ms = s->opened_ms + connect_ms;
}

enum rc session_open(
	struct session *s, enum message_tag tag, const void *value, struct err *e)
{
	const struct hello hello = {
		.version_min = PROTOCOL_VERSION_MIN,
		.version_max = PROTOCOL_VERSION,
		.connect = s->common->connect,
	};

	set_deadlines(s);
	if (session_say(s, MESSAGE_hello, &hello, e) != RC_OK ||
		session_say(s, tag, value, e) != RC_OK) {
		buf_destroy(&s->out);
		return e->code;
	}
	s->first = message_type_of(tag);
	session_enter(s, S_RESOLVE);
	session_advance(s);
	return RC_OK;
}

void session_open_relay(struct session *s)
{
	set_deadlines(s);
	session_enter(s, S_RESOLVE);
	session_advance(s);
}

enum rc session_ask(
	struct session *s, enum message_tag tag, const void *value, struct err *e)
{
	enum rc rc;

	if (s->state != S_READY)
		return err_set(e, RC_INTERNAL, 0, "asked a session that is %s",
			rows[s->state].name);
	rc = session_say(s, tag, value, e);
	if (rc != RC_OK)
		return rc;
	s->err.code = RC_OK;
	s->request = message_type_of(tag);
	s->heard = 0;
	session_enter(s, rows[S_READY].done);
	session_advance(s);
	return RC_OK;
}

void session_abort(struct session *s, enum rc code, const char *why)
{
	if (session_is_final(s))
		return;
	err_set(&s->err, code, 0, "%s: %s", rows[s->state].name, why);
	session_enter(s, S_FAILED);
}

void session_close(struct session *s)
{
	if (session_is_final(s) || s->state == S_BYE || s->state == S_CLOSE)
		return;
	if (s->state != S_READY) {
		session_enter(s, S_DONE);
		return;
	}
	session_enter(s, rows[S_READY].alt);
	session_advance(s);
}

void session_destroy(struct session *s)
{
	session_release(s);
}

/* ---- the drawing */

static enum rc draw_edge(
	struct buf *out, enum session_state from, enum session_state to, const char *how)
{
	return buf_format(out, "\t\"%s\" -> \"%s\" [label=\"%s\"];\n", rows[from].name,
		rows[to].name, how);
}

enum rc session_draw(struct buf *out)
{
	enum rc rc = buf_append_text(out, "digraph session {\n");

	for (enum session_state i = 0; i < S_COUNT && rc == RC_OK; i++) {
		const struct state_row *row = &rows[i];

		if (!row->step && i != S_READY)
			continue;
		rc = draw_edge(out, i, row->done, i == S_READY ? "ask" : "");
		if (rc == RC_OK && row->alt != S_FAILED)
			rc = draw_edge(out, i, row->alt, i == S_READY ? "close" : "else");
		if (rc == RC_OK && row->late != S_FAILED && row->late != row->alt)
			rc = draw_edge(out, i, row->late, "late");
	}
	return rc == RC_OK ? buf_append_text(out, "}\n") : rc;
}
