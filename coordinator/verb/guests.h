/* guests.h - what kind of guests: one virt type for all nodes of a run.
 */
#ifndef COORDINATOR_GUESTS_H
#define COORDINATOR_GUESTS_H

#include "coordinator/verb/run.h"

/* Can each node run guests of each virt type, and why not?  Fills report.nodes. */
void guests_find_types(struct run *run);

/* The one asked for, or with auto kvm where all have it, qemu where none has it (and
 * report.virt_note says so).  A mix is refused: RC_FACTS, and each node that lacks the
 * type says why. */
enum rc guests_choose_type(struct run *run, struct err *e);

/* A node that can run no guest at all says so, whatever the others can. */
void guests_blame_the_unable(struct run *run);

#endif
