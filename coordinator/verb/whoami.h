/* whoami.h - who runs this, for those who find a node held. */
#ifndef COORDINATOR_WHOAMI_H
#define COORDINATOR_WHOAMI_H

#include "base/arena.h"

/* "user@host, process 123"; NULL when memory is short. */
const char *whoami_holder(struct arena *arena);

#endif
