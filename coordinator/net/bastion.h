/* bastion.h - a jump host: reached once, shared by all nodes behind it.
 *
 * The first node that wants to go through it makes it be connected to, by a session like
 * a node's (its own user, keys, known_hosts; and its own jump host, if it has one) that
 * rests after the login and carries tunnels.  Opening tunnels is serial on one
 * connection, so that there are more of them where many nodes wait; they are opened one
 * after the other, and only after the first one is up: who cannot be reached is tried by
 * one connection, and then all nodes behind it fail with that reason, once.
 *
 * One bastion belongs to one world, that is, to one thread.  sshd's MaxSessions is about
 * commands and not about tunnels; MaxStartups sees one connection at a time.
 */
#ifndef COORDINATOR_BASTION_H
#define COORDINATOR_BASTION_H

#include "coordinator/net/session.h"

struct bastion;
struct tunnel;

enum {
	BASTION_RELAYS = 8,	  /* connections that are of use at once */
	BASTION_RELAYS_MOST = 32, /* with those that a silent node keeps busy */
	BASTION_TRIES = 3,
};

/* For world_sockets.c: as the world's operations, for a session with a jump host. */
enum rc bastion_dial(struct session *s, struct err *e);
void bastion_hang_up(struct session *s);
void bastion_explain(struct session *s);

/* After all nodes' sessions were unbound. */
void bastions_close(struct world *w);

/* For relay.c: the next tunnel to be opened; NULL: none waits. */
struct tunnel *bastion_take(struct bastion *b);
/* Looks after its relays in a moment. */
void bastion_attend_soon(struct bastion *b);

#endif
