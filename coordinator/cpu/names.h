/* names.h - sets of features as names, for people and for texts. */
#ifndef COORDINATOR_NAMES_H
#define COORDINATOR_NAMES_H

#include "coordinator/cpu/catalogue.h"
#include "proto/table.h"

/* The names of a set, sorted; NULL items when memory is short. */
struct texts names_of(
	const struct catalogue *c, const struct bitset *set, struct arena *arena);

/* "avx2, hle": the same in one line; NULL when memory is short. */
const char *names_join(
	const struct catalogue *c, const struct bitset *set, struct arena *arena);

#endif
