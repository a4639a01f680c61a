/* world.h - libuv as the world of sessions: names by its thread pool, sockets,
 * readiness and alarms on one loop.
 *
 * A session that is advanced from here never delays another one for longer than
 * its own calls take: reading is done in turns.
 */
#ifndef COORDINATOR_WORLD_H
#define COORDINATOR_WORLD_H

#include <uv.h>

#include "coordinator/net/session.h"

struct world {
	uv_loop_t loop;
	uv_idle_t turns;  /* runs while some session has more to read */
	struct link *hot; /* these */
	size_t lookups;	  /* that the thread pool still works on */
};

/* A session and its handles on the loop. */
struct link {
	struct session session;
	struct world *world;
	uv_timer_t alarm;
	struct socket_watch *watch; /* of the session's fd */
	struct lookup *lookup;	    /* in progress */
	bool looked_up;
	int lookup_status;
	bool is_hot;
	struct link *next_hot;
};

extern const struct session_world world_libuv;

enum rc world_init(struct world *w, struct err *e);

/* Gives the link's session (already initialised) its handles. */
void world_add(struct world *w, struct link *l);

/* The reverse, after session_destroy(); the link may be freed after the next
 * world_close(). */
void world_remove(struct link *l);

/* Waits for the handles to close, and for a moment for lookups that cannot be
 * cancelled; false: one is still running and the world must stay in memory. */
bool world_close(struct world *w);

#endif
