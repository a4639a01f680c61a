/* crowd.h - a fleet of scripted nodes, what is asked of them, and what must come of it. */
#ifndef TESTS_SIM_CROWD_H
#define TESTS_SIM_CROWD_H

#include "coordinator/net/fleet.h"
#include "tests/sim/transport_sim.h"
#include "tests/sim/world_sim.h"
#include "tests/support/test.h"

struct crowd {
	size_t count;
	struct sim_node *nodes;
	struct inventory_node *names;
	const struct ssh_settings **settings;
	struct inventory inventory;
	struct fleet_options options; /* may be changed before crowd_start() */
	struct fleet_ground ground;
	struct fleet *fleet;
	struct fleet_progress last; /* as last reported, where options.progress is set */
	struct err err;
};

extern const struct sim_manner good; /* and dialled once */
extern const struct sim_manner well; /* however often it was dialled */
extern const struct sim_manner refused_twice, black_hole, silent_peer;

/* So many nodes of this manner; connect 30 s, requests 120 s, 3 tries, one lane. */
void crowd_make(struct crowd *c, size_t count, const struct sim_manner *manner);
void crowd_change(struct crowd *c, size_t node, const struct sim_manner *manner);

void crowd_start(struct crowd *c);

/* Milliseconds by the clock of the node's lane, from the beginning of the run. */
uint64_t crowd_time(const struct crowd *c, size_t node);

/* Rounds: for facts (may be repeated), and for a vote (may not); sessions are held. */
enum rc crowd_ask(struct crowd *c);
enum rc crowd_propose(struct crowd *c);
/* For facts, and each session is closed. */
enum rc crowd_ask_once(struct crowd *c);

/* The node has one outcome, and it is the one that its manner wants. */
void crowd_check_node(const struct crowd *c, size_t node);
void crowd_check(const struct crowd *c);

/* For options.progress with the crowd as options.context. */
void crowd_watch(void *crowd, const struct fleet_progress *p);

/* Nothing is left open, and no run stood still. */
void crowd_end(struct crowd *c);

/* For cmocka_run_group_tests(). */
int crowd_site_make(void **state);
int crowd_site_unmake(void **state);

#endif
