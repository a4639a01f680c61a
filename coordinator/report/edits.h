/* edits.h - what is, or would be, written on a node: compared, and as differences. */
#ifndef COORDINATOR_EDITS_H
#define COORDINATOR_EDITS_H

#include "coordinator/report/report.h"

/* An order in which equal ones are 0: the same places, before and after. */
int edits_compare(const struct edits *a, const struct edits *b);

/* Appends their unified differences, one after the other; nothing where nothing would
 * change. */
enum rc edits_diff(
	struct buf *out, const struct edits *edits, struct arena *arena, struct err *e);

#endif
