#include "coordinator/cpu/bitset_kernels.h"

#include <string.h>

void bitset_add(struct bitset *s, size_t bit)
{
	s->word[bit / 64] |= UINT64_C(1) << bit % 64;
}

void bitset_remove(struct bitset *s, size_t bit)
{
	s->word[bit / 64] &= ~(UINT64_C(1) << bit % 64);
}

bool bitset_has(const struct bitset *s, size_t bit)
{
	return s->word[bit / 64] >> bit % 64 & 1;
}

struct bitset bitset_and(const struct bitset *a, const struct bitset *b)
{
	struct bitset r;

	for (size_t i = 0; i < BITSET_WORDS; i++)
		r.word[i] = a->word[i] & b->word[i];
	return r;
}

struct bitset bitset_or(const struct bitset *a, const struct bitset *b)
{
	struct bitset r;

	for (size_t i = 0; i < BITSET_WORDS; i++)
		r.word[i] = a->word[i] | b->word[i];
	return r;
}

struct bitset bitset_minus(const struct bitset *a, const struct bitset *b)
{
	struct bitset r;

	for (size_t i = 0; i < BITSET_WORDS; i++)
		r.word[i] = a->word[i] & ~b->word[i];
	return r;
}

size_t bitset_count(const struct bitset *s)
{
	size_t n = 0;

	for (size_t i = 0; i < BITSET_WORDS; i++)
		n += (size_t)__builtin_popcountll(s->word[i]);
	return n;
}

bool bitset_is_empty(const struct bitset *s)
{
	return bitset_next(s, 0) == BITSET_BITS;
}

bool bitset_is_subset(const struct bitset *part, const struct bitset *whole)
{
	struct bitset rest = bitset_minus(part, whole);

	return bitset_is_empty(&rest);
}

bool bitset_equals(const struct bitset *a, const struct bitset *b)
{
	return memcmp(a->word, b->word, sizeof(a->word)) == 0;
}

size_t bitset_next(const struct bitset *s, size_t from)
{
	for (size_t i = from / 64; i < BITSET_WORDS; i++) {
		uint64_t rest = s->word[i];

		if (i == from / 64)
			rest &= ~UINT64_C(0) << from % 64;
		if (rest != 0)
			return i * 64 + (size_t)__builtin_ctzll(rest);
	}
	return BITSET_BITS;
}

const struct bitset_ops *const bitset_kernels[] = {
	&bitset_scalar,
#ifdef __x86_64__
	&bitset_avx2,
#endif
};

const size_t bitset_kernel_count = sizeof(bitset_kernels) / sizeof(bitset_kernels[0]);

const struct bitset_ops *bitset_choose(const char *name)
{
	const struct bitset_ops *best = NULL;

	for (size_t i = 0; i < bitset_kernel_count; i++)
		if ((!name || strcmp(name, bitset_kernels[i]->name) == 0) &&
			bitset_kernels[i]->usable())
			best = bitset_kernels[i];
	return best;
}
