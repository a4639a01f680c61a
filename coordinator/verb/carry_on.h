/* carry_on.h - what resume and rollback share: a run of another process, from its
 * journal to its end. */
#ifndef COORDINATOR_CARRY_ON_H
#define COORDINATOR_CARRY_ON_H

#include "coordinator/verb/options.h"

/* Forward, unless the run was reverting already; or back. */
enum rc carry_on(const struct options *o, bool back, struct err *e);

#endif
