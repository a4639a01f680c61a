/* What all offers share, less what was taken out. */
#include "coordinator/cpu/level.h"

struct bitset baseline_of(const struct offer *offers, size_t n,
	const struct bitset *excluded, const struct bitset_ops *ops)
{
	struct bitset base = { { 0 } };
	struct bitset non_migratable = catalogue_non_migratable();
	struct bitset groundless;

	if (n == 0)
		return base;
	base = offers[0].features;
	for (size_t i = 1; i < n; i++)
		ops->and_all(&base, &offers[i].features, 1);
	if (excluded)
		base = bitset_minus(&base, excluded);
	base = bitset_minus(&base, &non_migratable);
	groundless = catalogue_groundless(&base, catalogue_all_sources());
	return bitset_minus(&base, &groundless);
}
