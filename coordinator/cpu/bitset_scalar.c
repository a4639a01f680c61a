/* The definition: what every other kernel must answer. */
#include "coordinator/cpu/bitset_kernels.h"

#include <string.h>

static bool scalar_usable(void)
{
	return true;
}

static void scalar_and_all(struct bitset *acc, const struct bitset *sets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		*acc = bitset_and(acc, &sets[i]);
}

static void scalar_count(
	uint32_t counts[BITSET_BITS], const struct bitset *sets, size_t n)
{
	memset(counts, 0, BITSET_BITS * sizeof(counts[0]));
	for (size_t i = 0; i < n; i++)
		for (size_t bit = 0; bit < BITSET_BITS; bit++)
			counts[bit] += bitset_has(&sets[i], bit);
}

const struct bitset_ops bitset_scalar = { "scalar", scalar_usable, scalar_and_all,
	scalar_count };
