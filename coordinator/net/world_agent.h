/* world_agent.h - the ssh-agents of one loop, on libuv: one connection to each, opened by
 * the first session that needs it.
 */
#ifndef COORDINATOR_WORLD_AGENT_H
#define COORDINATOR_WORLD_AGENT_H

#include <uv.h>

#include "coordinator/net/agent.h"

struct world_agents {
	uv_loop_t *loop;
	struct world_agent *first;
};

/* The agent at the socket, which has so long for each answer; NULL when memory is short.
 * The path outlives it. */
struct agent *world_agent_at(
	struct world_agents *w, const char *path, uint32_t patience_ms);

/* Ends all; their handles close as the loop goes on. */
void world_agents_close(struct world_agents *w);

#endif
