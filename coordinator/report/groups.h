/* groups.h - many nodes, said briefly.
 *
 * A run of few nodes names each.  In a run of many, nodes that are alike are one group and
 * their names are folded.  In the JSON, which has all that is known, a node that failed, or of
 * which there is a note, stands alone; the table unites those with the same words.
 */
#ifndef COORDINATOR_GROUPS_H
#define COORDINATOR_GROUPS_H

#include "coordinator/report/report.h"

/* Beyond so many the table folds, and lists of names; beyond so many the JSON. */
enum { GROUPS_TABLE_NODES = 64, GROUPS_JSON_NODES = 1024 };

struct report_group {
	const struct report_node *like; /* its first node */
	struct texts names;		/* in the order of the run */
};

/* Which nodes; and an order of them in which those are 0 of which the same is said. */
typedef bool groups_pick(const struct report *r, const struct report_node *n);
typedef int groups_compare(const struct report_node *a, const struct report_node *b);

/* Groups in the order of their first nodes; a node a group in a run of at most `few`. */
enum rc groups_by(const struct report *r, size_t few, groups_pick *pick,
	groups_compare *compare, struct arena *arena, struct report_group **out,
	size_t *count, struct err *e);

/* The same of all nodes, by all that is said of each. */
enum rc groups_make(const struct report *r, size_t few, struct arena *arena,
	struct report_group **out, size_t *count, struct err *e);

/* The names as patterns that read back in as the same names. */
enum rc groups_fold(
	const struct texts *names, struct arena *arena, struct texts *out, struct err *e);

/* "node01, node02"; of many "node[001-512] (512 nodes)", cut where it would fill the
 * screen.  "" when memory is short. */
const char *groups_names(const struct texts *names, struct arena *arena);

#endif
