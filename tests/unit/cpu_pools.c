/* Vendors: their names for people, who is of which, and a level for each. */
#include "coordinator/cpu/pools.h"
#include "coordinator/cpu/vendor.h"
#include "tests/support/fleet.h"

static const char *const names[FLEET_NODES_MAX] = { "n1", "n2", "n3", "n4", "n5", "n6" };

/* Nodes of any vendors: known, unknown to libvirt, unknown at all. */
static void fill_mixed(struct fleet *f, uint64_t seed)
{
	static const char *const vendors[] = { "Intel", "AMD", "Hygon", "CentaurHauls",
		"GenuineIotel", "" };

	fleet_begin(f, seed);
	f->virt = fleet_below(f, 3) > 0 ? VIRT_KVM : VIRT_QEMU;
	f->count = 1 + fleet_below(f, FLEET_NODES_MAX);
	for (size_t i = 0; i < f->count; i++) {
		fleet_random_offer(f, &f->offers[i], vendors[fleet_below(f, 6)]);
		f->offers[i].node = names[i];
	}
}

static void for_many_mixed_fleets(void (*check)(struct fleet *f))
{
	struct fleet f;

	for (uint64_t seed = 1; seed <= FLEETS; seed++) {
		fill_mixed(&f, seed);
		check(&f);
		arena_destroy(&f.arena);
	}
}

static enum rc choose(struct fleet *f, const struct offer *offers, size_t n,
	const struct wishes *wishes, struct level *out, struct err *e)
{
	return level_choose(
		f->catalogue, offers, n, f->virt, wishes, f->ops, &f->arena, out, e);
}

static size_t pools_of(struct fleet *f, struct pool **out)
{
	struct conditions all = { .catalogue = f->catalogue,
		.offers = f->offers,
		.count = f->count,
		.virt = f->virt,
		.arena = &f->arena };
	size_t count;
	struct err e;

	assert_rc(pools_choose(&all, NULL, f->ops, out, &count, &e), RC_OK, &e);
	return count;
}

static void assert_equal_levels(const struct level *a, const struct level *b)
{
	assert_string_equal(a->model, b->model);
	assert_string_equal(a->vendor, b->vendor);
	assert_true(bitset_equals(&a->baseline, &b->baseline));
	assert_int_equal(a->feature_count, b->feature_count);
	for (size_t i = 0; i < a->feature_count; i++) {
		assert_string_equal(a->features[i].name, b->features[i].name);
		assert_int_equal(a->features[i].policy, b->features[i].policy);
	}
}

/* ---- pools */

static void check_partition(struct fleet *f)
{
	struct pool *pools;
	size_t count = pools_of(f, &pools), seen[FLEET_NODES_MAX] = { 0 };

	for (size_t p = 0; p < count; p++) {
		for (size_t i = 0; i < pools[p].count; i++) {
			size_t node = pools[p].node[i];

			assert_in_range(node, 0, f->count - 1);
			assert_string_equal(f->offers[node].vendor, pools[p].vendor);
			assert_true(i == 0 || pools[p].node[i - 1] < node);
			seen[node]++;
		}
		for (size_t other = 0; other < p; other++)
			assert_string_not_equal(pools[other].vendor, pools[p].vendor);
		assert_true(p == 0 || pools[p].count <= pools[p - 1].count);
	}
	for (size_t i = 0; i < f->count; i++)
		assert_int_equal(seen[i], 1);
}

static void every_node_is_in_the_one_pool_of_its_vendor(void **state)
{
	(void)state;
	for_many_mixed_fleets(check_partition);
}

static size_t pools_with_level;

static void check_alone(struct fleet *f)
{
	struct pool *pools;
	size_t count = pools_of(f, &pools);

	for (size_t p = 0; p < count; p++) {
		struct offer own[FLEET_NODES_MAX];
		struct level level;
		struct err e = { 0 };

		for (size_t i = 0; i < pools[p].count; i++)
			own[i] = f->offers[pools[p].node[i]];
		assert_int_equal(choose(f, own, pools[p].count, NULL, &level, &e),
			pools[p].why.code);
		if (e.code == RC_OK)
			assert_equal_levels(&level, &pools[p].level);
		else
			assert_string_equal(e.text, pools[p].why.text);
		pools_with_level += e.code == RC_OK;
	}
}

static void a_pool_gets_what_its_nodes_would_get_alone(void **state)
{
	(void)state;
	pools_with_level = 0;
	for_many_mixed_fleets(check_alone);
	assert_true(pools_with_level > FLEETS);
}

