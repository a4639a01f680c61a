#include "coordinator/net/transport.h"

#include <libssh2.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "coordinator/net/kexlist.h"

enum {
	FIRST_BYTES = 4096,	      /* kept of the server, to explain a failed kex */
	HANDSHAKE_BYTES = 256 * 1024, /* a server may send greeting lines for ever */
	OUR_NAMES_MAX = 64,
	PREFERENCE_BYTES = 1024,
};

struct transport {
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	LIBSSH2_AGENT *agent;
	struct libssh2_agent_publickey *identity; /* the agent's chosen key */
	int fd;
	bool shaken;	 /* the handshake is done */
	bool gone;	 /* the server closed the connection */
	bool too_much;	 /* the cap stopped it */
	size_t received; /* before the handshake was done */
	uint8_t first[FIRST_BYTES];
};

/* ---- codes: the only place where libssh2's become ours */

static const struct code_row {
	int native;
	enum rc rc;
} code_rows[] = {
	{ LIBSSH2_ERROR_NONE, RC_OK },
	{ LIBSSH2_ERROR_EAGAIN, RC_AGAIN },
	{ LIBSSH2_ERROR_ALLOC, RC_MEMORY },
	{ LIBSSH2_ERROR_TIMEOUT, RC_TIMEOUT },
	{ LIBSSH2_ERROR_SOCKET_TIMEOUT, RC_TIMEOUT },
	{ LIBSSH2_ERROR_AUTHENTICATION_FAILED, RC_AUTH },
	{ LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED, RC_AUTH },
	{ LIBSSH2_ERROR_PUBLICKEY_PROTOCOL, RC_AUTH },
	{ LIBSSH2_ERROR_KEYFILE_AUTH_FAILED, RC_AUTH },
	{ LIBSSH2_ERROR_AGENT_PROTOCOL, RC_AUTH },
	{ LIBSSH2_ERROR_METHOD_NOT_SUPPORTED, RC_AUTH },
	{ LIBSSH2_ERROR_FILE, RC_AUTH },
	{ LIBSSH2_ERROR_BAD_USE, RC_INTERNAL },
	{ LIBSSH2_ERROR_INVAL, RC_INTERNAL },
};

static enum rc code_of(int native)
{
	for (size_t i = 0; i < sizeof(code_rows) / sizeof(*code_rows); i++)
		if (code_rows[i].native == native)
			return code_rows[i].rc;
	return RC_SSH;
}

static enum rc translate(
	struct transport *t, int native, const char *doing, struct err *e)
{
	char *words = NULL;
	enum rc rc;

	/* libssh2 may say -1 where it means "again" (its issue 671) */
	if (native == LIBSSH2_ERROR_SOCKET_NONE &&
		libssh2_session_last_errno(t->session) != 0)
		native = libssh2_session_last_errno(t->session);
	rc = code_of(native);
	if (rc == RC_OK || rc == RC_AGAIN)
		return rc;
	/* libssh2 has other names for it, in a login even "authentication failed" */
	if (t->gone)
		return err_set(
			e, RC_SSH, native, "%s: the server closed the connection", doing);
	libssh2_session_last_error(t->session, &words, NULL, 0);
	return err_set(e, rc, native, "%s: %s", doing,
		words && *words ? words : "no reason given");
}

/* ---- opening */

/* What libssh2 reads from; before the keys are exchanged it is counted. */
static ssize_t receive(
	libssh2_socket_t fd, void *data, size_t size, int flags, void **abstract)
{
	struct transport *t = *abstract;
	ssize_t n;

	if (!t->shaken && t->received >= HANDSHAKE_BYTES) {
		t->too_much = true;
		return -ECONNABORTED;
	}
	n = recv(fd, data, size, flags);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return -EAGAIN;
	t->gone = n <= 0;
	if (n < 0)
		return -errno;
	if (!t->shaken) {
		size_t room = t->received < FIRST_BYTES ? FIRST_BYTES - t->received : 0;

		memcpy(t->first + FIRST_BYTES - room, data,
			(size_t)n < room ? (size_t)n : room);
		t->received += (size_t)n;
	}
	return n;
}

