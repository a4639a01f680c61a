/* What all offers share, less what was taken out. */
#include "coordinator/cpu/level.h"

/* Leaves of which a guest sees nothing without the feature, though QEMU's properties go on
 * claiming what is in them (QEMU target/i386/cpu.c, cpu_x86_cpuid()). */
static const struct hiding {
	const char *without;
	uint32_t leaf;
} hidings[] = {
	{ "xsave", 0xd },
	{ "sgx", 0x12 },
};

static bool is_hidden(const struct feature_row *row, const struct bitset *ground)
{
	for (size_t i = 0; i < sizeof(hidings) / sizeof(hidings[0]); i++) {
		int needed = catalogue_find_row(hidings[i].without);

		if (!row->is_msr && row->leaf == hidings[i].leaf && needed >= 0 &&
			!bitset_has(ground, (size_t)needed))
			return true;
	}
	return false;
}

/* Of the set: what QEMU switches off or hides where a guest has no more of what others
 * stand on than the ground. */
static struct bitset groundless_in(const struct bitset *s, const struct bitset *ground)
{
	struct bitset found = catalogue_groundless(ground, catalogue_all_sources());

	for (size_t bit = bitset_next(s, 0); bit < catalogue_feature_rows();
		bit = bitset_next(s, bit + 1))
		if (is_hidden(catalogue_feature(NULL, bit), ground))
			bitset_add(&found, bit);
	return bitset_and(&found, s);
}

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
	/* what stood on a feature may have carried another */
	while (groundless = groundless_in(&base, &ground),
		!bitset_is_empty(&groundless)) {
		base = bitset_minus(&base, &groundless);
		ground = bitset_minus(&ground, &groundless);
	}
	return base;
}
