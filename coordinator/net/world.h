/* world.h - what the sessions of one thread run on: sockets, names, readiness and time.
 *
 * A lane (lane.h) owns one world and is called back by it.  world_libuv is the real one;
 * tests/sim plays thousands of nodes on another, with a clock of its own.
 */
#ifndef COORDINATOR_WORLD_H
#define COORDINATOR_WORLD_H

#include "coordinator/net/session.h"

struct world;

struct world_ops {
	struct session_world session;

	/* turn(owner) is called by run(), before each wait.  NULL with *e filled. */
	struct world *(*create)(void (*turn)(void *owner), void *owner, struct err *e);
	/* Until stop(). */
	void (*run)(struct world *w);
	void (*stop)(struct world *w);
	/* Takes in what came since run() ended, without waiting. */
	void (*notice)(struct world *w);
	/* A turn in so many milliseconds at the latest; the last call counts, 0: none. */
	void (*wake)(struct world *w, uint64_t ms);
	/* A turn soon; the one operation that other threads may call. */
	void (*poke)(struct world *w);
	uint64_t (*now_ms)(struct world *w);
	/* How many signals that mean "end" (SIGINT, SIGTERM, SIGHUP) came so far; they
	 * are caught from the first call on. */
	unsigned (*interrupts)(struct world *w);
	/* They are not caught any more: the first one (if none came) is let pass, the
	 * next one ends the process. */
	void (*release_signals)(struct world *w);
	/* After every session was unbound. */
	void (*destroy)(struct world *w);
};

extern const struct world_ops world_libuv;

#endif
