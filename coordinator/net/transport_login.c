/* Logging in with one key: libssh2 carries the messages, the key or the agent signs. */
#include <string.h>

#include "coordinator/net/key.h"
#include "coordinator/net/transport_libssh2.h"

/* libssh2 asks for the signature here, and again after "again". *signature is its own
 * to free, by free(): a session of ours has no other allocator. */
static int sign(LIBSSH2_SESSION *session, unsigned char **signature, size_t *size,
	const unsigned char *data, size_t data_size, void **abstract)
{
	struct transport *t = *abstract;
	struct bytes signed_data = { data, data_size };
	enum rc rc;

	(void)session;
	if (t->key->agent)
		rc = agent_sign(t->key->agent, t->who, t->key->blob, signed_data,
			signature, size, &t->why);
	else
		rc = key_sign(t->key->key, signed_data, signature, size, &t->why);
	if (rc == RC_AGAIN)
		return LIBSSH2_ERROR_EAGAIN;
	t->signed_it = rc == RC_OK;
	if (rc == RC_OK)
		t->why.code = RC_OK;
	return rc == RC_OK ? 0 : LIBSSH2_ERROR_AUTHENTICATION_FAILED;
}

/* A round trip is saved by asking for the channel right behind the signature; OpenSSH
 * takes them in order, others drop it. */
static void ask_for_channel(struct transport *t)
{
	int blocked = libssh2_session_block_directions(t->session);

	if (t->only_tunnels || t->channel || !t->is_openssh || !t->signed_it ||
		(!t->early && blocked & LIBSSH2_SESSION_BLOCK_OUTBOUND))
		return;
	t->early = true;
	t->channel = libssh2_channel_open_session(t->session);
	blocked = libssh2_session_block_directions(t->session);
	t->early_blocks = !t->channel && blocked & LIBSSH2_SESSION_BLOCK_OUTBOUND;
}

/* How a key was refused.  A request for a channel that was dropped with the login cannot
 * be taken back; nor (libssh2 1.11) the name of an algorithm that the server does not
 * take, which the next key would be offered with. */
static enum rc refuse(struct transport *t, int native, struct err *e)
{
	if (t->early || native == LIBSSH2_ERROR_METHOD_NONE)
		t->stuck = true;
	if (t->gone)
		return transport_translate(t, native, "login", e);
	if (native == LIBSSH2_ERROR_METHOD_NONE)
		return err_set(e, RC_AUTH, 0,
			"the server takes no algorithm that this key can sign with");
	if (t->why.code != RC_OK)
		return err_set(e, t->why.code == RC_MEMORY ? RC_MEMORY : RC_AUTH, 0, "%s",
			t->why.text);
	if (t->early)
		return err_set(e, RC_AUTH, 0,
			"the server knows the key, and refuses the login (a wrong "
			"signature, or it wants more than a key)");
	return transport_translate(t, native, "login", e);
}

enum rc transport_login(struct transport *t, const char *user,
	const struct login_key *key, struct agent_wait *who, struct err *e)
{
	void *self = t;
	int native;

	if (t->key != key) {
		t->key = key;
		t->who = who;
		t->signed_it = false;
		t->why.code = RC_OK;
	}
	/* while a request is half sent, nothing else may be */
	if (t->early_blocks)
		ask_for_channel(t);
	if (t->early_blocks)
		return RC_AGAIN;
	native = libssh2_userauth_publickey(
		t->session, user, key->blob.data, key->blob.size, sign, &self);
	if (native == LIBSSH2_ERROR_EAGAIN) {
		ask_for_channel(t);
		return RC_AGAIN;
	}
	t->key = NULL;
	return native == 0 ? RC_OK : refuse(t, native, e);
}

bool transport_is_stuck(const struct transport *t)
{
	return t->stuck;
}

bool transport_has_modern_rsa(void)
{
	return libssh2_version(SINCE_RSA_SHA2) != NULL;
}
