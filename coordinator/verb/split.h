/* split.h - what is to be said where the nodes' CPUs are of several vendors.
 */
#ifndef COORDINATOR_SPLIT_H
#define COORDINATOR_SPLIT_H

#include "coordinator/verb/run.h"

/* After *e has refused one level for all: fills report.pools if vendors are the reason.
 * Returns e->code, the refusal's or (with a new text) that of what went wrong here. */
enum rc split_by_vendor(struct run *run, struct err *e);

/* With --cross-vendor: once a run, a remark on what the level does not promise. */
enum rc split_warn(struct run *run, struct err *e);

#endif
