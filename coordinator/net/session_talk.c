/* From the shell's start line over requests and answers to the bye. */
#include "coordinator/net/session_steps.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "proto/frame.h"

enum { CHUNK_BYTES = 16 * 1024 };

/* ---- bytes */

/* One stream ended where more was expected: the reason is often in the last words
 * of standard error, or of a login shell that printed instead of obeying. */
static enum rc describe_end(struct session *s)
{
	char words[TAIL_LINE_MAX];
	struct bytes rest = buf_bytes(&s->in);

	tail_words(&s->words, words);
	if (!*words && s->version == 0 && rest.size) {
		tail_append(&s->words, rest.data, rest.size);
		tail_words(&s->words, words);
	}
	return err_set(&s->err, RC_PEER, 0, "%s: the %s ended%s%s",
		s->request ? s->request->name : session_state_name(s->state),
		s->state == S_START ? "login shell" : "peer",
		*words ? "; its last words: " : " without a word", words);
}

static enum rc keep(
	struct session *s, enum transport_stream stream, const void *data, size_t size)
{
	if (stream == TRANSPORT_ERR) {
		tail_append(&s->words, data, size);
		return RC_OK;
	}
	switch (buf_append(&s->in, data, size)) {
	case RC_OK:
		return RC_OK;
	case RC_LIMIT:
		return err_set(&s->err, RC_LIMIT, 0, "the peer sent more than %d MiB",
			SESSION_STREAM_BYTES / 1024 / 1024);
	default:
		return err_memory(&s->err);
	}
}

/* Reads one stream until it blocks (RC_AGAIN), ends (RC_OK) or the turn is over
 * (RC_AGAIN and s->hot). */
static enum rc drain(struct session *s, enum transport_stream stream)
{
	char chunk[CHUNK_BYTES];

	while (s->budget >= sizeof(chunk)) {
		size_t n = 0;
		enum rc rc = s->common->transport->read(
			s->transport, stream, chunk, sizeof(chunk), &n, &s->err);

		if (rc != RC_OK || n == 0)
			return rc;
		s->budget -= n;
		rc = keep(s, stream, chunk, n);
		if (rc != RC_OK)
			return rc;
	}
	s->hot = true;
	return RC_AGAIN;
}

/* Half-sent window updates: then the same call must come first next time. */
static bool must_repeat(struct session *s)
{
	return s->common->transport->wait(s->transport) & TRANSPORT_WRITE;
}

/* Both streams.  Reading one takes packets of the other out of the socket, which
 * then wakes nobody: so standard output comes last, and what may be left in the
 * library is words only. */
static enum rc drain_both(struct session *s)
{
	enum rc rc = drain(s, TRANSPORT_ERR);

	if (rc != RC_OK && (rc != RC_AGAIN || must_repeat(s)))
		return rc;
	rc = drain(s, TRANSPORT_OUT);
	if (rc != RC_OK)
		return rc;
	s->eof = true;
	rc = drain(s, TRANSPORT_ERR);
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* Reads what is there. RC_OK: something, or the end of it; RC_AGAIN: nothing. */
static enum rc read_more(struct session *s)
{
	size_t before = buf_bytes(&s->in).size;
	enum rc rc;

	if (s->eof)
		return describe_end(s);
	rc = drain_both(s);
	if (rc == RC_AGAIN && buf_bytes(&s->in).size > before)
		return RC_OK;
	return rc;
}

static enum rc write_bytes(struct session *s, struct bytes data, size_t *written)
{
	enum rc rc = RC_OK;

	*written = 0;
	while (rc == RC_OK && *written < data.size) {
		size_t n = 0;

		rc = s->common->transport->write(s->transport, data.data + *written,
			data.size - *written, &n, &s->err);
		if (rc == RC_OK)
			*written += n;
	}
	return rc;
}

static enum rc flush(struct session *s)
{
	size_t written;
	enum rc rc = write_bytes(s, buf_bytes(&s->out), &written);

	buf_consume(&s->out, written);
	return rc;
}

static enum step outcome(enum rc rc)
{
	if (rc == RC_OK)
		return STEP_DONE;
	return rc == RC_AGAIN ? STEP_AGAIN : STEP_FAIL;
}

/* ---- starting the peer */

static enum rc take_start(struct session *s)
{
	enum rc rc;

	do {
		rc = bootstrap_take_start(&s->in, s->nonce, &s->start, &s->err);
		if (rc != RC_AGAIN)
			return rc;
		rc = read_more(s);
	} while (rc == RC_OK);
	return rc;
}

static enum step judge_start(struct session *s)
{
	log_line(LOG_DEBUG, s->name, "start: %s", s->start.text);
	if (s->start.word == BOOTSTRAP_HAVE)
		return STEP_DONE;
	if (s->start.word == BOOTSTRAP_NEED)
		return STEP_ALT;
	err_set(&s->err, RC_PEER, 0, "the peer cannot be placed: %s", s->start.text);
	return STEP_FAIL;
}

enum step step_start(struct session *s)
{
	const struct image *image = s->common->image;
	enum rc rc = take_start(s);

	if (rc != RC_OK)
		return outcome(rc);
	s->push = bootstrap_wants_gzip(&s->start) ? image->gzip : image->raw;
	return judge_start(s);
}

enum step step_push(struct session *s)
{
	size_t written;
	enum rc rc = write_bytes(s, s->push, &written);

	s->push.data += written;
	s->push.size -= written;
	return outcome(rc);
}

enum step step_pushed(struct session *s)
{
	enum rc rc = take_start(s);

