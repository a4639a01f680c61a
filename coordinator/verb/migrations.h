/* migrations.h - trial guests on their way from node to node.
 *
 * Step by step (pairs.h), and in each step: the guests start at their sources, all at
 * once; each source sends its own; each target says what came; all of them end.  The
 * peer of a target knows the run before anything arrives, so that it cleans up after it.  A pair that fails stops no other one.
 */
#ifndef COORDINATOR_MIGRATIONS_H
#define COORDINATOR_MIGRATIONS_H

#include "coordinator/verb/pairs.h"
#include "coordinator/verb/run.h"

enum { MIGRATION_SECONDS = 60 }; /* unless --migrate-timeout says otherwise */

/* After trial_take_level(): fills report.migrations, one for each pair, all of them judged.
 * RC_INTERRUPTED, RC_MEMORY; a pair or a node that failed is not the run's failure here. */
enum rc migrations_run(struct run *run, const struct pairs *pairs, struct err *e);

#endif
