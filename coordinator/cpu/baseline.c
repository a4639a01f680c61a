/* What all offers share, less what was taken out. */
#include "coordinator/cpu/level.h"

#include <string.h>

/* Features that mean nothing without another: QEMU switches them off with it
 * (QEMU target/i386/cpu.c feature_dependencies[]; IA32_ARCH_CAPABILITIES and
 * IA32_CORE_CAPABILITIES are announced by their CPUID bits, Intel SDM 4 table 2-2;
 * AMD APM 3 appendix E, leaf 8000000A).  Taking out the first takes out the rest. */
static const struct dependency {
	const char *needs;
	bool is_msr;
	uint32_t leaf;
} dependencies[] = {
	{ "arch-capabilities", true, 0x10a },
	{ "core-capability", true, 0xcf },
	{ "svm", false, 0x8000000a },
	{ "intel-pt", false, 0x14 },
};

static bool lacks_its_ground(const struct feature_row *row, const struct bitset *s)
{
	for (size_t i = 0; i < sizeof(dependencies) / sizeof(dependencies[0]); i++) {
		const struct dependency *d = &dependencies[i];
		int needed;

		if (row->is_msr != d->is_msr || row->leaf != d->leaf)
			continue;
		needed = catalogue_find_row(d->needs);
		if (needed >= 0 && !bitset_has(s, (size_t)needed))
			return true;
	}
	return false;
}

static void drop_dependents(struct bitset *s)
{
	for (size_t bit = bitset_next(s, 0); bit < catalogue_feature_rows();
		bit = bitset_next(s, bit + 1))
		if (lacks_its_ground(catalogue_feature(NULL, bit), s))
			bitset_remove(s, bit);
}

struct bitset baseline_of(const struct offer *offers, size_t n,
	const struct bitset *excluded, const struct bitset_ops *ops)
{
	struct bitset base = { { 0 } };
	struct bitset non_migratable = catalogue_non_migratable();

	if (n == 0)
		return base;
	base = offers[0].features;
	for (size_t i = 1; i < n; i++)
		ops->and_all(&base, &offers[i].features, 1);
	if (excluded)
		base = bitset_minus(&base, excluded);
	base = bitset_minus(&base, &non_migratable);
	drop_dependents(&base);
	return base;
}
