/* summary.h - the last line of a negotiation: what was agreed, and where it is now. */
#ifndef COORDINATOR_SUMMARY_H
#define COORDINATOR_SUMMARY_H

#include "coordinator/verb/run.h"

/* Fills the report's summary, for a run that went well up to its end. */
void summary_tell(struct run *run);

/* --check: RC_DIFFERS, naming nodes, when anything would be changed on any of them. */
enum rc summary_check(struct run *run, struct err *e);

#endif
