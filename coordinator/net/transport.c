#include "coordinator/net/transport.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "coordinator/net/hostalgs.h"
#include "coordinator/net/kexlist.h"
#include "coordinator/net/transport_memory.h"
#include "coordinator/net/transport_libssh2.h"

enum {
	OUR_NAMES_MAX = 64,
	MANY = 256,
	DISMISSAL_CHARACTERS = 200,
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

enum rc transport_translate(
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
	if (t->too_much)
		return transport_explain_flood(t, doing, e);
	/* libssh2 has other names for it, in a login even "authentication failed" */
	if (t->gone)
		return err_set(e, RC_SSH, t->parting ? native : ECONNRESET,
			"%s: the server closed the connection%s%s", doing,
			t->parting ? ": " : "", t->parting ? t->parting : "");
	libssh2_session_last_error(t->session, &words, NULL, 0);
	return err_set(e, rc, native, "%s: %s", doing,
		words && *words ? words : "no reason given");
}

/* ---- opening */

/* Asks for host keys of these algorithms only, the known types first. */
static enum rc choose_host_keys(
	struct transport *t, const char *wish, const char *const *types, struct err *e)
{
	char list[HOSTALGS_BYTES];
	const char *ours[OUR_NAMES_MAX + 1] = { NULL };
	const char **have = NULL;
	int count = libssh2_session_supported_algs(
		t->session, LIBSSH2_METHOD_HOSTKEY, &have);
	enum rc rc;

	if (count < 0)
		return transport_translate(t, count, "listing algorithms", e);
	for (int i = 0; i < count && i < OUR_NAMES_MAX; i++)
		ours[i] = have[i];
	rc = hostalgs_choose(wish, types, ours, list, e);
	libssh2_free(t->session, have);
	if (rc != RC_OK)
		return rc;
	return transport_translate(t,
		libssh2_session_method_pref(t->session, LIBSSH2_METHOD_HOSTKEY, list),
		"choosing algorithms", e);
}

/* Giving memory back costs a tenth of the CPU of a connection: not while few are open. */
static atomic_size_t open_count;

static void transport_destroy(struct transport *t)
{
	if (!t)
		return;
	/* Freeing talks to the server (channel close) and gives up half-way with
	 * "again"; on a socket that is shut down it cannot wait for anything. */
	if (t->session) {
		shutdown(t->fd, SHUT_RDWR);
		t->ending = true;
		libssh2_session_free(t->session); /* with its channel */
	}
	free(t->first);
	free(t->parting);
	free(t);
	atomic_fetch_sub(&open_count, 1);
}

static enum rc transport_open(struct transport **out, int fd, const char *wish,
	const char *const *types, struct err *e)
{
	struct transport *t = calloc(1, sizeof(*t));
	bool many;

	*out = NULL;
	if (!t)
		return err_memory(e);
	many = atomic_fetch_add(&open_count, 1) >= MANY;
	t->fd = fd;
	t->first = malloc(FIRST_BYTES);
	t->session = libssh2_session_init_ex(
		transport_allocate, transport_release, transport_resize, t);
	if (!t->first || !t->session) {
		transport_destroy(t);
		return err_memory(e);
	}
	if (many)
		transport_give_back(t->session, t->session_bytes);
	libssh2_session_set_blocking(t->session, 0);
	transport_set_callbacks(t->session);
	t->drained = true; /* the server has had no time to say anything */
	if (choose_host_keys(t, wish, types, e) != RC_OK) {
		transport_destroy(t);
		return e->code;
	}
	*out = t;
	return RC_OK;
}

static int transport_wait(struct transport *t)
{
	int blocked = libssh2_session_block_directions(t->session), wait = 0;

	transport_before_wait(t);
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

	if (!kex_lists_find((struct bytes){ t->first, size }, &lists))
		return e->code;
	for (enum kex_list i = 0; i < KEX_LISTS; i++)
		if (explain_list(t, i, lists.of_server[i], e)) {
			e->native = 0; /* that will not pass, even if it closed as well */
			break;
		}
	return e->code;
}

/* The server went before it said that it speaks SSH: what it said instead is the reason.
 * Only the one that sshd gives when it is full has passed in a moment. */
static enum rc explain_dismissal(struct transport *t, struct err *e)
{
	static const char full[] = "Exceeded MaxStartups";
	char words[DISMISSAL_CHARACTERS];
	size_t n = t->received < sizeof(words) ? t->received : sizeof(words) - 1;

