/* progress.h - one line on a terminal that says how far a run is.
 *
 * On standard error, and only when that is a terminal: logs of CI stay clean.  A log
 * line wipes it first (log_set_before).
 */
#ifndef COORDINATOR_PROGRESS_H
#define COORDINATOR_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Progress lines from now on, if standard error is a terminal and the user did not
 * ask for quiet. */
void progress_begin(bool quiet);

/* "vote 12/16, 1 failed" */
void progress_show(const char *phase, size_t done, size_t failed, size_t total);

/* Wipes the line; nothing is shown when none is there. */
void progress_clear(void);

#endif
