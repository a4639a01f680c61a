/* transport.h - one SSH connection over a connected socket, without blocking.
 *
 * transport.c is the only file that knows libssh2; the session machine sees this
 * table of operations, so that a test can put a script in its place and make
 * every call fail in every way.
 *
 * Unless it says otherwise an operation returns RC_OK, RC_AGAIN (call it again
 * with the same arguments when the socket is ready in the direction that
 * wait() names), or an error with *e filled; after an error other than RC_AUTH
 * only destroy() may follow.  The library's codes become ours in one function.
 */
#ifndef COORDINATOR_TRANSPORT_H
#define COORDINATOR_TRANSPORT_H

#include <stdbool.h>

#include "base/buf.h"
#include "coordinator/net/agent.h"

struct transport;
struct key;

/* One key to log in with. */
struct login_key {
	struct bytes blob;     /* its public half, over the wire */
	const char *name;      /* the file, or the agent's comment */
	const struct key *key; /* what signs: this, or */
	struct agent *agent;
};

enum transport_direction { TRANSPORT_READ = 1, TRANSPORT_WRITE = 2 };
enum transport_stream { TRANSPORT_OUT = 0, TRANSPORT_ERR = 1 };

struct channel; /* a tunnel through the server, to another one */

/* Connections from the server to others: what a jump host is for.  RC_UNREACHABLE is the
 * end of one tunnel only, RC_AGAIN as below; any other error is the end of the whole
 * connection.  A channel is gone after close(), and with the connection. */
struct tunnel_ops {
	/* Right after transport open(): there will be tunnels, and no command. */
	void (*reserve)(struct transport *t);
	/* One after the other; what is begun must be brought to an end, with the same
	 * arguments.  RC_UNREACHABLE: the words go on "the jump host ...". */
	enum rc (*open)(struct transport *t, const char *host, uint16_t port,
		struct channel **out, struct err *e);
	/* As the operations of the same names below. */
	enum rc (*read)(struct transport *t, struct channel *c, void *data, size_t room,
		size_t *n, struct err *e);
	enum rc (*write)(struct transport *t, struct channel *c, const void *data,
		size_t size, size_t *n, struct err *e);
	enum rc (*close)(struct transport *t, struct channel *c, struct err *e);
	/* After any read of the connection: is there something to read() here? */
	bool (*has_more)(struct channel *c);
	/* Bytes of the connection so far. */
	uint64_t (*received)(const struct transport *t);
};

struct transport_ops {
	/* Once per process, before the first open() and after the last destroy(). */
	enum rc (*start)(struct err *e);
	void (*stop)(void);

	/* A connection over fd, which stays the caller's.  wish: HostKeyAlgorithms as for
	 * ssh, or NULL; types: of the host keys that are known, best first, NULL at the
	 * end (hostalgs.h).  Never RC_AGAIN. */
	enum rc (*open)(struct transport **out, int fd, const char *wish,
		const char *const *types, struct err *e);
	/* Called before every wait: what was written goes out now.  What the last RC_AGAIN
	 * waits for; 0: not known, both.  While it waits to
	 * write, only the same operation may be called. */
	int (*wait)(struct transport *t);

	/* Banner and key exchange; the bytes of a server that never gets to an end
	 * are capped. */
	enum rc (*handshake)(struct transport *t, struct err *e);
	/* The server's public key, valid until destroy(). Never RC_AGAIN. */
	enum rc (*host_key)(struct transport *t, struct bytes *blob, struct err *e);

	/* Logs in with a key.  RC_AGAIN: also where the agent is to sign, and then `who`
	 * waits for it.  RC_AUTH: the server does not want the key; or, where e->native is
	 * 0, it cannot be used, and the text says why. */
	enum rc (*login)(struct transport *t, const char *user,
		const struct login_key *key, struct agent_wait *who, struct err *e);
	/* After RC_AUTH: can this connection try no other key? */
	bool (*is_stuck)(const struct transport *t);
	/* Can RSA keys log in at a server of today (rsa-sha2-*)? */
	bool (*has_modern_rsa)(void);

	/* The one channel, and the one command on it. */
	enum rc (*channel)(struct transport *t, struct err *e);
	enum rc (*exec)(struct transport *t, const char *command, struct err *e);

	/* *n is at least 1, or 0 at the end of the stream. */
	enum rc (*read)(struct transport *t, enum transport_stream stream, void *data,
		size_t room, size_t *n, struct err *e);
	/* *n is at least 1.  After RC_AGAIN the same bytes must be offered again. */
	enum rc (*write)(struct transport *t, const void *data, size_t size, size_t *n,
		struct err *e);
	enum rc (*send_eof)(struct transport *t, struct err *e);

	/* Frees; NULL is fine. */
	void (*destroy)(struct transport *t);

	const struct tunnel_ops *tunnels;
};

extern const struct transport_ops transport_libssh2;

/* The libssh2 in use ("1.11.1"), and what cannot work with it, as a sentence; NULL where
 * nothing is known that cannot. */
const char *transport_version(void);
const char *transport_lacks(void);

#endif
