/* From a node's name to a command on its channel. */
#include "coordinator/net/session_steps.h"

#include <string.h>

#include "base/token.h"

static enum step outcome(enum rc rc)
{
	if (rc == RC_OK)
		return STEP_DONE;
	return rc == RC_AGAIN ? STEP_AGAIN : STEP_FAIL;
}

/* As outcome(), where one code means that there may be another way. */
static enum step outcome_or(enum rc rc, enum rc other_way)
{
	return rc == other_way ? STEP_ALT : outcome(rc);
}

/* Lets the agent say what it holds while the node is being reached. */
static void begin_with_agent(struct session *s)
{
	struct agent *agent;
	struct err e;

	if (s->settings->agent)
		s->common->world->agent(s, s->settings->agent, NULL, &agent, &e);
}

enum step step_resolve(struct session *s)
{
	begin_with_agent(s);
	return outcome(s->common->world->resolve(s, &s->err));
}

enum step step_dial(struct session *s)
{
	const struct session_address *to = &s->addresses[s->address];

	return outcome_or(s->common->world->dial(s, to, &s->err), RC_UNREACHABLE);
}

/* s->err says why the address before was of no use. */
enum step step_next_address(struct session *s)
{
	s->common->world->hang_up(s);
	if (s->address + 1 >= s->address_count)
		return STEP_FAIL;
	s->address++;
	return STEP_DONE;
}

enum step step_handshake(struct session *s)
{
	const char *types[KNOWN_TYPES_MAX + 1];
	enum rc rc;

	if (!s->transport) {
		rc = hostkey_types(s->common->hostkeys, s->settings, types, &s->err);
		if (rc == RC_OK)
			rc = s->common->transport->open(&s->transport, s->fd,
				s->settings->host_key_algorithms, types, &s->err);
		if (rc != RC_OK)
			return STEP_FAIL;
		if (s->common->relay)
			s->common->transport->tunnels->reserve(s->transport);
	}
	return outcome(s->common->transport->handshake(s->transport, &s->err));
}

enum step step_host_key(struct session *s)
{
	struct bytes blob;
	enum rc rc = s->common->transport->host_key(s->transport, &blob, &s->err);

	if (rc == RC_OK)
		rc = hostkey_judge(s->common->hostkeys, s->settings, blob, &s->err);
	return outcome(rc);
}

/* ---- the command */

enum step step_channel(struct session *s)
{
	if (s->common->relay)
		return STEP_ALT;
	return outcome(s->common->transport->channel(s->transport, &s->err));
}

enum step step_relay(struct session *s)
{
	return outcome(s->common->relay(s));
}

static enum rc make_command(struct session *s)
{
	const struct image *image = s->common->image;
	struct bootstrap b = {
		.nonce = s->nonce,
		.sha256 = image->sha256,
		.raw_size = image->raw.size,
		.gzip_size = image->gzip.size,
		.protocol = PROTOCOL_VERSION,
		.machine = image->machine,
		.become = s->become,
	};

	if (token_make(s->nonce, sizeof(s->nonce), &s->err) != RC_OK)
		return s->err.code;
	b.first = bootstrap_first(buf_bytes(&s->out), &s->scratch);
	s->command = b.first ? bootstrap_command(&b, &s->scratch) : NULL;
	if (!s->command)
		return err_memory(&s->err);
	if (*b.first) /* else they follow when the peer is there */
		buf_consume(&s->out, buf_bytes(&s->out).size);
	return RC_OK;
}

enum step step_exec(struct session *s)
{
	if (!s->command && make_command(s) != RC_OK)
		return STEP_FAIL;
	s->exec_ms = s->common->world->now_ms(s);
	return outcome(s->common->transport->exec(s->transport, s->command, &s->err));
}
