/* 256 bits at a time.  The functions carry the instruction set themselves, so
 * that no other file can be compiled with it by mistake. */
#include "coordinator/cpu/bitset_kernels.h"

#ifdef __x86_64__
#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

enum { VECTORS = BITSET_BITS / 256 };

/* GCC's and Clang's check covers XCR0: the system saves the registers as well. */
static bool avx2_usable(void)
{
	return __builtin_cpu_supports("avx2");
}

AVX2 static void avx2_and_all(struct bitset *acc, const struct bitset *sets, size_t n)
{
	__m256i r[VECTORS];

	for (size_t v = 0; v < VECTORS; v++)
		r[v] = _mm256_load_si256((const __m256i *)acc->word + v);
	for (size_t i = 0; i < n; i++)
		for (size_t v = 0; v < VECTORS; v++)
			r[v] = _mm256_and_si256(r[v],
				_mm256_load_si256((const __m256i *)sets[i].word + v));
	for (size_t v = 0; v < VECTORS; v++)
		_mm256_store_si256((__m256i *)acc->word + v, r[v]);
}

/* Adds the eight bits of a byte to eight counters: each lane keeps its own bit,
 * which compares equal to its mask (-1) when it is set. */
AVX2 static __m256i add_byte(__m256i counters, uint8_t byte)
{
	const __m256i lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
	__m256i mine = _mm256_and_si256(_mm256_set1_epi32(byte), lanes);

	return _mm256_sub_epi32(counters, _mm256_cmpeq_epi32(mine, lanes));
}

AVX2 static void avx2_count(
	uint32_t counts[BITSET_BITS], const struct bitset *sets, size_t n)
{
	for (size_t at = 0; at < BITSET_BITS / 8; at++) {
		__m256i counters = _mm256_setzero_si256();

		for (size_t i = 0; i < n; i++)
			counters = add_byte(
				counters, (uint8_t)(sets[i].word[at / 8] >> at % 8 * 8));
		_mm256_storeu_si256((__m256i *)(counts + at * 8), counters);
	}
}

const struct bitset_ops bitset_avx2 = { "avx2", avx2_usable, avx2_and_all, avx2_count };
#endif