/* Before 1.11.1 libssh2 took a function as a pointer to data. */
static void set_receive(LIBSSH2_SESSION *session)
{
#if LIBSSH2_VERSION_NUM >= 0x010b01
	libssh2_session_callback_set2(
		session, LIBSSH2_CALLBACK_RECV, (libssh2_cb_generic *)receive);
#else
	union {
		ssize_t (*function)(libssh2_socket_t, void *, size_t, int, void **);
		void *pointer;
	} callback = { receive };

	libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, callback.pointer);
#endif
}

static void append_name(char list[static PREFERENCE_BYTES], const char *name)
{
	size_t used = strlen(list), n = strlen(name);

	if (used + n + 2 > PREFERENCE_BYTES)
		return;
	if (used)
		list[used++] = ',';
	memcpy(list + used, name, n + 1);
}

/* An RSA key may sign in three ways (RFC 8332). */
static bool serves_type(const char *algorithm, const char *type)
{
	if (strcmp(type, "ssh-rsa") == 0 && strncmp(algorithm, "rsa-sha2-", 9) == 0)
		return true;
	return strcmp(algorithm, type) == 0;
}

/* Algorithms of known types first, in order; the others behind them. */
static enum rc prefer(struct transport *t, const char *const *types, struct err *e)
{
	char list[PREFERENCE_BYTES] = "";
	const char **have = NULL;
	bool listed[OUR_NAMES_MAX] = { false };
	int count = libssh2_session_supported_algs(
		t->session, LIBSSH2_METHOD_HOSTKEY, &have);
	int rc;

	if (count < 0)
		return translate(t, count, "listing algorithms", e);
	if (count > OUR_NAMES_MAX)
		count = OUR_NAMES_MAX;
	for (; *types; types++)
		for (int i = 0; i < count; i++)
			if (serves_type(have[i], *types)) {
				append_name(list, have[i]);
				listed[i] = true;
			}
	for (int i = 0; i < count; i++)
		if (!listed[i])
			append_name(list, have[i]);
	libssh2_free(t->session, have);
	rc = libssh2_session_method_pref(t->session, LIBSSH2_METHOD_HOSTKEY, list);
	return translate(t, rc, "choosing algorithms", e);
}

static void transport_destroy(struct transport *t)
{
	if (!t)
		return;
	if (t->agent) {
		libssh2_agent_disconnect(t->agent);
		libssh2_agent_free(t->agent);
		t->agent = NULL;
	}
	/* Freeing talks to the server (channel close) and gives up half-way with
	 * "again"; on a socket that is shut down it cannot wait for anything. */
	if (t->session) {
		shutdown(t->fd, SHUT_RDWR);
		libssh2_session_free(t->session); /* with its channel */
	}
	t->session = NULL;
	free(t);
}

static enum rc transport_open(
	struct transport **out, int fd, const char *const *key_types, struct err *e)
{
	struct transport *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (!t)
		return err_memory(e);
	t->fd = fd;
	t->session = libssh2_session_init_ex(NULL, NULL, NULL, t);
	if (!t->session) {
		transport_destroy(t);
		return err_memory(e);
	}
	libssh2_session_set_blocking(t->session, 0);
	set_receive(t->session);
	if (*key_types && prefer(t, key_types, e) != RC_OK) {
		transport_destroy(t);
		return e->code;
	}
	*out = t;
	return RC_OK;
}

static int transport_wait(struct transport *t)
{
	int blocked = libssh2_session_block_directions(t->session), wait = 0;

	if (blocked & LIBSSH2_SESSION_BLOCK_INBOUND)
		wait |= TRANSPORT_READ;
	if (blocked & LIBSSH2_SESSION_BLOCK_OUTBOUND)
		wait |= TRANSPORT_WRITE;
	return wait;
}

/* ---- key exchange */

static const int method_of[KEX_LISTS] = {
	[KEX_METHODS] = LIBSSH2_METHOD_KEX,
	[KEX_HOST_KEYS] = LIBSSH2_METHOD_HOSTKEY,
	[KEX_CIPHERS_TO_SERVER] = LIBSSH2_METHOD_CRYPT_CS,
	[KEX_CIPHERS_TO_CLIENT] = LIBSSH2_METHOD_CRYPT_SC,
	[KEX_MACS_TO_SERVER] = LIBSSH2_METHOD_MAC_CS,
	[KEX_MACS_TO_CLIENT] = LIBSSH2_METHOD_MAC_SC,
};