/* The facts and the capabilities of a pool are those of its own nodes. */
static void a_pool_has_the_addresses_of_its_own_nodes(void **state)
{
	static const struct {
		const char *vendor, *model, *capabilities;
		uint32_t bits;
	} rows[] = {
		{ "AMD", "EPYC",
			"<capabilities><host><cpu><arch>x86_64</arch>"
			"<maxphysaddr mode='emulate' "
			"bits='48'/></cpu></host></capabilities>",
			48 },
		{ "Intel", "Haswell",
			"<capabilities><host><cpu><arch>x86_64</arch>"
			"<maxphysaddr mode='emulate' "
			"bits='39'/></cpu></host></capabilities>",
			39 },
	};
	struct node_facts facts[2];
	struct conditions all;
	struct pool *pools;
	struct fleet f;
	size_t count;
	struct err e;

	(void)state;
	fleet_begin(&f, 1);
	for (size_t i = 0; i < 2; i++) {
		const struct model_row *m = catalogue_find_model(rows[i].model);

		facts_init(&facts[i]);
		facts[i].small.libvirt_version = 9000000;
		facts[i].small.hypervisor_version = 7002000;
		facts[i].present[BODY_capabilities] = true;
		facts[i].text[BODY_capabilities] = rows[i].capabilities;
		f.offers[i] = (struct offer){ .node = names[i],
			.vendor = rows[i].vendor };
		f.offers[i].features = feature_list_set(m->features);
		bitset_add(&f.offers[i].model_rows, (size_t)(m - catalogue_model(0)));
		offer_derive_names(&f.offers[i], 9000000, 7002000);
	}
	all = (struct conditions){ .catalogue = f.catalogue,
		.facts = facts,
		.offers = f.offers,
		.count = 2,
		.virt = VIRT_KVM,
		.arena = &f.arena };
	assert_rc(conditions_begin(&all, &e), RC_OK, &e);
	assert_rc(pools_choose(&all, NULL, f.ops, &pools, &count, &e), RC_OK, &e);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(pools[i].vendor, rows[i].vendor);
		assert_rc(pools[i].why.code, RC_OK, &pools[i].why);
		assert_int_equal(pools[i].level.maxphysaddr, rows[i].bits);
	}
	arena_destroy(&f.arena);
}

static void check_order(struct fleet *f)
{
	struct pool *before, *after;
	size_t count = pools_of(f, &before);

	fleet_shuffle(f);
	assert_int_equal(pools_of(f, &after), count);
	for (size_t p = 0; p < count; p++) {
		assert_string_equal(before[p].vendor, after[p].vendor);
		assert_int_equal(before[p].count, after[p].count);
		assert_int_equal(before[p].why.code, after[p].why.code);
		if (before[p].why.code == RC_OK)
			assert_equal_levels(&before[p].level, &after[p].level);
	}
}

static void pools_do_not_depend_on_the_order_of_nodes(void **state)
{
	(void)state;
	for_many_mixed_fleets(check_order);
}

/* ---- one level for all */

static void check_refusal(struct fleet *f)
{
	struct pool *pools;
	size_t count = pools_of(f, &pools);
	bool unknown = f->virt == VIRT_KVM && f->count > 1 && !f->offers[0].vendor[0];
	struct level level;
	struct err e;

	assert_int_equal(
		vendor_is_one(f->offers, f->count, f->virt), count == 1 && !unknown);
	if (count == 1 && !unknown)
		return;
	assert_rc(choose(f, f->offers, f->count, NULL, &level, &e), RC_LEVEL, &e);
	for (size_t p = 0; p < count; p++)
		assert_contains(e.text, vendor_title(pools[p].vendor, &f->arena));
}

static void one_level_for_several_vendors_is_refused_by_name(void **state)
{
	(void)state;
	for_many_mixed_fleets(check_refusal);
}

static size_t levels_of_no_vendor;

static void check_cross_vendor(struct fleet *f)
{
	struct wishes wishes = { .cross_vendor = true };
	struct level level, again;
	struct err e;
	enum rc rc = choose(f, f->offers, f->count, &wishes, &level, &e);

	if (rc != RC_OK) {
		assert_int_equal(rc, RC_LEVEL);
		return;
	}
	levels_of_no_vendor++;
	assert_null(catalogue_find_model(level.model)->vendor);
	assert_string_equal(level.vendor, "");
	for (size_t i = 0; i < f->count; i++)
		assert_true(bitset_is_subset(&level.baseline, &f->offers[i].features));
	fleet_shuffle(f);
	assert_rc(choose(f, f->offers, f->count, &wishes, &again, &e), RC_OK, &e);
	assert_equal_levels(&level, &again);
}

