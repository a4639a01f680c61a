/* Properties of baselines, over random fleets. */
#include "tests/support/fleet.h"

static struct bitset baseline(struct fleet *f, size_t n)
{
	return baseline_of(f->offers, n, NULL, f->ops);
}

static void check_subset(struct fleet *f)
{
	struct bitset base = baseline(f, f->count);

	for (size_t i = 0; i < f->count; i++)
		assert_true(bitset_is_subset(&base, &f->offers[i].features));
}

static void the_baseline_is_in_every_offer(void **state)
{
	(void)state;
	for_many_fleets(check_subset);
}

static void check_order(struct fleet *f)
{
	struct bitset base = baseline(f, f->count), again;

	fleet_shuffle(f);
	again = baseline(f, f->count);
	assert_true(bitset_equals(&base, &again));
}

static void the_baseline_does_not_depend_on_order(void **state)
{
	(void)state;
	for_many_fleets(check_order);
}

static void check_idempotent(struct fleet *f)
{
	struct bitset base = baseline(f, f->count), again;

	f->offers[0].features = base;
	again = baseline(f, 1);
	assert_true(bitset_equals(&base, &again));
}

static void the_baseline_of_a_baseline_is_itself(void **state)
{
	(void)state;
	for_many_fleets(check_idempotent);
}

static void check_adding(struct fleet *f)
{
	for (size_t n = 1; n < f->count; n++) {
		struct bitset fewer = baseline(f, n), more = baseline(f, n + 1);

		assert_true(bitset_is_subset(&more, &fewer));
	}
}

static void another_node_never_adds_a_feature(void **state)
{
	(void)state;
	for_many_fleets(check_adding);
}

static void check_excluding(struct fleet *f)
{
	struct bitset before = baseline(f, f->count), excluded = { { 0 } }, after;

	fleet_toggle(f, &excluded, 20);
	after = baseline_of(f->offers, f->count, &excluded, f->ops);
	assert_true(bitset_is_subset(&after, &before));
	after = bitset_and(&after, &excluded);
	assert_true(bitset_is_empty(&after));
}

static void what_is_excluded_is_gone_and_nothing_comes(void **state)
{
	(void)state;
	for_many_fleets(check_excluding);
}

static void taking_out_the_ground_takes_out_what_stands_on_it(void **state)
{
	struct fleet f;
	struct bitset excluded = { { 0 } }, base;

	(void)state;
	fleet_begin(&f, 1);
	bitset_add(&f.offers[0].features, (size_t)catalogue_find_row("sse2"));
	bitset_add(&f.offers[0].features, (size_t)catalogue_find_row("mds-no"));
	bitset_add(
		&f.offers[0].features, (size_t)catalogue_find_row("arch-capabilities"));
	base = baseline(&f, 1);
	assert_int_equal(bitset_count(&base), 3);
	bitset_add(&excluded, (size_t)catalogue_find_row("arch-capabilities"));
	base = baseline_of(f.offers, 1, &excluded, f.ops);
	assert_int_equal(bitset_count(&base), 1);
	arena_destroy(&f.arena);
}

/* npt without svm: the QEMU whose answer somebody copied did not mind.  Any node whose
 * programs are known does. */
static void bare_registers_keep_what_they_show_without_its_ground(void **state)
{
	size_t npt = (size_t)catalogue_find_row("npt");
	size_t svm = (size_t)catalogue_find_row("svm");
	struct bitset excluded = { { 0 } }, base;
	struct fleet f;

	(void)state;
	fleet_begin(&f, 1);
	bitset_add(&excluded, svm);
	for (size_t i = 0; i < 2; i++) {
		bitset_add(&f.offers[i].features, npt);
		f.offers[i].bare = true;
		f.offers[i].source = OFFER_KVM;
	}
	base = baseline(&f, 2);
	assert_true(bitset_has(&base, npt));
	base = baseline_of(f.offers, 2, &excluded, f.ops);
	assert_false(bitset_has(&base, npt));
	f.offers[1].bare = false;
	base = baseline(&f, 2);
	assert_false(bitset_has(&base, npt));
	f.offers[1].bare = true;
	f.offers[1].source = OFFER_LIBVIRT;
	base = baseline(&f, 2);
	assert_false(bitset_has(&base, npt));
	arena_destroy(&f.arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_baseline_is_in_every_offer),
		cmocka_unit_test(the_baseline_does_not_depend_on_order),
		cmocka_unit_test(the_baseline_of_a_baseline_is_itself),
		cmocka_unit_test(another_node_never_adds_a_feature),
		cmocka_unit_test(what_is_excluded_is_gone_and_nothing_comes),
		cmocka_unit_test(taking_out_the_ground_takes_out_what_stands_on_it),
		cmocka_unit_test(bare_registers_keep_what_they_show_without_its_ground),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