/* False when there is something common on the list, or nobody knows. */
static bool explain_list(
	struct transport *t, enum kex_list list, struct bytes of_server, struct err *e)
{
	const char *ours[OUR_NAMES_MAX + 1] = { NULL };
	const char **have = NULL;
	int count = libssh2_session_supported_algs(t->session, method_of[list], &have);
	bool common;

	if (count < 0)
		return false;
	for (int i = 0; i < count && i < OUR_NAMES_MAX; i++)
		ours[i] = have[i];
	common = kex_list_has_common(of_server, ours);
	if (!common)
		kex_list_explain(list, of_server, ours, transport_version(), e);
	libssh2_free(t->session, have);
	return !common;
}

/* Puts the reason in place of "Unable to exchange encryption keys". */
static enum rc explain_kex(struct transport *t, struct err *e)
{
	size_t size = t->received < FIRST_BYTES ? t->received : FIRST_BYTES;
	struct kex_lists lists;
	int native = e->native;

	if (!kex_lists_find((struct bytes){ t->first, size }, &lists))
		return e->code;
	for (enum kex_list i = 0; i < KEX_LISTS; i++)
		if (explain_list(t, i, lists.of_server[i], e))
			break;
	e->native = native;
	return e->code;
}

static enum rc transport_handshake(struct transport *t, struct err *e)
{
	int native = libssh2_session_handshake(t->session, t->fd);
	enum rc rc = translate(t, native, "key exchange", e);

	if (t->too_much)
		return err_set(e, RC_LIMIT, 0,
			"the server sent %d KiB and had not exchanged keys yet",
			HANDSHAKE_BYTES / 1024);
	if (rc == RC_OK)
		t->shaken = true;
	if (rc == RC_SSH && t->received == 0)
		return err_set(e, rc, native,
			"the server closed the connection before it said anything "
			"(MaxStartups, or no sshd on this port?)");
	return rc == RC_SSH ? explain_kex(t, e) : rc;
}

static enum rc transport_host_key(struct transport *t, struct bytes *blob, struct err *e)
{
	size_t size = 0;
	int type;
	const char *key = libssh2_session_hostkey(t->session, &size, &type);

	if (!key)
		return err_set(e, RC_SSH, 0, "the server gave no host key");
	*blob = (struct bytes){ (const uint8_t *)key, size };
	return RC_OK;
}

/* ---- login */

/* libssh2 waits for the agent in calls that block, and so does the whole loop.  An
 * alarm ends such a call, because it does not restart it; it rings again, lest the first
 * one comes between two calls. */
static volatile sig_atomic_t agent_is_late;
static uint32_t agent_patience_s;
static bool agent_hangs; /* then it is not asked again: each time would cost as much */

static void agent_alarm(int number)
{
	(void)number;
	agent_is_late = 1;
}

static void agent_call_begin(void)
{
	const struct sigaction action = { .sa_handler = agent_alarm };
	const struct itimerval rings = { .it_interval.tv_sec = 1,
		.it_value.tv_sec = agent_patience_s };

	agent_is_late = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &rings, NULL);
}

/* RC_TIMEOUT when the call was ended. */
static enum rc agent_call_end(struct err *e)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	if (!agent_is_late)
		return RC_OK;
	agent_hangs = true;
	return err_set(e, RC_TIMEOUT, 0,
		"the ssh-agent did not answer within %u s (does it wait for its user?)",
		agent_patience_s);
}

static enum rc connect_agent(struct transport *t, struct err *e)
{
	int native;

	t->agent = libssh2_agent_init(t->session);
	if (!t->agent)
		return err_memory(e);
	agent_call_begin();
	native = libssh2_agent_connect(t->agent);
	if (native == 0)
		native = libssh2_agent_list_identities(t->agent);
	if (agent_call_end(e) != RC_OK)
		return e->code;
	if (native != 0)
		return err_set(e, RC_AUTH, native, "the ssh-agent does not answer");
	return RC_OK;
}

static enum rc transport_agent_next(struct transport *t, bool *rsa, struct err *e)
{
	struct libssh2_agent_publickey *next = NULL;
	static const char name[] = "\0\0\0\7ssh-rsa";

	if (agent_hangs)
		return err_set(e, RC_AUTH, 0, "the ssh-agent hangs");
	if (!t->agent && connect_agent(t, e) != RC_OK)
		return e->code;
	if (libssh2_agent_get_identity(t->agent, &next, t->identity) != 0 || !next)
		return err_set(e, RC_AUTH, 0, "the ssh-agent has no %skey",
			t->identity ? "other " : "");
	t->identity = next;
	*rsa = next->blob_len >= sizeof(name) - 1 &&
	       memcmp(next->blob, name, sizeof(name) - 1) == 0;
	return RC_OK;
}

