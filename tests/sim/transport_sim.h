/* transport_sim.h - SSH connections to scripted nodes, and the peers at their other end,
 * which speak real frames. */
#ifndef TESTS_SIM_TRANSPORT_H
#define TESTS_SIM_TRANSPORT_H

#include <stdatomic.h>

#include "tests/sim/node.h"

/* What sockets mean: SIM_FD + i is nodes[i]. */
void transport_sim_set(struct sim_node *nodes, const uint8_t *host_key, size_t size);

/* Connections that are open. */
extern atomic_size_t transport_sim_open;

extern const struct transport_ops transport_sim;

#endif
