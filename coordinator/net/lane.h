/* lane.h - the nodes of a fleet that one thread speaks to, on a world of its own.
 *
 * Lanes share the queue of the round (struct crew) and nothing else: a lane takes the next
 * node from it whenever there is room in its window, and keeps that node's session until
 * it is closed.
 *
 * A session that comes to rest is only put on a list; what becomes of it is decided in
 * lane_turn(), the one place that opens, closes and frees sessions.
 */
#ifndef COORDINATOR_LANE_H
#define COORDINATOR_LANE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "coordinator/net/fleet.h"
#include "coordinator/net/world.h"

/* A node of the inventory, for as long as the fleet lives. */
struct member {
	struct live *live;     /* its session; NULL: none is open */
	const struct err *err; /* how its last round ended; NULL: well */
	struct arena arena;    /* its messages */
	bool lost;	       /* its session failed: it is not asked any more */
	bool answered;	       /* in this round */
	uint8_t tries;	       /* in this round */
	uint64_t due_ms;       /* when it is tried again */
	enum message_tag tag;  /* its first request of this round */
	const void *value;
};

/* Why and how fast a round is to end before its time. */
enum crew_stop {
	CREW_GO,
	CREW_FINISH, /* interrupted: only answers under way are waited for */
	CREW_STOP    /* nothing is waited for */
};

/* What all lanes of a fleet share.  What changes while lanes run is atomic, or under the
 * lock, or belongs to the lane that has the node. */
struct crew {
	const struct world_ops *world;
	const struct inventory *inv;
	const struct fleet_options *options;
	struct session_common common;
	struct member *members; /* one a node */

	size_t window;	 /* sessions that a lane may be opening, asking or closing, not
			* counting those that keep it waiting */
	size_t most;	 /* open sessions of a lane, of any kind */
	size_t hold_max; /* of these, resting ones */
	unsigned tries;

	/* the round */
	pthread_mutex_t lock; /* around ask(), answer() and progress */
	const struct fleet_call *call;
	void *context;
	const size_t *queue; /* nodes without a session */
	size_t queue_count;
	atomic_size_t next;
	atomic_size_t done, failed, total;
	uint64_t began_ms, grace_until_ms, deadline_ms; /* 0: none */
	atomic_int stop;				/* enum crew_stop */
	atomic_int stop_code;				/* enum rc */
	unsigned interrupts; /* signals that were taken notice of */
	bool deaf, interrupted;

	struct lane *lanes;
	size_t lane_count;
	atomic_size_t others; /* lanes that run beside the first one */
	sem_t ended;	      /* one of these came to its end */
};

/* A session and the node it belongs to. */
struct live {
	struct session session;
	struct lane *lane;
	size_t node;
	uint64_t since_ms;
	bool finished; /* the node's round is over */
	bool counted;  /* in lane->busy */
	bool held;     /* in lane->held */
	bool resting;  /* on the list of those that rest */
	struct live *previous, *next;
	struct live *next_resting;
};

struct lane {
	struct crew *crew;
	struct world *world;
	pthread_t thread; /* of all but the first */
	sem_t go;	  /* it begins its part, or leaves */
	bool leaving;
	struct live *all, *resting;
	size_t open;	    /* sessions */
	size_t busy;	    /* of these, what counts in the window */
	size_t held;	    /* of these, what rests for the next round */
	uint64_t passed_ms; /* when the slow were last let out of it */
	size_t unfinished;  /* nodes of this round that the lane took */
	bool running, begun, closing;
	size_t *paused; /* nodes that are tried again */
	size_t paused_count, paused_room;
	uint64_t due_ms;	    /* of the first of them, where there are any */
	uint64_t tick_ms;	    /* when progress was last reported */
	struct fleet_progress seen; /* under the crew's lock */
};

/* Makes the crew's lanes, which has room for so many: fewer, with a warning, where there
 * are not so many threads or loops to be had; one there must be. */
enum rc lanes_start(struct crew *c, size_t count, struct err *e);

/* All lanes' part of the round, or of the end: returns when nothing of it is left. */
void lanes_run(struct crew *c);

/* Ends the threads, and frees all lanes. */
void lanes_end(struct crew *c);

/* What was never asked because the round ended before its time. */
void crew_blame_rest(struct crew *c, const struct err *why);

/* The first lane takes in signals and the deadline for all. */
void lane_notice_stop(struct lane *l);

/* What the world calls. */
void lane_turn(void *lane);

/* Between rounds: frees what is still being closed, so that its node can be opened
 * again. */
void lane_forget_closing(struct lane *l);

/* The end: lane_part() says bye to all, lanes_run() waits for the last words, lanes_end()
 * frees. */
void lane_part(struct lane *l);

/* Reports progress, a few times in a second. */
enum { LANE_TICK_MS = 200 };
void lane_watch(struct lane *l);

/* What went wrong with it in this round; without memory for the words it has failed all
 * the same. */
void member_blame(struct member *m, const struct err *why);
void member_destroy(struct member *m);

/* RC_INTERRUPTED or RC_TIMEOUT: why the round ended before its time. */
enum rc crew_describe_stop(const struct crew *c, struct err *e);

/* For session_common. */
enum rc lane_answer(struct session *s, const struct message *m, struct err *e);
void lane_settled(struct session *s);

#endif