	if (rc != RC_OK)
		return outcome(rc);
	if (s->start.word == BOOTSTRAP_NEED) {
		err_set(&s->err, RC_PEER, 0, "the node asks for the peer a second time");
		return STEP_FAIL;
	}
	return judge_start(s);
}

/* ---- the dialogue */

/* The hello, with the first request behind it, if the command could not carry them. */
enum step step_hello(struct session *s)
{
	return outcome(flush(s));
}

static enum rc take_message(struct session *s, struct message *m)
{
	uint32_t version = s->version ? s->version : PROTOCOL_VERSION_MIN;
	enum rc rc;

	do {
		size_t before = buf_bytes(&s->in).size;

		rc = frame_take(&s->in, version, s->arena, m, &s->err);
		s->heard += before - buf_bytes(&s->in).size;
		if (rc == RC_OK && s->trace)
			session_trace(
				s, "is sent", m->type, before - buf_bytes(&s->in).size);
		if (rc != RC_AGAIN)
			return rc;
		rc = read_more(s);
	} while (rc == RC_OK);
	return rc;
}

/* The peer's failure becomes the node's, with the code it names.  INTERRUPTED would be
 * taken for our own user's wish. */
static void adopt_failure(struct session *s, const char *request, const struct failure *f)
{
	enum rc code = RC_PEER;

	for (int i = 0; i < RC_COUNT; i++)
		if (strcmp(rc_name((enum rc)i), f->code) == 0)
			code = (enum rc)i;
	if (code == RC_OK || code == RC_AGAIN || code == RC_INTERRUPTED)
		code = RC_PEER;
	err_set(&s->err, code, (int)f->native, "%s: %s", request,
		*f->reason ? f->reason : rc_meaning(code));
}

enum step step_welcome(struct session *s)
{
	const struct welcome *welcome;
	struct message m;
	enum rc rc = take_message(s, &m);

	if (rc != RC_OK)
		return outcome(rc);
	if (m.type->tag == MESSAGE_failure) {
		adopt_failure(s, "hello", m.value);
		return STEP_FAIL;
	}
	welcome = m.value;
	if (m.type->tag != MESSAGE_welcome) {
		err_set(&s->err, RC_PROTOCOL, 0, "the peer answers hello with %s",
			m.type->name);
		return STEP_FAIL;
	}
	if (welcome->version < PROTOCOL_VERSION_MIN ||
		welcome->version > PROTOCOL_VERSION) {
		err_set(&s->err, RC_PROTOCOL, 0,
			"the peer wants protocol version %u, spoken are %d to %d",
			welcome->version, PROTOCOL_VERSION_MIN, PROTOCOL_VERSION);
		return STEP_FAIL;
	}
	s->version = welcome->version;
	s->request = s->first;
	s->err.code = RC_OK;
	return STEP_DONE;
}

enum step step_request(struct session *s)
{
	return outcome(flush(s));
}

static bool answers(const struct message *m, const struct message_type *request)
{
	return request && strcmp(m->type->answers, request->name) == 0;
}

/* One message in answer to the request; RC_AGAIN: more will follow. */
static enum rc take_answer(struct session *s, const struct message *m)
{
	enum rc rc;

	if (m->type->tag == MESSAGE_failure) {
		adopt_failure(s, s->request->name, m->value);
		return RC_OK;
	}
	/* messages live as long as the fleet */
	if (s->heard > SESSION_ANSWER_BYTES)
		return err_set(&s->err, RC_LIMIT, 0,
			"the peer sent more than %d MiB in answer to %s",
			SESSION_ANSWER_BYTES / 1024 / 1024, s->request->name);
	if (answers(m, s->request)) {
		rc = s->common->answer(s, m, &s->err);
		if (rc == RC_OK || rc == RC_AGAIN)
			return rc;
		s->err.code = rc;
		s->stale = s->request;
		return RC_OK;
	}
	if (answers(m, s->stale)) /* the rest of a series that nobody wanted */
		return RC_AGAIN;
	return err_set(&s->err, RC_PROTOCOL, 0, "the peer answers %s with %s",
		s->request->name, m->type->name);
}

enum step step_answer(struct session *s)
{
	struct message m;
	enum rc rc;

	do {
		rc = take_message(s, &m);
		if (rc != RC_OK)
			return outcome(rc);
		rc = take_answer(s, &m);
	} while (rc == RC_AGAIN);
	return outcome(rc);
}

/* ---- the end: nothing that goes wrong here matters any more */

static enum step outcome_of_end(enum rc rc)
{
	if (rc == RC_OK)
		return STEP_DONE;
	return rc == RC_AGAIN ? STEP_AGAIN : STEP_ALT;
}

enum step step_bye(struct session *s)
{
	static const struct bye bye = { 0 };

	if (!s->request || s->request->tag != MESSAGE_bye) {
		s->request = message_type_of(MESSAGE_bye);
		if (frame_put(&s->out, MESSAGE_bye, &bye, &s->err) != RC_OK)
			return STEP_ALT;
	}
	return outcome_of_end(flush(s));
}

enum step step_close(struct session *s)
{
	enum rc rc = RC_OK;

	if (!s->eof_sent)
		rc = s->common->transport->send_eof(s->transport, &s->err);
	if (rc != RC_OK)
		return outcome_of_end(rc);
	s->eof_sent = true;
	while (rc == RC_OK && !s->eof) {
		buf_consume(&s->in, buf_bytes(&s->in).size);
		rc = read_more(s);
	}
	return outcome_of_end(rc);
}
