/* transport_libssh2.h - what the files of the transport share; nobody else includes it. */
#ifndef COORDINATOR_TRANSPORT_LIBSSH2_H
#define COORDINATOR_TRANSPORT_LIBSSH2_H

#include "coordinator/net/transport.h"

#include <libssh2.h>

/* The server's first bytes: libssh2 reads its banner byte by byte, which would be one
 * system call each, and a failed key exchange is explained from them. */
enum { FIRST_BYTES = 4096 };

/* A server may send greeting lines for ever. */
enum { HANDSHAKE_BYTES = 256 * 1024 };

/* Versions of the library. */
enum { SINCE_RSA_SHA2 = 0x010b00, SINCE_CHACHA = 0x010b01 };

struct transport {
	LIBSSH2_SESSION *session;
	size_t session_bytes; /* of its block */
	size_t heap;	      /* all that libssh2 has for it */
	size_t taken;	      /* read since the last wait */
	LIBSSH2_CHANNEL *channel;
	int fd;
	bool shaken;	   /* the handshake is done */
	bool gone;	   /* the server closed the connection */
	char *parting;	   /* the server's words when it did; NULL */
	bool too_much;	   /* a cap stopped it */
	bool drained;	   /* there was nothing more to read before the next wait */
	bool heard, said;  /* something was read, written, since the last wait */
	bool not_tcp;	   /* acknowledgements cannot be hurried */
	size_t received;   /* before the handshake was done */
	uint8_t *first;	   /* FIRST_BYTES; NULL when they are not needed any more */
	size_t first_used; /* of them, what libssh2 has had */

	bool only_tunnels; /* no channel but these */
	uint64_t total;	   /* bytes read */
	bool ending;	   /* nothing is read any more */

	/* the login under way */
	const struct login_key *key;
	struct agent_wait *who;
	struct err why;	   /* that it could not sign; RC_OK: it could */
	bool is_openssh;   /* the server takes a channel before it has said yes */
	bool signed_it;	   /* the signature was made */
	bool early;	   /* the channel was asked for behind it */
	bool early_blocks; /* that request is not sent yet */
	bool stuck;	   /* no other key can be tried on this connection */
};

/* libssh2's code as ours, with its words. */
enum rc transport_translate(
	struct transport *t, int native, const char *doing, struct err *e);

/* transport_socket.c: what libssh2 reads from and writes to.  Called before every wait. */
void transport_set_callbacks(LIBSSH2_SESSION *session);
void transport_before_wait(struct transport *t);

/* transport_heap.c: libssh2's memory; *abstract is the transport.  And what is said of a
 * server that went on and on (too_much). */
void *transport_allocate(size_t size, void **abstract);
void *transport_resize(void *block, size_t size, void **abstract);
void transport_release(void *block, void **abstract);
enum rc transport_explain_flood(
	const struct transport *t, const char *doing, struct err *e);

/* transport_login.c */
enum rc transport_login(struct transport *t, const char *user,
	const struct login_key *key, struct agent_wait *who, struct err *e);
bool transport_is_stuck(const struct transport *t);
bool transport_has_modern_rsa(void);

/* transport_tunnel.c */
extern const struct tunnel_ops transport_tunnels;

#endif
