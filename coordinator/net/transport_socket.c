/* What libssh2 reads from and writes to: the socket, with as few system calls and packets
 * as will do. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "coordinator/net/transport_libssh2.h"

enum {
	TURN_BYTES = 256 * 1024, /* libssh2 reads for as long as there is something */
	PARTING_BYTES = 200,
};

/* One read of the socket; *t remembers how the connection stands. */
static ssize_t receive_some(struct transport *t, void *data, size_t size, int flags)
{
	ssize_t n;

	/* after a short read there is nothing more, or the loop says so at once */
	if (t->drained || t->taken >= TURN_BYTES)
		return -EAGAIN;
	n = recv(t->fd, data, size, flags);
	t->drained = n < (ssize_t)size;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return -EAGAIN;
	t->gone = n <= 0;
	t->heard = n > 0;
	t->total += n > 0 ? (size_t)n : 0;
	t->taken += n > 0 ? (size_t)n : 0;
	return n < 0 ? -errno : n;
}

/* The first bytes, out of one read instead of one for each. */
static ssize_t receive_first(struct transport *t, void *data, size_t size, int flags)
{
	if (t->first_used == t->received) {
		ssize_t n = receive_some(
			t, t->first + t->received, FIRST_BYTES - t->received, flags);

		if (n <= 0)
			return n;
		t->received += (size_t)n;
	}
	if (size > t->received - t->first_used)
		size = t->received - t->first_used;
	memcpy(data, t->first + t->first_used, size);
	t->first_used += size;
	return (ssize_t)size;
}

/* Before the keys are exchanged it is counted. */
static ssize_t receive(
	libssh2_socket_t fd, void *data, size_t size, int flags, void **abstract)
{
	struct transport *t = *abstract;
	ssize_t n;

	(void)fd;
	if (t->ending)
		return -ECONNABORTED;
	if (t->first && t->first_used < FIRST_BYTES &&
		(!t->shaken || t->first_used < t->received))
		return receive_first(t, data, size, flags);
	if (!t->shaken && t->received >= HANDSHAKE_BYTES) {
		t->too_much = true;
		return -ECONNABORTED;
	}
	n = receive_some(t, data, size, flags);
	if (n > 0 && !t->shaken)
		t->received += (size_t)n;
	return n;
}

/* What is written before the next wait goes out in one packet. */
static ssize_t put(
	libssh2_socket_t fd, const void *data, size_t size, int flags, void **abstract)
{
	struct transport *t = *abstract;
	ssize_t n = send(fd, data, size, flags | MSG_MORE | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
	t->said = true;
	return n;
}

static void set_option(struct transport *t, int option)
{
	int one = 1;

	if (!t->not_tcp && setsockopt(t->fd, IPPROTO_TCP, option, &one, sizeof(one)) != 0)
		t->not_tcp = true;
}

/* Where nothing is said to it the server's words are acknowledged at once: it may hold its
 * next small packet back until then (76 ms to one node become 33).  The kernel forgets it
 * with every read.  TCP_NODELAY, set once more, sends what is there. */
void transport_before_wait(struct transport *t)
{
	if (t->said)
		set_option(t, TCP_NODELAY);
	else if (t->heard)
		set_option(t, TCP_QUICKACK);
	t->said = t->heard = t->drained = false;
	t->taken = 0;
}

/* SSH_MSG_DISCONNECT: "Too many authentication failures". */
static void hear_parting(LIBSSH2_SESSION *session, int reason, const char *message,
	int size, const char *language, int language_size, void **abstract)
{
	struct transport *t = *abstract;

	(void)session;
	(void)reason;
	(void)language;
	(void)language_size;
	t->gone = true;
	if (!t->parting && message && size > 0)
		t->parting = strndup(
			message, (size_t)(size < PARTING_BYTES ? size : PARTING_BYTES));
}

/* Before 1.11.1 libssh2 took a function as a pointer to data. */
static void set_callback(LIBSSH2_SESSION *session, int which, void (*function)(void))
{
#if LIBSSH2_VERSION_NUM >= 0x010b01
	libssh2_session_callback_set2(session, which, function);
#else
	union {
		void (*function)(void);
		void *pointer;
	} callback = { function };

	libssh2_session_callback_set(session, which, callback.pointer);
#endif
}

void transport_set_callbacks(LIBSSH2_SESSION *session)
{
	set_callback(session, LIBSSH2_CALLBACK_RECV, (void (*)(void))receive);
	set_callback(session, LIBSSH2_CALLBACK_SEND, (void (*)(void))put);
	set_callback(session, LIBSSH2_CALLBACK_DISCONNECT, (void (*)(void))hear_parting);
}
