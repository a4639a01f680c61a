/* progress.h - one line on a terminal that says how far a run is.
 *
 * On standard error, and only when that is a terminal: logs of CI stay clean.  A log
 * line wipes it first (log_set_before).
 */
#ifndef COORDINATOR_PROGRESS_H
#define COORDINATOR_PROGRESS_H

#include <stdbool.h>

#include "coordinator/net/fleet.h"

/* Progress lines from now on, if standard error is a terminal and the user did not
 * ask for quiet. */
void progress_begin(bool quiet);

/* As fleet_new() wants it; the context is not used. */
void progress_show(void *context, const struct fleet_progress *p);

/* Wipes the line; nothing is shown when none is there. */
void progress_clear(void);

#endif