static enum rc transport_agent_login(struct transport *t, const char *user, struct err *e)
{
	int native;

	agent_call_begin();
	native = libssh2_agent_userauth(t->agent, user, t->identity);
	if (agent_call_end(e) != RC_OK)
		return e->code;
	return translate(t, native, "login with the ssh-agent", e);
}

static enum rc transport_file_login(
	struct transport *t, const char *user, const char *path, struct err *e)
{
	int native = libssh2_userauth_publickey_fromfile_ex(
		t->session, user, (unsigned)strlen(user), NULL, path, NULL);

	return translate(t, native, "login with a key file", e);
}

enum { SINCE_RSA_SHA2 = 0x010b00, SINCE_CHACHA = 0x010b01 };

static bool transport_has_modern_rsa(void)
{
	return libssh2_version(SINCE_RSA_SHA2) != NULL;
}

/* ---- the channel */

static enum rc transport_channel(struct transport *t, struct err *e)
{
	int native;

	t->channel = libssh2_channel_open_session(t->session);
	if (t->channel)
		return RC_OK;
	native = libssh2_session_last_errno(t->session);
	return translate(t, native ? native : LIBSSH2_ERROR_CHANNEL_FAILURE,
		"opening a channel", e);
}

static enum rc transport_exec(struct transport *t, const char *command, struct err *e)
{
	return translate(
		t, libssh2_channel_exec(t->channel, command), "starting a command", e);
}

static enum rc transport_read(struct transport *t, enum transport_stream stream,
	void *data, size_t room, size_t *n, struct err *e)
{
	ssize_t got = libssh2_channel_read_ex(t->channel,
		stream == TRANSPORT_ERR ? SSH_EXTENDED_DATA_STDERR : 0, data, room);

	*n = got > 0 ? (size_t)got : 0;
	if (got < 0)
		return translate(t, (int)got, "reading", e);
	/* libssh2 sees no end while the other stream has something to read */
	if (got == 0 && !libssh2_channel_eof(t->channel) &&
		!libssh2_poll_channel_read(t->channel, stream == TRANSPORT_OUT))
		return RC_AGAIN;
	return RC_OK;
}

static enum rc transport_write(
	struct transport *t, const void *data, size_t size, size_t *n, struct err *e)
{
	ssize_t put = libssh2_channel_write(t->channel, data, size);

	*n = put > 0 ? (size_t)put : 0;
	if (put < 0)
		return translate(t, (int)put, "writing", e);
	return put == 0 ? RC_AGAIN : RC_OK;
}

static enum rc transport_send_eof(struct transport *t, struct err *e)
{
	return translate(t, libssh2_channel_send_eof(t->channel), "closing", e);
}

const struct transport_ops transport_libssh2 = {
	.open = transport_open,
	.wait = transport_wait,
	.handshake = transport_handshake,
	.host_key = transport_host_key,
	.agent_next = transport_agent_next,
	.agent_login = transport_agent_login,
	.file_login = transport_file_login,
	.has_modern_rsa = transport_has_modern_rsa,
	.channel = transport_channel,
	.exec = transport_exec,
	.read = transport_read,
	.write = transport_write,
	.send_eof = transport_send_eof,
	.destroy = transport_destroy,
};

enum rc transport_start(uint32_t agent_s, struct err *e)
{
	agent_patience_s = agent_s;
	agent_hangs = false;
	if (libssh2_init(0) != 0)
		return err_set(e, RC_INTERNAL, 0, "libssh2 does not start");
	return RC_OK;
}

const char *transport_version(void)
{
	return libssh2_version(0);
}

const char *transport_lacks(void)
{
	if (!libssh2_version(SINCE_RSA_SHA2))
		return "RSA keys, of users and of hosts, do not work with servers since "
		       "OpenSSH 8.8, nor do hardened servers, which allow only GCM or "
		       "ChaCha20 ciphers or only encrypt-then-MAC";
	if (!libssh2_version(SINCE_CHACHA))
		return "servers that allow only the cipher ChaCha20 do not work";
	return NULL;
}

void transport_stop(void)
{
	libssh2_exit();
}