static void across_vendors_the_level_has_none_and_every_node_can_give_it(void **state)
{
	(void)state;
	levels_of_no_vendor = 0;
	for_many_mixed_fleets(check_cross_vendor);
	print_message("%zu of %d fleets have a level\n", levels_of_no_vendor, FLEETS);
	assert_true(levels_of_no_vendor > FLEETS / 3);
}

static void the_refusal_names_the_nodes_of_each_vendor(void **state)
{
	static const char *const vendors[] = { "AMD", "Intel", "Intel", "GenuineIotel",
		"Intel", "Intel" };
	struct fleet f;
	struct level l;
	struct err e;

	(void)state;
	fleet_begin(&f, 3);
	for (f.count = 0; f.count < 6; f.count++) {
		fleet_random_offer(&f, &f.offers[f.count], vendors[f.count]);
		f.offers[f.count].node = f.count == 3 ? "" : names[f.count];
	}
	assert_rc(choose(&f, f.offers, f.count, NULL, &l, &e), RC_LEVEL, &e);
	assert_string_equal(e.text,
		"CPU vendors differ, and with KVM a guest sees its host's: Intel (n2, "
		"n3, n5, n6), AMD (n1), 'GenuineIotel' (node 4); each needs a level of "
		"its own");
	arena_destroy(&f.arena);
}

/* Two nodes of which nothing says whose CPU they have may be an Intel and an AMD. */
static void unknown_vendors_are_not_taken_for_one(void **state)
{
	struct fleet f;
	struct level l;
	struct err e;

	(void)state;
	fleet_begin(&f, 8);
	f.count = 2;
	fleet_random_offer(&f, &f.offers[0], "");
	offer_derive_names(&f.offers[0], 9000000, 7002000);
	f.offers[1] = f.offers[0];
	assert_rc(choose(&f, f.offers, 2, NULL, &l, &e), RC_LEVEL, &e);
	assert_contains(e.text, "nothing tells whose CPUs these are");
	assert_contains(e.text, "unknown vendor (node 1, node 2)");
	assert_rc(choose(&f, f.offers, 1, NULL, &l, &e), RC_OK, &e);
	f.virt = VIRT_QEMU; /* QEMU's CPU, whatever its name */
	assert_rc(choose(&f, f.offers, 2, NULL, &l, &e), RC_OK, &e);
	arena_destroy(&f.arena);
}

static void a_vendor_that_one_libvirt_may_not_know_is_not_stated(void **state)
{
	const char *zhaoxin = catalogue_vendor_name("CentaurHauls");
	struct fleet f;
	struct level l;
	struct err e;

	(void)state;
	assert_non_null(zhaoxin);
	fleet_begin(&f, 9);
	f.count = 2;
	fleet_random_offer(&f, &f.offers[0], zhaoxin);
	offer_derive_names(&f.offers[0], 12008000, 11001000);
	f.offers[1] = f.offers[0];
	assert_rc(choose(&f, f.offers, 2, NULL, &l, &e), RC_OK, &e);
	assert_string_equal(l.vendor, zhaoxin);
	offer_derive_names(&f.offers[1], 9000000, 7002000);
	assert_rc(choose(&f, f.offers, 2, NULL, &l, &e), RC_OK, &e);
	assert_string_equal(l.vendor, "");
	arena_destroy(&f.arena);
}

static void people_read_names_that_they_know(void **state)
{
	static const char *const rows[][2] = {
		{ "Intel", "Intel" },
		{ "Hygon", "Hygon" },
		{ "  Shanghai  ", "Zhaoxin (Shanghai)" },
		{ "CentaurHauls", "Zhaoxin or VIA (CentaurHauls)" },
		{ "Zhaoxin CentaurHauls", "Zhaoxin or VIA (CentaurHauls)" },
		{ "GenuineIotel", "'GenuineIotel'" },
		{ "", "unknown vendor" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(vendor_title(rows[i][0], &arena), rows[i][1]);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_node_is_in_the_one_pool_of_its_vendor),
		cmocka_unit_test(a_pool_gets_what_its_nodes_would_get_alone),
		cmocka_unit_test(a_pool_has_the_addresses_of_its_own_nodes),
		cmocka_unit_test(pools_do_not_depend_on_the_order_of_nodes),
		cmocka_unit_test(one_level_for_several_vendors_is_refused_by_name),
		cmocka_unit_test(
			across_vendors_the_level_has_none_and_every_node_can_give_it),
		cmocka_unit_test(the_refusal_names_the_nodes_of_each_vendor),
		cmocka_unit_test(unknown_vendors_are_not_taken_for_one),
		cmocka_unit_test(a_vendor_that_one_libvirt_may_not_know_is_not_stated),
		cmocka_unit_test(people_read_names_that_they_know),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
