/* document.h - a level in the format of --as: the document alone on standard output,
 * everything else on standard error.
 */
#ifndef COORDINATOR_DOCUMENT_H
#define COORDINATOR_DOCUMENT_H

#include "coordinator/cpu/level.h"
#include "coordinator/verb/options.h"

struct document {
	const char *text;
	struct texts notes;
};

/* The level as the options ask for it, headed by the doubts where the format has
 * comments.  RC_FORMAT when the format cannot say it. */
enum rc document_make(const struct options *o, const struct level *l,
	const struct catalogue *c, struct texts doubts, struct arena *arena,
	struct document *out, struct err *e);

/* Prints it, and its notes as warnings.  RC_OUTPUT. */
enum rc document_print(const struct document *d, struct err *e);

#endif
