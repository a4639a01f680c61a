/* progress.h - one line on a terminal that says how far a run is.
 *
 * On standard error, and only when that is a terminal: logs of CI stay clean.  A log
 * line wipes it first (log_set_before).
 */
#ifndef COORDINATOR_PROGRESS_H
#define COORDINATOR_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* At least as many as a fleet tells. */
enum { PROGRESS_STAGES = 8, PROGRESS_SLOWEST = 3, PROGRESS_WIDTH_MAX = 240 };

/* What the line is made of; texts are the caller's. */
struct progress {
	const char *phase;
	size_t done, failed, total; /* nodes; failed ones are done as well */
	double seconds;		    /* since the phase began */
	struct {
		const char *name; /* "connecting"; NULL: no more */
		size_t count;
	} stages[PROGRESS_STAGES];
	struct {
		const char *name, *stage; /* NULL: no more */
		double seconds;
	} slowest[PROGRESS_SLOWEST]; /* the slowest first */
};

/* Progress lines from now on, if standard error is a terminal and the user did not
 * ask for quiet. */
void progress_begin(bool quiet);

/* Shows the line in place of the one before. */
void progress_show(const struct progress *p);

/* The line itself, in at most so many columns (and PROGRESS_WIDTH_MAX): "vote 12/16, 1
 * failed, 3 asked, 24/s; slowest: node07 3.1 s (asked)".  What does not fit is left
 * out from the end. */
void progress_format(const struct progress *p, size_t columns,
	char line[static PROGRESS_WIDTH_MAX + 1]);

/* Wipes the line; nothing is shown when none is there. */
void progress_clear(void);

#endif
