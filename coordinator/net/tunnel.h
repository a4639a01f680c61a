/* tunnel.h - one connection through a jump host, as a socket.
 *
 * The node's session has one end of a socket pair and does not know better.  What comes
 * out of the other end is written to a channel of the jump host's connection (relay.h),
 * and the other way round.  Nothing piles up: bytes of the session stay in the socket
 * until the channel takes them, and a channel is not read while the socket is full (the
 * jump host stops after libssh2's window, 2 MiB).
 */
#ifndef COORDINATOR_TUNNEL_H
#define COORDINATOR_TUNNEL_H

#include <uv.h>

#include "coordinator/net/session.h"

struct bastion;
struct relay;

enum tunnel_state {
	TUNNEL_WAITING, /* for a relay */
	TUNNEL_OPENING, /* the jump host connects to the node */
	TUNNEL_OPEN,
	TUNNEL_FAILED, /* `why` says it; it belongs to nobody but its session */
	TUNNEL_CLOSED
};

enum tunnel_op { TUNNEL_DO_OPEN, TUNNEL_DO_FETCH, TUNNEL_DO_SEND, TUNNEL_DO_CLOSE };

struct tunnel {
	enum tunnel_state state;
	struct session *session; /* whose it is; NULL: it hung up */
	struct bastion *bastion;
	struct relay *relay; /* that carries it */
	const struct ssh_settings *to;
	struct channel *channel;
	int fd;		 /* our end */
	uv_poll_t *poll; /* of it; NULL before it is open */
	int events;
	bool readable;	 /* there may be something to send */
	bool silent;	 /* the session sends no more */
	bool ended;	 /* the node sends no more */
	bool again;	 /* its relay died before it was open, once */
	struct buf rest; /* of the node's bytes, what the socket did not take yet */
	struct err why;
	struct tunnel *next;
};

/* *theirs is the session's end.  NULL with *e filled. */
struct tunnel *tunnel_new(struct session *s, int *theirs, struct err *e);
void tunnel_free(struct tunnel *t);

/* One operation over the carrier's connection, repeated until it blocks.  RC_AGAIN: the
 * transport blocks; RC_OK: otherwise; an error is that of the whole carrier. */
enum rc tunnel_do(struct tunnel *t, enum tunnel_op op, struct session *carrier);

/* Gives the socket what it did not take before; true: there is room for more. */
bool tunnel_flush(struct tunnel *t);

/* Watches our end for what is wanted now; roused() is called when it is there. */
enum rc tunnel_watch(struct tunnel *t, uv_loop_t *loop, struct err *e);
void tunnel_stop_watching(struct tunnel *t);

/* The reason goes to the session, which sees its connection end. */
void tunnel_fail(struct tunnel *t, const struct err *why);

#endif
