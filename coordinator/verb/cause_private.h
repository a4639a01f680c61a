/* cause_private.h - what the parts of cause.h share. */
#ifndef COORDINATOR_CAUSE_PRIVATE_H
#define COORDINATOR_CAUSE_PRIVATE_H

#include "coordinator/verb/cause.h"

/* "CAUSE: DETAIL; REMEDY"; a detail of NULL: memory is short, "". */
const char *cause_say(
	const char *cause, const char *detail, const char *remedy, struct arena *arena);

/* cause_words.c: what the table of known words says; "" where it has none of them. */
const char *cause_by_words(const struct cause_evidence *ev, struct arena *arena);

#endif
