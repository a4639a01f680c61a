/* fill.h - values for any record, made by walking its table: so every message
 * is tested, also the one that is added tomorrow.
 */
#ifndef TESTS_SUPPORT_FILL_H
#define TESTS_SUPPORT_FILL_H

#include "base/arena.h"
#include "proto/table.h"

/* A struct of the record's kind with pseudo-random values; lists have one to
 * three items. */
void *fill_record(struct arena *arena, const struct record *record, uint64_t *seed);

#endif
