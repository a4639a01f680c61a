/* near.h - names that a mistyped word may have meant. */
#ifndef COORDINATOR_NEAR_H
#define COORDINATOR_NEAR_H

#include <stddef.h>

#include "base/arena.h"

/* The i-th of the names that there are; NULL behind the last. */
typedef const char *near_name_at(size_t i);

/* "; did you mean Haswell, Haswell-IBRS?"; "" when nothing comes near. */
const char *near_names(near_name_at *name_at, const char *word, struct arena *arena);

#endif
