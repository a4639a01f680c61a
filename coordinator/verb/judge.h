/* judge.h - from offers to a level, and what is to be said of it.  Asks no node.
 */
#ifndef COORDINATOR_JUDGE_H
#define COORDINATOR_JUDGE_H

#include "coordinator/cpu/pools.h"
#include "coordinator/verb/run.h"

/* Level and XML of the offers, as wished for.  RC_LEVEL; where vendors are the reason
 * the report then has a pool for each. */
enum rc judge_level(struct run *run, struct err *e);

/* The level as libvirt's <cpu>, for the run's time; "" when that fails. */
enum rc judge_write_xml(
	struct run *run, const struct level *level, const char **out, struct err *e);

/* Adds to the report what is to be said of the level beside features. */
enum rc judge_remarks(struct run *run, struct err *e);

/* Adds remarks as the conditions made them: on the run's nodes, or on those of a pool. */
enum rc judge_take_remarks(struct run *run, const struct condition_remark *remarks,
	size_t count, const struct pool *pool, struct err *e);

/* run->conditions, of the offers; once, or again when its nodes are NULL. */
enum rc judge_read_conditions(struct run *run, struct err *e);

#endif
