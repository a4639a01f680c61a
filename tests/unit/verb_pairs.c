/* Which guests go where: properties that hold for any number of nodes. */
#include "coordinator/verb/pairs.h"
#include "tests/support/test.h"

enum { NODES_MAX = 23 };

static struct arena arena;

static struct pairs make(enum pairs_kind kind, size_t nodes, size_t sample, uint32_t seed)
{
	struct pairs_wish wish = { kind, sample, seed };
	struct pairs out;
	struct err e;

	assert_rc(pairs_make(&wish, nodes, &arena, &out, &e), RC_OK, &e);
	return out;
}

/* Pairs of two nodes each, no pair twice, and steps in which nobody does a thing twice. */
static void assert_fair(const struct pairs *p, size_t nodes)
{
	bool seen[NODES_MAX][NODES_MAX] = { 0 };

	assert_int_equal(p->steps[0], 0);
	assert_int_equal(p->steps[p->step_count], p->count);
	for (size_t s = 0; s < p->step_count; s++) {
		bool source[NODES_MAX] = { 0 }, target[NODES_MAX] = { 0 };

		assert_true(p->steps[s] < p->steps[s + 1]);
		for (size_t i = p->steps[s]; i < p->steps[s + 1]; i++) {
			const struct pair *pair = &p->pair[i];

			assert_true(pair->source < nodes && pair->target < nodes);
			assert_true(pair->source != pair->target);
			assert_false(seen[pair->source][pair->target]);
			assert_false(source[pair->source] || target[pair->target]);
			seen[pair->source][pair->target] = true;
			source[pair->source] = target[pair->target] = true;
		}
	}
}

static void in_a_ring_every_node_is_once_a_source_and_once_a_target(void **state)
{
	(void)state;
	for (size_t n = 2; n <= NODES_MAX; n++) {
		struct pairs p = make(PAIRS_RING, n, 0, 0);

		assert_int_equal(p.count, n);
		assert_int_equal(p.step_count, 1);
		assert_fair(&p, n);
	}
}

static void all_pairs_are_all_of_them_in_as_few_steps_as_there_can_be(void **state)
{
	(void)state;
	for (size_t n = 2; n <= NODES_MAX; n++) {
		struct pairs p = make(PAIRS_ALL, n, 0, 0);

		assert_int_equal(p.count, n * (n - 1));
		assert_int_equal(p.step_count, n - 1);
		assert_fair(&p, n);
	}
}

static void a_sample_has_that_many_different_pairs(void **state)
{
	(void)state;
	for (size_t n = 2; n <= NODES_MAX; n++) {
		for (size_t sample = 1; sample <= n * (n - 1); sample++) {
			struct pairs p = make(PAIRS_SAMPLE, n, sample, (uint32_t)n);

			assert_int_equal(p.count, sample);
			assert_fair(&p, n);
		}
	}
}

static void a_sample_larger_than_all_is_all(void **state)
{
	struct pairs p = make(PAIRS_SAMPLE, 5, 1000, 1);

	(void)state;
	assert_int_equal(p.count, 20);
	assert_fair(&p, 5);
}

static bool same(const struct pairs *a, const struct pairs *b)
{
	return a->count == b->count &&
	       memcmp(a->pair, b->pair, a->count * sizeof(*a->pair)) == 0;
}

static void the_seed_repeats_a_sample_and_another_gives_another(void **state)
{
	struct pairs a = make(PAIRS_SAMPLE, 20, 40, 17),
		     b = make(PAIRS_SAMPLE, 20, 40, 17),
		     c = make(PAIRS_SAMPLE, 20, 40, 18);

	(void)state;
	assert_true(same(&a, &b));
	assert_false(same(&a, &c));
}

static void every_pair_gets_into_some_sample(void **state)
{
	bool seen[6][6] = { 0 };

	(void)state;
	for (uint32_t seed = 1; seed <= 200; seed++) {
		struct pairs p = make(PAIRS_SAMPLE, 6, 3, seed);

		for (size_t i = 0; i < p.count; i++)
			seen[p.pair[i].source][p.pair[i].target] = true;
	}
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < 6; k++)
			assert_int_equal(seen[i][k], i != k);
}

static void a_node_alone_has_nowhere_to_go(void **state)
{
	struct pairs_wish wish = { PAIRS_RING, 0, 0 };
	struct pairs out;
	struct err e;

	(void)state;
	assert_rc(pairs_make(&wish, 1, &arena, &out, &e), RC_USAGE, &e);
	assert_contains(e.text, "two nodes");
}

static void what_would_take_weeks_is_refused_with_the_way_out(void **state)
{
	struct pairs_wish wish = { PAIRS_ALL, 0, 0 };
	struct pairs out;
	struct err e;

	(void)state;
	assert_rc(pairs_make(&wish, 2000, &arena, &out, &e), RC_USAGE, &e);
	assert_contains(e.text, "3998000 pairs");
	assert_contains(e.text, "--sample");
	wish = (struct pairs_wish){ PAIRS_SAMPLE, 5, 1 };
	assert_rc(pairs_make(&wish, 100000, &arena, &out, &e), RC_OK, &e);
	assert_int_equal(out.count, 5);
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_a_ring_every_node_is_once_a_source_and_once_a_target),
		cmocka_unit_test(
			all_pairs_are_all_of_them_in_as_few_steps_as_there_can_be),
		cmocka_unit_test(a_sample_has_that_many_different_pairs),
		cmocka_unit_test(a_sample_larger_than_all_is_all),
		cmocka_unit_test(the_seed_repeats_a_sample_and_another_gives_another),
		cmocka_unit_test(every_pair_gets_into_some_sample),
		cmocka_unit_test(a_node_alone_has_nowhere_to_go),
		cmocka_unit_test(what_would_take_weeks_is_refused_with_the_way_out),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, forget);
}
