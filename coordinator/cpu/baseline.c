/* What all offers share, less what was taken out. */
#include "coordinator/cpu/level.h"

/* Registers of KVM without a word of the programs: where those show a feature without
 * its ground, their QEMU was one that did not mind.  Then only what we take out
 * ourselves is gone. */
static bool are_all_bare(const struct offer *offers, size_t n)
{
	bool all = true;

	for (size_t i = 0; i < n; i++)
		all = all && offers[i].bare && offers[i].source != OFFER_LIBVIRT;
	return all;
}

static struct bitset rows_but(const struct bitset *excluded)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < catalogue_feature_rows(); i++)
		if (!bitset_has(excluded, i))
			bitset_add(&s, i);
	return s;
}

struct bitset baseline_of(const struct offer *offers, size_t n,
	const struct bitset *excluded, const struct bitset_ops *ops)
{
	struct bitset base = { { 0 } }, none = { { 0 } }, ground, groundless;
	struct bitset non_migratable = catalogue_non_migratable();

	if (n == 0)
		return base;
	if (!excluded)
		excluded = &none;
	base = offers[0].features;
	for (size_t i = 1; i < n; i++)
		ops->and_all(&base, &offers[i].features, 1);
	base = bitset_minus(&base, excluded);
	base = bitset_minus(&base, &non_migratable);
	ground = are_all_bare(offers, n) ? rows_but(excluded) : base;
	groundless = catalogue_groundless(&ground, catalogue_all_sources());
	return bitset_minus(&base, &groundless);
}
