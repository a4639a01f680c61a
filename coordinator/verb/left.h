/* left.h - runs that were left unfinished: their journals on this machine.
 */
#ifndef COORDINATOR_LEFT_H
#define COORDINATOR_LEFT_H

#include "coordinator/verb/push.h"

/* --journal-dir, $XDG_STATE_HOME/cpuherd/runs or ~/.local/state/cpuherd/runs. */
enum rc left_folder(
	const struct options *o, struct arena *arena, const char **folder, struct err *e);

/* Makes the journal of a new run: its nodes, how they are reached, all changes. */
enum rc left_write_down(struct push *p, struct journal *journal, struct err *e);

/* RC_CONFLICT: one of the run's nodes has a run here that is not over; it says which,
 * and what to do.  The nodes would say so as well, but later. */
enum rc left_check(struct run *run, struct err *e);

/* Opens the journal of that run, or (NULL) of the only one there is.  RC_USAGE: there is
 * none, or there are several, which are listed; else as journal_open(). */
enum rc left_open(const char *folder, const struct options *o, struct journal *journal,
	struct journal_plan *plan, struct arena *arena, struct err *e);

#endif
