/* Which key lets us in: the agents are heard, a plan is made, and one key after the other
 * is offered. */
#include "coordinator/net/session_steps.h"

#include <string.h>

#include "coordinator/net/wire.h"

/* An agent that is of no use is a reason only if nobody gets in without it. */
static enum rc hear_agent(struct session *s, const char *path, struct agent **out)
{
	enum rc rc;

	*out = NULL;
	if (!path)
		return RC_OK;
	rc = s->common->world->agent(s, path, &s->waits, out, &s->err);
	if (rc != RC_AUTH && rc != RC_TIMEOUT)
		return rc;
	s->why_no_agent = arena_text(&s->scratch, s->err.text);
	*out = NULL;
	return RC_OK;
}

enum step step_agent(struct session *s)
{
	struct keyring *keyring = s->common->keyring;
	struct agent *agent, *unlocked;
	enum rc rc = hear_agent(s, s->settings->agent, &agent);

	if (rc == RC_OK)
		rc = hear_agent(s, keyring->unlocked, &unlocked);
	if (rc != RC_OK)
		return rc == RC_AGAIN ? STEP_AGAIN : STEP_FAIL;
	login_plan(&s->login, s->settings, keyring, agent, unlocked,
		s->common->transport->has_modern_rsa());
	return STEP_DONE;
}

/* ---- nobody got in */

static const char *what_is_wrong_with(const struct session *s, const struct key *key)
{
	if (key->state == KEY_LOCKED && !s->common->keyring->unlocked)
		return "needs a passphrase (ssh-add it)";
	if (key->state == KEY_PUBLIC && key_is_token(key->blob))
		return "sits in an authenticator, which only the ssh-agent asks "
		       "(ssh-add it)";
	if (key->state == KEY_PUBLIC)
		return "is a public key, and its private half would have to be in the "
		       "ssh-agent";
	return NULL;
}

static void describe_files(const struct session *s, struct buf *text)
{
	const struct texts *files = &s->settings->identity_files;

	for (size_t i = 0; i < files->count; i++) {
		const struct key *key = keyring_find(s->common->keyring, files->item[i]);
		const char *wrong = key ? what_is_wrong_with(s, key) : NULL;

		for (unsigned k = 0; wrong && k < s->login.count; k++)
			if (wire_same(s->login.keys[k].blob, key->blob))
				wrong = NULL; /* the agent has it */
		if (wrong)
			buf_format(text, "; %s %s", files->item[i], wrong);
	}
}

static void describe_attempts(const struct session *s, struct buf *text)
{
	if (s->refused)
		buf_format(text, "the server refuses user %s with %u key%s",
			s->settings->user, s->refused, s->refused == 1 ? "" : "s");
	else
		buf_format(text,
			s->login.count ? "no key could be used to log in as %s"
				       : "there is no key to log in with as %s",
			s->settings->user);
	if (s->refused_rsa && !s->common->transport->has_modern_rsa())
		buf_format(text,
			"; %s, and the libssh2 here is too old to sign with them as "
			"servers since OpenSSH 8.8 ask: use an Ed25519 key, or build "
			"cpuherd with libssh2 1.11.1",
			s->refused_rsa == s->refused ? "only RSA keys were tried"
						     : "some of these are RSA keys");
	if (!s->login.count && !s->settings->agent)
		buf_append_text(text, "; no ssh-agent is known (SSH_AUTH_SOCK)");
	else if (!s->login.count && !s->why_no_agent)
		buf_format(text, "; the ssh-agent at %s has no key that may be used",
			s->settings->agent);
	if (s->why_no_login)
		buf_format(text, "; %s", s->why_no_login);
	if (s->why_no_agent)
		buf_format(text, "; %s", s->why_no_agent);
}

/* Why: which keys were tried, which could not be, and what may be behind it. */
static enum step refuse_login(struct session *s)
{
	struct buf text = buf_with_cap(ERR_TEXT_MAX);
	struct bytes all;

	describe_attempts(s, &text);
	describe_files(s, &text);
	if (s->login.left_out)
		buf_format(&text, "; after %d attempts %s was not tried any more",
			LOGIN_KEYS_MAX, s->login.first_left_out);
	if (s->login.next < s->login.count)
		buf_format(&text, "; %s could not be tried on the same connection",
			s->login.keys[s->login.next].name);
	all = buf_bytes(&text);
	err_set(&s->err, RC_AUTH, s->err.native, "%.*s", (int)all.size,
		all.size ? (const char *)all.data : "");
	buf_destroy(&text);
	return STEP_FAIL;
}

/* ---- one after the other */

/* A server that had enough keys (MaxAuthTries) closes the connection. */
static enum step broke_off(struct session *s)
{
	struct err why = s->err;
	bool enough = s->login.next > 1 || strstr(why.text, "Too many authentication");

	if (why.code == RC_SSH && enough)
		err_set(&s->err, RC_AUTH, 0,
			"%.500s (key %u was being tried): a server takes a few keys only "
			"(MaxAuthTries); name the right one with -i, or with "
			"IdentityFile "
			"and IdentitiesOnly in ~/.ssh/config",
			why.text, s->login.next);
	else if (why.code == RC_SSH)
		err_set(&s->err, RC_SSH, why.native, "%s (key %u was being tried)",
			why.text, s->login.next);
	return STEP_FAIL;
}

/* The next key, or the end. */
static enum step refused(struct session *s, struct bytes blob)
{
	if (s->err.native == 0) {
		s->why_no_login = arena_text(&s->scratch, s->err.text);
	} else {
		s->refused++;
		s->refused_rsa += key_is_rsa(blob);
	}
	return s->common->transport->is_stuck(s->transport) ? refuse_login(s) : STEP_ALT;
}

enum step step_key(struct session *s)
{
	if (s->login.next >= s->login.count)
		return refuse_login(s);
	s->login.next++;
	return STEP_DONE;
}

enum step step_login(struct session *s)
{
	const struct login_key *key = &s->login.keys[s->login.next - 1];
	enum rc rc = s->common->transport->login(
		s->transport, s->settings->user, key, &s->waits, &s->err);

	if (rc == RC_AGAIN)
		return STEP_AGAIN;
	if (rc == RC_AUTH)
		return refused(s, key->blob);
	if (rc != RC_OK)
		return broke_off(s);
	keyring_remember(s->common->keyring, s->settings->user, key->blob);
	return STEP_DONE;
}
