/* bitset.h - fixed sets of 1024 bits, and the kernels that work on many.
 *
 * The scalar kernel (bitset_scalar.c) defines the meaning; one file per
 * instruction set gives the same answers faster.  One is chosen at start-up.
 */
#ifndef COORDINATOR_BITSET_H
#define COORDINATOR_BITSET_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BITSET_BITS = 1024, BITSET_WORDS = BITSET_BITS / 64 };

struct bitset {
	alignas(64) uint64_t word[BITSET_WORDS];
};

void bitset_add(struct bitset *s, size_t bit);
void bitset_remove(struct bitset *s, size_t bit);
bool bitset_has(const struct bitset *s, size_t bit);
struct bitset bitset_and(const struct bitset *a, const struct bitset *b);
struct bitset bitset_or(const struct bitset *a, const struct bitset *b);
struct bitset bitset_minus(const struct bitset *a, const struct bitset *b);
size_t bitset_count(const struct bitset *s);
bool bitset_is_empty(const struct bitset *s);
bool bitset_is_subset(const struct bitset *part, const struct bitset *whole);
bool bitset_equals(const struct bitset *a, const struct bitset *b);
/* The first bit at or after `from`; BITSET_BITS when there is none. */
size_t bitset_next(const struct bitset *s, size_t from);

struct bitset_ops {
	const char *name; /* "scalar", "avx2": --simd=NAME and the test's name */
	bool (*usable)(void);
	/* acc &= every set; n may be 0 */
	void (*and_all)(struct bitset *acc, const struct bitset *sets, size_t n);
	/* counts[bit] = how many of the sets hold the bit */
	void (*count)(uint32_t counts[BITSET_BITS], const struct bitset *sets, size_t n);
};

/* All kernels built in, weakest first. */
extern const struct bitset_ops *const bitset_kernels[];
extern const size_t bitset_kernel_count;

/* The kernel of that name, or the strongest usable one for NULL; NULL when
 * there is none of the name or this CPU cannot run it. */
const struct bitset_ops *bitset_choose(const char *name);

#endif
