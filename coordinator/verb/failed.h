/* failed.h - --failed FILE: the nodes that a next run has to ask again.
 */
#ifndef COORDINATOR_FAILED_H
#define COORDINATOR_FAILED_H

#include "coordinator/verb/run.h"

/* Writes the nodes that failed in a run that ended with *e, with the reason of each, as
 * --hosts and --limit @FILE read them; an empty file when there is none.  A node that
 * was never heard has failed; when the run was interrupted, every node has, because
 * nothing was saved or written.  Where the nodes of the run are not even known, the file
 * is left as it is.  RC_OUTPUT. */
enum rc failed_write(struct run *run, const struct err *outcome, struct err *e);

#endif
