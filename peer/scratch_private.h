/* scratch_private.h - what scratch.c and scratch_logs.c have in common. */
#ifndef PEER_SCRATCH_PRIVATE_H
#define PEER_SCRATCH_PRIVATE_H

#include "peer/scratch.h"

/* A folder of the node, below the world's root; -1 and errno. */
int scratch_folder(const struct place_world *world, const char *path);

/* Says that something stays; where memory is short it is not said. */
void scratch_say_left(
	struct texts *left, struct arena *arena, int problem, const char *path);

void scratch_remove_logs(
	const struct scratch *s, struct arena *arena, struct texts *left);

#endif