	if (n == 0)
		return err_set(e, RC_SSH, ECONNRESET,
			"the server closed the connection before it said anything "
			"(MaxStartups, or no sshd on this port?)");
	memcpy(words, t->first, n);
	words[n] = '\0';
	words[strcspn(words, "\r\n")] = '\0';
	text_make_printable(words);
	return err_set(e, RC_SSH, text_starts_with(words, full) ? ECONNRESET : 0,
		"the server closed the connection, and all it said was: %s", words);
}

static bool said_ssh(const struct transport *t)
{
	size_t n = t->received < FIRST_BYTES ? t->received : FIRST_BYTES;

	return memmem(t->first, n, "SSH-", 4) != NULL;
}

static void end_handshake(struct transport *t)
{
	const char *banner = libssh2_session_banner_get(t->session);
	static const char openssh[] = "SSH-2.0-OpenSSH_";

	t->shaken = true;
	t->is_openssh = banner && strncmp(banner, openssh, strlen(openssh)) == 0;
	/* what libssh2 has not had of them yet it takes first */
	if (t->first_used < t->received && t->first_used < FIRST_BYTES)
		return;
	free(t->first);
	t->first = NULL;
}

static enum rc transport_handshake(struct transport *t, struct err *e)
{
	int native = libssh2_session_handshake(t->session, t->fd);
	enum rc rc = transport_translate(t, native, "key exchange", e);

	if (rc == RC_OK)
		end_handshake(t);
	if (rc == RC_SSH && t->gone && !said_ssh(t))
		return explain_dismissal(t, e);
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

/* ---- the channel */

static enum rc transport_channel(struct transport *t, struct err *e)
{
	int native;

	/* it may have come with the login */
	if (!t->channel)
		t->channel = libssh2_channel_open_session(t->session);
	if (t->channel)
		return RC_OK;
	native = libssh2_session_last_errno(t->session);
	return transport_translate(t, native ? native : LIBSSH2_ERROR_CHANNEL_FAILURE,
		"opening a channel", e);
}

static enum rc transport_exec(struct transport *t, const char *command, struct err *e)
{
	return transport_translate(
		t, libssh2_channel_exec(t->channel, command), "starting a command", e);
}

static enum rc transport_read(struct transport *t, enum transport_stream stream,
	void *data, size_t room, size_t *n, struct err *e)
{
	ssize_t got = libssh2_channel_read_ex(t->channel,
		stream == TRANSPORT_ERR ? SSH_EXTENDED_DATA_STDERR : 0, data, room);

	*n = got > 0 ? (size_t)got : 0;
	if (got < 0)
		return transport_translate(t, (int)got, "reading", e);
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
		return transport_translate(t, (int)put, "writing", e);
	return put == 0 ? RC_AGAIN : RC_OK;
}

static enum rc transport_send_eof(struct transport *t, struct err *e)
{
	return transport_translate(t, libssh2_channel_send_eof(t->channel), "closing", e);
}

static enum rc transport_start(struct err *e)
{
	if (libssh2_init(0) != 0)
		return err_set(e, RC_INTERNAL, 0, "libssh2 does not start");
	return RC_OK;
}

static void transport_stop(void)
{
	libssh2_exit();
}

const struct transport_ops transport_libssh2 = {
	.start = transport_start,
	.stop = transport_stop,
	.open = transport_open,
	.wait = transport_wait,
	.handshake = transport_handshake,
	.host_key = transport_host_key,
	.login = transport_login,
	.is_stuck = transport_is_stuck,
	.has_modern_rsa = transport_has_modern_rsa,
	.channel = transport_channel,
	.exec = transport_exec,
	.read = transport_read,
	.write = transport_write,
	.send_eof = transport_send_eof,
	.destroy = transport_destroy,
	.tunnels = &transport_tunnels,
};

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
