#include "coordinator/cpu/bitset.h"
#include "tests/support/test.h"

enum { SETS_MAX = 70 };

static struct bitset random_set(uint64_t *seed)
{
	struct bitset s;

	for (size_t i = 0; i < BITSET_WORDS; i++)
		s.word[i] = (uint64_t)test_random(seed) << 32 | test_random(seed);
	return s;
}

/* Mostly ones, so that an AND over many is not empty after a few. */
static struct bitset dense_set(uint64_t *seed)
{
	struct bitset s = random_set(seed);

	for (int i = 0; i < 4; i++) {
		struct bitset more = random_set(seed);

		s = bitset_or(&s, &more);
	}
	return s;
}

static void compare_kernel(const struct bitset_ops *ops, const struct bitset *sets,
	size_t n, const struct bitset *start)
{
	const struct bitset_ops *scalar = bitset_kernels[0];
	static uint32_t expected_counts[BITSET_BITS], counts[BITSET_BITS];
	struct bitset expected = *start, got = *start;

	scalar->and_all(&expected, sets, n);
	ops->and_all(&got, sets, n);
	if (!bitset_equals(&expected, &got))
		fail_msg("%s: and_all of %zu sets is not what scalar says", ops->name, n);
	memset(counts, 0xff, sizeof(counts));
	scalar->count(expected_counts, sets, n);
	ops->count(counts, sets, n);
	for (size_t bit = 0; bit < BITSET_BITS; bit++)
		if (counts[bit] != expected_counts[bit])
			fail_msg("%s: bit %zu of %zu sets: %u, scalar says %u", ops->name,
				bit, n, counts[bit], expected_counts[bit]);
}

static void every_usable_kernel_agrees_with_scalar(void **state)
{
	static struct bitset sets[SETS_MAX];
	uint64_t seed = 20250719;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (size_t k = 0; k < bitset_kernel_count; k++) {
		if (!bitset_kernels[k]->usable()) {
			print_message("skipped: this CPU cannot run the kernel %s\n",
				bitset_kernels[k]->name);
			continue;
		}
		for (size_t n = 0; n <= SETS_MAX; n++) {
			struct bitset start = dense_set(&seed);

			for (size_t i = 0; i < n; i++)
				sets[i] = dense_set(&seed);
			compare_kernel(bitset_kernels[k], sets, n, &start);
		}
	}
}

static void every_kernel_sees_each_single_bit(void **state)
{
	(void)state;
	for (size_t k = 0; k < bitset_kernel_count; k++)
		for (size_t bit = 0; bitset_kernels[k]->usable() && bit < BITSET_BITS;
			bit++) {
			struct bitset all, one = { { 0 } };

			memset(&all, 0xff, sizeof(all));
			bitset_add(&one, bit);
			compare_kernel(bitset_kernels[k], &one, 1, &all);
			bitset_remove(&all, bit);
			compare_kernel(bitset_kernels[k], &one, 1, &all);
		}
}

static void scalar_does_what_the_words_say(void **state)
{
	struct bitset sets[3] = { 0 }, acc = { { 0 } };
	static uint32_t counts[BITSET_BITS];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		bitset_add(&sets[i], 1023);
	bitset_add(&sets[1], 64);
	bitset_add(&acc, 1023);
	bitset_add(&acc, 64);
	bitset_kernels[0]->and_all(&acc, sets, 3);
	assert_int_equal(bitset_count(&acc), 1);
	assert_true(bitset_has(&acc, 1023));
	bitset_kernels[0]->count(counts, sets, 3);
	assert_int_equal(counts[1023], 3);
	assert_int_equal(counts[64], 1);
	assert_int_equal(counts[0], 0);
}

static void a_walk_meets_each_member_once_in_order(void **state)
{
	static const size_t members[] = { 0, 1, 63, 64, 127, 500, 1022, 1023 };
	const size_t n = sizeof(members) / sizeof(members[0]);
	struct bitset s = { { 0 } };
	size_t met = 0;

	(void)state;
	assert_true(bitset_is_empty(&s));
	assert_int_equal(bitset_next(&s, 0), BITSET_BITS);
	for (size_t i = 0; i < n; i++)
		bitset_add(&s, members[i]);
	for (size_t bit = bitset_next(&s, 0); bit < BITSET_BITS;
		bit = bitset_next(&s, bit + 1))
		assert_int_equal(bit, members[met++]);
	assert_int_equal(met, n);
	assert_int_equal(bitset_count(&s), n);
	assert_int_equal(bitset_next(&s, BITSET_BITS), BITSET_BITS);
}

static void set_algebra_holds(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct bitset a = random_set(&seed), b = random_set(&seed);
		struct bitset both = bitset_and(&a, &b), either = bitset_or(&a, &b);
		struct bitset only_a = bitset_minus(&a, &b), again;

		assert_true(bitset_is_subset(&both, &a));
		assert_true(bitset_is_subset(&b, &either));
		assert_false(bitset_is_subset(&either, &both));
		again = bitset_or(&only_a, &both);
		assert_true(bitset_equals(&again, &a));
		assert_int_equal(bitset_count(&a) + bitset_count(&b),
			bitset_count(&either) + bitset_count(&both));
	}
}

static void a_kernel_can_be_forced_by_name(void **state)
{
	(void)state;
	assert_string_equal(bitset_choose("scalar")->name, "scalar");
	assert_null(bitset_choose("mmx"));
	assert_non_null(bitset_choose(NULL));
	for (size_t k = 0; k < bitset_kernel_count; k++)
		if (!bitset_kernels[k]->usable())
			assert_null(bitset_choose(bitset_kernels[k]->name));
		else
			assert_ptr_equal(bitset_choose(bitset_kernels[k]->name),
				bitset_kernels[k]);
}

static void the_strongest_usable_kernel_is_the_default(void **state)
{
	const struct bitset_ops *strongest = NULL;

	(void)state;
	for (size_t k = 0; k < bitset_kernel_count; k++)
		if (bitset_kernels[k]->usable())
			strongest = bitset_kernels[k];
	assert_ptr_equal(bitset_choose(NULL), strongest);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_usable_kernel_agrees_with_scalar),
		cmocka_unit_test(every_kernel_sees_each_single_bit),
		cmocka_unit_test(scalar_does_what_the_words_say),
		cmocka_unit_test(a_walk_meets_each_member_once_in_order),
		cmocka_unit_test(set_algebra_holds),
		cmocka_unit_test(a_kernel_can_be_forced_by_name),
		cmocka_unit_test(the_strongest_usable_kernel_is_the_default),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
