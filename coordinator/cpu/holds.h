/* holds.h - does a level that was agreed on before still hold on a node?
 *
 * It does when the node offers every feature of the level, knows its model and its names,
 * adds nothing to the model that the level does not switch off, and shows guests the same
 * besides features as when it was agreed on: vendor, width of addresses, XSAVE's layout,
 * what nesting hangs on.  A level holds on the nodes that it was made of; more features
 * never break it.  Everything made lives in the conditions' arena.
 */
#ifndef COORDINATOR_HOLDS_H
#define COORDINATOR_HOLDS_H

#include "coordinator/cpu/conditions.h"

enum { XSAVE_PLACES = 16 };

/* A component of XSAVE's area: its sub-leaf of CPUID 0xD. */
struct xsave_place {
	uint32_t index, size, offset;
};

/* What guests of the level stand on besides features. */
struct ground {
	const char *vendor; /* of the CPUs that they saw; "": any will do */
	const char *nested; /* a digest; "": there is nothing to compare */
	struct xsave_place xsave[XSAVE_PLACES];
	size_t xsave_count;
};

/* Why a level does not hold. */
struct hold_reason {
	const char *about;	/* one word: "features", "vendor", "xsave", ... */
	const char *text;	/* one line, without the node's name */
	struct bitset features; /* of the level: those that it cannot keep here */
};

enum { HOLD_REASONS = 8 };

struct holding {
	struct hold_reason reason[HOLD_REASONS];
	size_t count; /* 0: it holds */
};

/* The ground of a level that conditions_choose() made for these nodes; any_vendor: it is
 * for nodes of any. */
enum rc holds_find_ground(const struct conditions *c, const struct level *l,
	bool any_vendor, struct ground *out, struct err *e);

/* Holds the level on one of the nodes? */
enum rc holds_judge(const struct conditions *c, size_t node, const struct level *l,
	const struct ground *ground, struct holding *out, struct err *e);

/* Fills in what a level that was read does not say of the nodes of a run: names, model_rows
 * and sources, of those offers that have a node. */
void holds_meet(struct level *l, const struct offer *offers, size_t n);

#endif
