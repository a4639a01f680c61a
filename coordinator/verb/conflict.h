/* conflict.h - what somebody else has changed between look and stage. */
#ifndef COORDINATOR_CONFLICT_H
#define COORDINATOR_CONFLICT_H

#include "coordinator/verb/run.h"

/* Looks again at these nodes (one flag a node).  Where something is no longer as it was,
 * the node's edits become that difference, which the report then shows; all other edits
 * go.  A node that does not answer has nothing to show. */
void conflict_show(struct run *run, const bool *which);

#endif
