/* whoami.h - who runs this and since when, for those who find a node held. */
#ifndef COORDINATOR_WHOAMI_H
#define COORDINATOR_WHOAMI_H

#include "base/arena.h"

/* "user@host, process 123"; NULL when memory is short. */
const char *whoami_holder(struct arena *arena);

/* "2026-05-01T12:00:00Z"; NULL when memory is short. */
const char *whoami_now(struct arena *arena);

#endif
