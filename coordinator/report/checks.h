/* checks.h - nodes that were held against a lock, for the table's groups and the JSON. */
#ifndef COORDINATOR_CHECKS_H
#define COORDINATOR_CHECKS_H

#include "coordinator/report/writer.h"

/* 0: the same is said of both; either may be NULL. */
int checks_compare(const struct report_check *a, const struct report_check *b);

/* null for NULL. */
json_t *checks_json(struct writer *w, const struct report_check *check);

#endif
