/* world_private.h - what the files of world_libuv share; nobody else includes it.
 *
 *	world.c		one loop: its life, turns, time, signals
 *	world_names.c	names to addresses, with lookup.c
 *	world_sockets.c	connecting, readiness, who reads next
 *	proxy.c		connecting through a command
 *	bastion.c	connecting through a jump host, with relay.c and tunnel.c
 */
#ifndef COORDINATOR_WORLD_PRIVATE_H
#define COORDINATOR_WORLD_PRIVATE_H

#include <uv.h>

#include "coordinator/net/lookup.h"
#include "coordinator/net/world.h"
#include "coordinator/net/world_agent.h"

enum { WORLD_SIGNALS = 3 };

struct world {
	uv_loop_t loop;
	void (*turn)(void *owner);
	void *owner;
	uv_prepare_t before_wait; /* calls turn() */
	uv_timer_t alarm;	  /* makes the wait end */
	uv_async_t poked;
	uv_signal_t signals[WORLD_SIGNALS];
	bool catching, released;
	unsigned caught;
	uv_idle_t turns;     /* runs while some session has more to read */
	struct handles *hot; /* these */
	struct handles *now; /* of these, those that get their turn now */
	struct bastion *bastions;
	struct proxy *ending; /* ProxyCommands that were told to */
	struct lookups *lookups;
	struct world_agents agents;
};

/* What a session has on the loop. */
struct handles {
	struct session *session; /* NULL: it is gone, and only libuv still holds these */
	struct world *world;
	uv_timer_t alarm;
	struct socket_watch *watch; /* of the session's fd */
	struct tunnel *tunnel;	    /* through a jump host */
	struct proxy *proxy;	    /* a ProxyCommand */
	struct lookup *lookup;	    /* in progress */
	bool looked_up;
	int lookup_status;
	bool is_hot;
	struct handles *next_hot;
};

static inline struct handles *handles_of(struct session *s)
{
	return s->handles;
}

enum rc world_resolve(struct session *s, struct err *e);
void world_forget_lookup(struct handles *h);
void world_hear_lookups(struct world *w);

enum rc world_dial(struct session *s, const struct session_address *to, struct err *e);
/* The session's connection is fd, which is closed with it, whatever is returned. */
enum rc world_attach(struct session *s, int fd, struct err *e);
void world_watch(struct session *s, int directions, bool hot);
/* A turn for the session, soon. */
void world_rouse(struct session *s);
void world_explain(struct session *s);
void world_hang_up(struct session *s);

#endif
