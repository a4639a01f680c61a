/* diff.h - what would change in a file, as a person expects to read it.
 *
 * Unified, with three lines of context.  Lines come from nodes: they are cleaned.
 */
#ifndef COORDINATOR_DIFF_H
#define COORDINATOR_DIFF_H

#include "base/arena.h"
#include "base/buf.h"

/* Appends the difference, or nothing when there is none.  The names stand behind
 * --- and +++.  Files of very many lines are shown as taken out and put in whole. */
enum rc diff_unified(struct buf *out, const char *const names[2],
	const struct bytes files[2], struct arena *arena, struct err *e);

#endif
