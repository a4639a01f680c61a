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

enum step step_resolve(struct session *s)
{
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
			rc = s->common->transport->open(
				&s->transport, s->fd, types, &s->err);
		if (rc != RC_OK)
			return STEP_FAIL;
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

/* ---- login */

/* The agent may not use up all attempts that the server allows: the first key
 * files have their turn as well. */
static unsigned agent_logins_max(const struct session *s)
{
	size_t files = s->common->identity_count;

	return SESSION_LOGINS_MAX - (unsigned)(files < 3 ? files : 3);
}

enum step step_agent_next(struct session *s)
{
	bool rsa = false;
	enum rc rc;

	s->agent_err.code = RC_OK;
	if (!s->common->use_agent || s->logins >= agent_logins_max(s))
		return STEP_ALT;
	rc = s->common->transport->agent_next(s->transport, &rsa, &s->err);
	if (rc == RC_AUTH)
		s->agent_err = s->err;
	if (rc == RC_OK) {
		s->logins++;
		s->logins_rsa += rsa;
	}
	return outcome_or(rc, RC_AUTH);
}

/* A server that had enough keys (MaxAuthTries) closes the connection. */
static enum step outcome_of_login(struct session *s, enum rc rc)
{
	struct err why = s->err;

	if (rc == RC_SSH)
		err_set(&s->err, rc, why.native, "%s (key %u was being tried)", why.text,
			s->logins);
	return outcome_or(rc, RC_AUTH);
}

enum step step_agent_login(struct session *s)
{
	return outcome_of_login(s, s->common->transport->agent_login(
					   s->transport, s->settings->user, &s->err));
}

/* Why nobody got in: which keys were tried, which could not be, and what may be
 * behind it. */
static enum step refuse_login(struct session *s)
{
	const struct session_common *c = s->common;
	struct buf text = buf_with_cap(ERR_TEXT_MAX);
	struct bytes all;

	if (s->logins)
		buf_format(&text, "the server refuses user %s with %u key%s",
			s->settings->user, s->logins, s->logins == 1 ? "" : "s");
	else
		buf_format(
			&text, "there is no key to log in with as %s", s->settings->user);
	if (s->logins_rsa && !c->transport->has_modern_rsa())
		buf_format(&text,
			"; %s, and the libssh2 here is too old to sign with them as "
			"servers since OpenSSH 8.8 ask: use an Ed25519 key, or build "
			"cpuherd with libssh2 1.11.1",
			s->logins_rsa == s->logins ? "only RSA keys were tried"
						   : "some of these are RSA keys");
	if (c->use_agent && s->agent_err.code != RC_OK)
		buf_format(&text, "; %s", s->agent_err.text);
	if (c->why_no_agent)
		buf_format(&text, "; %s", c->why_no_agent);
	for (size_t i = 0; i < c->identity_count; i++)
		if (c->identities[i].locked)
			buf_format(&text, "; %s needs a passphrase (ssh-add it)",
				c->identities[i].path);
	if (s->identity < c->identity_count)
		buf_format(&text, "; after %d attempts %s was not tried any more",
			SESSION_LOGINS_MAX, c->identities[s->identity].path);
	all = buf_bytes(&text);
	err_set(&s->err, RC_AUTH, s->err.native, "%.*s", (int)all.size,
		all.size ? (const char *)all.data : "");
	buf_destroy(&text);
	return STEP_FAIL;
}

enum step step_file_next(struct session *s)
{
	const struct session_common *c = s->common;

	while (s->identity < c->identity_count && c->identities[s->identity].locked)
		s->identity++;
	if (s->identity >= c->identity_count || s->logins >= SESSION_LOGINS_MAX)
		return refuse_login(s);
	s->logins++;
	s->logins_rsa += c->identities[s->identity].rsa;
	s->identity++;
	return STEP_DONE;
}

enum step step_file_login(struct session *s)
{
	const char *path = s->common->identities[s->identity - 1].path;

	return outcome_of_login(s, s->common->transport->file_login(s->transport,
					   s->settings->user, path, &s->err));
}

/* ---- the command */

enum step step_channel(struct session *s)
{
	return outcome(s->common->transport->channel(s->transport, &s->err));
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
