/* edits.h - what is, or would be, written on a node: compared, and as differences. */
#ifndef COORDINATOR_EDITS_H
#define COORDINATOR_EDITS_H

#include "coordinator/report/report.h"

/* An order in which equal ones are 0: the same places, before and after. */
int edits_compare(const struct edits *a, const struct edits *b);

/* Appends the unified difference of one; nothing where nothing would change.  The machine
 * type of a guest is a difference of its own. */
enum rc edits_diff_one(
	struct buf *out, const struct edit *edit, struct arena *arena, struct err *e);

/* The same of all, one after the other. */
enum rc edits_diff(
	struct buf *out, const struct edits *edits, struct arena *arena, struct err *e);

#endif
