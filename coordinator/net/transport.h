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

struct transport;

enum transport_direction { TRANSPORT_READ = 1, TRANSPORT_WRITE = 2 };
enum transport_stream { TRANSPORT_OUT = 0, TRANSPORT_ERR = 1 };

struct transport_ops {
	/* A connection over fd, which stays the caller's.  Key types of hosts in
	 * the order they are preferred (those of known_hosts), NULL at the end;
	 * others follow.  Never RC_AGAIN. */
	enum rc (*open)(struct transport **out, int fd, const char *const *key_types,
		struct err *e);
	/* What the last RC_AGAIN waits for; 0: not known, both.  While it waits to
	 * write, only the same operation may be called. */
	int (*wait)(struct transport *t);

	/* Banner and key exchange; the bytes of a server that never gets to an end
	 * are capped. */
	enum rc (*handshake)(struct transport *t, struct err *e);
	/* The server's public key, valid until destroy(). Never RC_AGAIN. */
	enum rc (*host_key)(struct transport *t, struct bytes *blob, struct err *e);

	/* Chooses the agent's next key; RC_AUTH: none is left, or no agent. *rsa:
	 * it is an RSA key.  Never RC_AGAIN. */
	enum rc (*agent_next)(struct transport *t, bool *rsa, struct err *e);
	/* Logs in with it, or with a key file; RC_AUTH: the server refuses the key,
	 * or the key cannot be used. */
	enum rc (*agent_login)(struct transport *t, const char *user, struct err *e);
	enum rc (*file_login)(
		struct transport *t, const char *user, const char *path, struct err *e);
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
};

extern const struct transport_ops transport_libssh2;

/* Once per process, before the first open() and after the last destroy().  The ssh-agent
 * may take agent_s seconds to sign; nothing else goes on meanwhile. */
enum rc transport_start(uint32_t agent_s, struct err *e);
void transport_stop(void);

/* The libssh2 in use ("1.11.1"), and what cannot work with it, as a sentence; NULL where
 * nothing is known that cannot. */
const char *transport_version(void);
const char *transport_lacks(void);

#endif
