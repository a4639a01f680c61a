/* level.h - the agreed guest CPU.
 *
 * baseline = what all offers share, minus what was taken out (by votes).
 * A level is a model plus a require for each baseline feature that some
 * definition of the model lacks and a disable for each feature that any
 * definition of the model (libvirt's or QEMU's) holds and the baseline does not:
 * so nothing is left to a node's own idea of the model.  The same offers give the
 * same level in whatever order they come.  docs/truth.md has the rules.
 */
#ifndef COORDINATOR_LEVEL_H
#define COORDINATOR_LEVEL_H

#include "coordinator/cpu/offer.h"

enum policy { POLICY_REQUIRE, POLICY_DISABLE };

struct level_feature {
	const char *name;
	enum policy policy;
};

struct level {
	enum virt_type virt;
	const char *model;
	const char *vendor; /* "": none that a guest is sure to see and libvirt knows */
	struct level_feature *features; /* sorted: by name */
	size_t feature_count;
	struct bitset baseline; /* what a guest will see */
	struct bitset unsaid;	/* controls of vmx that it may see besides: closing.h */
	uint32_t maxphysaddr;	/* bits of a physical address; 0: not stated */
	uint32_t xsave_bytes;	/* of the features' state in XSAVE's format; 0: none */
	struct bitset names, model_rows; /* what every node can spell, and knows */
	uint32_t sources;		 /* that may apply on some node */
};

enum preference { PREFER_FEWEST, PREFER_LIBVIRT };

/* What the user, and the votes, want of the level (wishes.h reads them). */
struct wishes {
	struct bitset excluded;	       /* features that shall not be in it */
	struct bitset voted;	       /* the same, by the nodes' noes */
	struct bitset unsafe;	       /* the same, by the nodes' conditions.h */
	struct bitset required;	       /* without these there is no level */
	const char *at_least;	       /* nor without all that this name has; NULL */
	const struct model_row *model; /* no other; NULL: the preference decides */
	enum preference prefer;
	bool cross_vendor; /* of no vendor, for nodes of any */
};

/* "fewest", "libvirt" */
extern const char *const preference_names[];
enum { PREFERENCES = PREFER_LIBVIRT + 1 };

/* A subset of every offer's features; excluded may be NULL; empty for n = 0. */
struct bitset baseline_of(const struct offer *offers, size_t n,
	const struct bitset *excluded, const struct bitset_ops *ops);

/* wishes may be NULL.  RC_LEVEL with the reason when vendors differ (vendor.h), nothing
 * is common, no model is known to all, or a wish cannot be had. */
enum rc level_choose(const struct catalogue *c, const struct offer *offers, size_t n,
	enum virt_type virt, const struct wishes *wishes, const struct bitset_ops *ops,
	struct arena *arena, struct level *out, struct err *e);

/* By name, as every level has them. */
void level_sort_features(struct level *l);

#endif
