/* The page of a trial guest, which is a stranger's. */
#include "peer/pulse.h"

#include <stdlib.h>

#include "tests/support/test.h"

static struct pulse_page *page_with(uint32_t leaves)
{
	struct pulse_page *p = calloc(1, PULSE_BYTES);

	assert_non_null(p);
	p->magic = PULSE_MAGIC;
	p->version = PULSE_VERSION;
	p->boot[0] = 7;
	p->boot[1] = 9;
	p->count = 1000;
	p->leaves = leaves;
	for (uint32_t i = 0; i < leaves; i++)
		p->leaf[i] = (struct pulse_leaf){ i, 1, { i + 2, 3, 4, 5 } };
	p->sum = pulse_sum(p);
	return p;
}

/* Takes the page. */
static bool is_valid(struct pulse_page *p)
{
	struct arena arena = { 0 };
	struct pulse pulse;
	struct err e;

	assert_rc(pulse_read(p, PULSE_BYTES, &arena, &pulse, &e), RC_OK, &e);
	if (!pulse.valid)
		assert_true(pulse.count == 0 && pulse.leaves.count == 0);
	free(p);
	arena_destroy(&arena);
	return pulse.valid;
}

static void a_whole_page_is_read(void **state)
{
	struct pulse_page *p = page_with(PULSE_LEAVES);
	struct arena arena = { 0 };
	const struct leaf *leaf;
	struct pulse pulse;
	struct err e;

	(void)state;
	assert_rc(pulse_read(p, PULSE_BYTES, &arena, &pulse, &e), RC_OK, &e);
	assert_true(pulse.valid);
	assert_int_equal(pulse.count, 1000);
	assert_true(pulse.boot == (9ull << 32 | 7));
	assert_int_equal(pulse.leaves.count, PULSE_LEAVES);
	leaf = (const struct leaf *)pulse.leaves.item + 30;
	assert_int_equal(leaf->function, 30);
	assert_int_equal(leaf->index, 1);
	assert_int_equal(leaf->eax, 32);
	assert_int_equal(leaf->edx, 5);
	free(p);
	arena_destroy(&arena);
}

static void a_guest_without_cpuid_lives_without_leaves(void **state)
{
	(void)state;
	assert_true(is_valid(page_with(0)));
}

static void a_page_that_is_being_rewritten_is_not_valid(void **state)
{
	struct pulse_page *p = page_with(20);

	(void)state;
	p->changing = 3;
	assert_false(is_valid(p));
}

static void a_page_of_another_version_is_not_valid(void **state)
{
	struct pulse_page *p = page_with(20);

	(void)state;
	p->version++;
	assert_false(is_valid(p));
}

static void more_leaves_than_fit_are_not_looked_at(void **state)
{
	static const uint32_t numbers[] = { PULSE_LEAVES + 1, 0x0aaaaaab, 0x80000000,
		0xffffffff };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct pulse_page *p = page_with(20);

		p->leaves = numbers[i];
		assert_false(is_valid(p));
	}
}

/* In memory of exactly that size, for the sanitizers. */
static void a_page_that_is_cut_off_is_not_valid(void **state)
{
	struct pulse_page *p = page_with(PULSE_LEAVES);
	struct arena arena = { 0 };
	struct pulse pulse;
	struct err e;

	(void)state;
	for (size_t size = 0; size < PULSE_BYTES; size += size < 64 ? 1 : 61) {
		void *part = malloc(size ? size : 1);

		assert_non_null(part);
		memcpy(part, p, size);
		assert_rc(pulse_read(part, size, &arena, &pulse, &e), RC_OK, &e);
		assert_false(pulse.valid);
		free(part);
	}
	free(p);
	arena_destroy(&arena);
}

/* Whatever the guest writes over its leaves, or over their number and sum. */
static void one_other_word_in_the_leaves_makes_a_page_not_valid(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct pulse_page *p = page_with(100);
		uint32_t *word = &p->leaves;

		word[test_random(&seed) % (2 + 100 * 6)] ^= 1u << test_random(&seed) % 32;
		assert_false(is_valid(p));
	}
}

static void random_pages_are_not_valid(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (int i = 0; i < 500; i++) {
		struct pulse_page *p = page_with(0);
		uint32_t *word = (uint32_t *)p;

		/* half of them look right up to the sum */
		for (size_t k = i % 2 ? 0 : 6; k < PULSE_BYTES / sizeof(*word); k++)
			word[k] = test_random(&seed);
		if (i % 4 == 0)
			p->leaves %= PULSE_LEAVES + 1;
		assert_false(is_valid(p));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_page_is_read),
		cmocka_unit_test(a_guest_without_cpuid_lives_without_leaves),
		cmocka_unit_test(a_page_that_is_being_rewritten_is_not_valid),
		cmocka_unit_test(a_page_of_another_version_is_not_valid),
		cmocka_unit_test(more_leaves_than_fit_are_not_looked_at),
		cmocka_unit_test(a_page_that_is_cut_off_is_not_valid),
		cmocka_unit_test(one_other_word_in_the_leaves_makes_a_page_not_valid),
		cmocka_unit_test(random_pages_are_not_valid),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
