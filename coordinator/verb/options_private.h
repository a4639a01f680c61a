/* options_private.h - the rows of the table of options, for the files that walk it. */
#ifndef COORDINATOR_OPTIONS_PRIVATE_H
#define COORDINATOR_OPTIONS_PRIVATE_H

#include "coordinator/verb/options.h"

enum option_kind { KIND_FLAG, KIND_TEXT, KIND_TEXTS, KIND_NUMBER };

struct option_row {
	char letter; /* 0: none */
	const char *name, *argument;
	enum option_kind kind;
	size_t offset;
	unsigned verbs;
	uint32_t max; /* numbers: 1 to max */
	const char *help;
};

extern const struct option_row option_rows[];
extern const size_t option_count; /* at most OPTIONS_MAX */

/* NULL where there is none. */
const struct option_row *option_of_name(const char *name);

/* Does it say anything, given or by default? */
bool option_is_set(const struct options *o, const struct option_row *row);

/* Takes a value, as if it had been given.  RC_USAGE: not one for this row; RC_MEMORY. */
enum rc option_set(struct options *out, const struct option_row *row, const char *value,
	struct arena *arena, struct err *e);

/* Do the words fit together, and into what is known?  RC_USAGE with one line. */
enum rc options_check(struct options *o, struct arena *arena, struct err *e);

/* The part of it that is about rehearse alone. */
enum rc options_check_rehearse(const struct options *o, struct err *e);

#endif
