/* world_sim.h - a world without a network, on a clock of its own: time passes only when
 * nothing is left to be done.  Events happen in the order of their time, then of their
 * making, so that a run is the same each time.
 *
 * Each lane has its own world and its own clock; they run side by side as real ones do.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include <stdatomic.h>

#include "coordinator/net/world.h"

/* Of all worlds together; set to {0} before a fleet is made. */
extern struct sim_weather {
	unsigned
		interrupt_at[2]; /* signals come when so many events have been; 0: none */
	unsigned bind_fails_at;	 /* so many sessions are given what they need; 0: all */
	atomic_uint events, binds;
	atomic_size_t sessions, sessions_max; /* bound; at most at once */
	atomic_size_t sockets;		      /* open */
	atomic_bool stuck; /* a run would never have ended, and was ended */
} sim_weather;

extern const struct world_ops world_sim;

#endif
