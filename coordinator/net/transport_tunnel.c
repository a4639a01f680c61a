/* What a jump host does for us: connections from there to others (direct-tcpip, RFC 4254,
 * 7.2). */
#include <string.h>

#include "coordinator/net/transport_libssh2.h"

/* struct channel is libssh2's: nobody else looks into it. */
static LIBSSH2_CHANNEL *native_of(struct channel *c)
{
	return (LIBSSH2_CHANNEL *)c;
}

static void tunnels_reserve(struct transport *t)
{
	t->only_tunnels = true;
}

/* The server's reason (RFC 4254, 5.1) comes as libssh2's words only. */
static enum rc explain_refusal(
	struct transport *t, const char *host, uint16_t port, struct err *e)
{
	static const struct {
		const char *words, *does, *because;
	} reasons[] = {
		{ "prohibited", "does not forward connections",
			" (AllowTcpForwarding or PermitOpen in its sshd_config)" },
		{ "connect failed", "cannot connect",
			" (refused there, no way there, or a name that it does not "
			"know)" },
		{ "shortage", "has no room for a connection", "" },
		{ "", "refuses a connection", "" },
	};
	char *words = NULL;
	size_t i = 0;

	libssh2_session_last_error(t->session, &words, NULL, 0);
	while (!strstr(words ? words : "", reasons[i].words))
		i++;
	return err_set(e, RC_UNREACHABLE, 0, "%s to %s port %u%s", reasons[i].does, host,
		port, reasons[i].because);
}

static enum rc tunnel_open(struct transport *t, const char *host, uint16_t port,
	struct channel **out, struct err *e)
{
	/* where the connection comes from: ssh -W says so as well */
	LIBSSH2_CHANNEL *native = libssh2_channel_direct_tcpip_ex(
		t->session, host, port, "127.0.0.1", 65535);
	int code;

	*out = (struct channel *)native;
	if (native)
		return RC_OK;
	code = libssh2_session_last_errno(t->session);
	if (code == LIBSSH2_ERROR_CHANNEL_FAILURE)
		return explain_refusal(t, host, port, e);
	/* libssh2 gives up an answer after a minute; the connection goes on */
	if (code == LIBSSH2_ERROR_TIMEOUT)
		return err_set(e, RC_UNREACHABLE, code,
			"does not say whether it can connect to %s port %u", host, port);
	return transport_translate(
		t, code ? code : LIBSSH2_ERROR_CHANNEL_FAILURE, "opening a tunnel", e);
}

static enum rc tunnel_read(struct transport *t, struct channel *c, void *data,
	size_t room, size_t *n, struct err *e)
{
	ssize_t got = libssh2_channel_read(native_of(c), data, room);

	*n = got > 0 ? (size_t)got : 0;
	if (got < 0)
		return transport_translate(t, (int)got, "reading", e);
	return got == 0 && !libssh2_channel_eof(native_of(c)) ? RC_AGAIN : RC_OK;
}

static enum rc tunnel_write(struct transport *t, struct channel *c, const void *data,
	size_t size, size_t *n, struct err *e)
{
	ssize_t put = libssh2_channel_write(native_of(c), data, size);

	*n = put > 0 ? (size_t)put : 0;
	if (put == LIBSSH2_ERROR_CHANNEL_CLOSED || put == LIBSSH2_ERROR_CHANNEL_EOF_SENT)
		return err_set(e, RC_UNREACHABLE, (int)put, "the tunnel is closed");
	if (put < 0)
		return transport_translate(t, (int)put, "writing", e);
	return put == 0 ? RC_AGAIN : RC_OK;
}

static enum rc tunnel_close(struct transport *t, struct channel *c, struct err *e)
{
	return transport_translate(
		t, libssh2_channel_free(native_of(c)), "closing a tunnel", e);
}

static bool tunnel_has_more(struct channel *c)
{
	return libssh2_poll_channel_read(native_of(c), 0) ||
	       libssh2_channel_eof(native_of(c));
}

static uint64_t tunnels_received(const struct transport *t)
{
	return t->total;
}

const struct tunnel_ops transport_tunnels = {
	.reserve = tunnels_reserve,
	.open = tunnel_open,
	.read = tunnel_read,
	.write = tunnel_write,
	.close = tunnel_close,
	.has_more = tunnel_has_more,
	.received = tunnels_received,
};
