/* conditions.h - what a guest sees of a node besides features, and what follows from it.
 *
 * The width of addresses, XSAVE's layout and what nesting hangs on decide about the
 * level: they state it more closely or take features out.  Machine types, TSC,
 * microcode and lost mitigations only make remarks.  A fact that is needed and missing
 * makes one as well: unknown is not equal.  docs/truth.md has the rules.
 *
 * The verdict does not depend on the order of the nodes.
 */
#ifndef COORDINATOR_CONDITIONS_H
#define COORDINATOR_CONDITIONS_H

#include "coordinator/cpu/cpuxml.h"
#include "coordinator/cpu/level.h"

enum machine_family { MACHINE_Q35, MACHINE_I440FX, MACHINE_FAMILIES };

extern const char *const machine_family_names[MACHINE_FAMILIES]; /* "pc-q35", ... */

/* What to do when the level lacks a mitigation that some node offers. */
enum mitigation_floor { FLOOR_WARN, FLOOR_REQUIRE, FLOOR_IGNORE, FLOOR_COUNT };

extern const char *const mitigation_floor_names[FLOOR_COUNT]; /* "warn", ... */

/* FLOOR_COUNT when there is none of that name. */
enum mitigation_floor mitigation_floor_of(const char *name);

struct condition_remark {
	bool warning; /* else a note */
	const char *about, *text;
	const bool *of; /* by node: whom it is about; NULL: all */
};

/* What a node's capabilities say. */
struct condition_node {
	bool has_capabilities;
	struct cpuxml_host host;
};

struct conditions {
	/* of whom; facts and offers in the same order, not owned */
	const struct catalogue *catalogue;
	const struct node_facts *facts; /* NULL: there are no conditions */
	const struct offer *offers;
	size_t count; /* of these; an offer may be that of many nodes */
	enum virt_type virt;
	struct arena *arena;
	enum mitigation_floor floor;
	struct condition_node *nodes;

	/* by conditions_choose(): the baseline as it was before they took from it, and
	 * what they took */
	struct bitset before, forbidden;

	/* by conditions_remark(), conditions_explain() */
	struct condition_remark *remarks;
	size_t remark_count;
	struct condition_remark *missing; /* texts: what is not known of whom */
	size_t missing_count;
	const char *machines[MACHINE_FAMILIES]; /* newest that all have; NULL: none */
};

/* The members from catalogue to floor are the caller's.  RC_MEMORY only: a text that
 * cannot be read counts as missing. */
enum rc conditions_begin(struct conditions *c, struct err *e);

/* level_choose(), within the conditions.  RC_LEVEL also when the floor is required and
 * the level would lose a mitigation. */
enum rc conditions_choose(struct conditions *c, const struct wishes *wishes,
	const struct bitset_ops *ops, struct level *out, struct err *e);

/* Of a level that was chosen before: RC_LEVEL when the floor is required and it lacks a
 * mitigation.  Later remarks are about it. */
enum rc conditions_keep(struct conditions *c, const struct level *l, struct err *e);

/* Fills in the remarks on that level, in place of earlier ones, and the machines. */
enum rc conditions_remark(struct conditions *c, const struct level *l, struct err *e);

/* Where there is no level: the remarks of those conditions that took features out. */
enum rc conditions_explain(struct conditions *c, struct err *e);

#endif
