/* lane_private.h - what the files of a lane share; nobody else includes it.
 *
 *	lane.c		its turns: what becomes of sessions that rest
 *	lane_live.c	its sessions, and the outcomes of its nodes
 *	lane_open.c	whom to ask next: the window, the queue, pauses between tries
 *	lane_stop.c	the end of a round before its time
 *	lane_threads.c	lanes beside each other
 *	lane_watch.c	what is seen of it
 */
#ifndef COORDINATOR_LANE_PRIVATE_H
#define COORDINATOR_LANE_PRIVATE_H

#include "coordinator/net/lane.h"

static inline uint64_t now_of(struct lane *l)
{
	return l->crew->world->now_ms(l->world);
}

static inline enum crew_stop stop_of(const struct lane *l)
{
	return (enum crew_stop)atomic_load(&l->crew->stop);
}

/* ---- lane.c */

enum rc lane_init(struct lane *l, struct crew *crew, struct err *e);
void lane_destroy(struct lane *l);

/* ---- lane_live.c */

/* NULL with *e filled when memory is short. */
struct live *live_new(struct lane *l, size_t node, struct err *e);
void live_free(struct live *v);

/* Does it take a place in the window?  Is it kept for the next round? */
void live_count(struct live *v, bool busy);
void live_hold(struct live *v, bool hold);

/* The outcome of a node that the lane took; code RC_OK: all is well. */
void node_finish(struct lane *l, size_t node, const struct err *why);
/* The same, once a round, with what its session says. */
void live_finish(struct live *v);

/* ---- lane_open.c */

/* ask() for the node's next request; false: there is none. */
bool next_request(struct crew *c, size_t node);
/* Sends it on a session that rests. */
void live_ask(struct live *v);

/* Asks those that were held from earlier rounds; opens sessions while there is room. */
void lane_begin_held(struct lane *l);
void lane_open_more(struct lane *l);

/* The node is tried again, later; false when memory is short. */
bool node_pause(struct lane *l, size_t node);

/* When lane_open_more() has something to do that no session brings about; UINT64_MAX:
 * never. */
uint64_t lane_opens_at(const struct lane *l);

/* ---- lane_stop.c */

void crew_stop_all(struct crew *c, enum crew_stop stop, enum rc code);

/* Gives up what is not to be waited for. */
void lane_give_up(struct lane *l);

/* When lane_notice_stop() has something to do; UINT64_MAX: never. */
uint64_t lane_stops_at(const struct lane *l);

#endif
