/* A level that was agreed on, against nodes as they are and as they could become. */
#include <dirent.h>
#include <stdlib.h>

#include "coordinator/cpu/holds.h"
#include "proto/dump.h"
#include "tests/support/test.h"

enum { MACHINES_MAX = 128, HERD_MAX = 4, HERDS = 150 };

static struct arena arena; /* of the machines */
static struct node_facts machines[MACHINES_MAX];
static const char *machine_names[MACHINES_MAX];
static size_t machine_count;
static uint64_t seed = 7;

/* One herd at a time. */
static struct arena run;
static struct catalogue *catalogue;
static struct node_facts facts[HERD_MAX];
static struct offer offers[HERD_MAX];
static struct conditions herd;
static struct level level;
static struct ground ground;
static struct holding holding;
static struct err error;
static struct wishes wishes;

static void machine_read(const char *name)
{
	char *path = arena_format(&arena, "%s/cases/machines/%s", TESTS_DIR, name);
	char *text = test_read_file(&arena, path);
	struct bytes bytes = { (uint8_t *)text, strlen(text) };

	assert_true(machine_count < MACHINES_MAX);
	assert_rc(dump_read(bytes, path, &arena, &machines[machine_count], &error), RC_OK,
		&error);
	machine_names[machine_count++] = arena_text(&arena, name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_machines(void **state)
{
	DIR *d = opendir(TESTS_DIR "/cases/machines");
	const char *names[MACHINES_MAX];
	struct dirent *entry;
	size_t count = 0;

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d)))
		if (strstr(entry->d_name, ".facts") && count < MACHINES_MAX)
			names[count++] = arena_text(&arena, entry->d_name);
	closedir(d);
	qsort(names, count, sizeof(names[0]), by_text);
	for (size_t i = 0; i < count; i++)
		machine_read(names[i]);
	assert_true(machine_count >= 10);
	return 0;
}

static int forget_machines(void **state)
{
	(void)state;
	arena_destroy(&run);
	arena_destroy(&arena);
	return 0;
}

static bool offer_take(size_t i, size_t machine, enum virt_type virt)
{
	facts[i] = machines[machine];
	return offer_from_facts(catalogue, &facts[i], virt, OFFER_LIBVIRT, &run,
		       &offers[i], &error) == RC_OK;
}

/* Takes a level of these; false: there is none. */
static bool herd_agrees(size_t count, enum virt_type virt)
{
	herd = (struct conditions){ .catalogue = catalogue,
		.facts = facts,
		.offers = offers,
		.count = count,
		.virt = virt,
		.arena = &run };
	assert_rc(conditions_begin(&herd, &error), RC_OK, &error);
	if (conditions_choose(&herd, &wishes, bitset_choose(NULL), &level, &error) !=
		RC_OK)
		return false;
	assert_rc(
		holds_find_ground(&herd, &level, false, &ground, &error), RC_OK, &error);
	return true;
}

static bool herd_make(size_t count, enum virt_type virt)
{
	arena_destroy(&run);
	catalogue = catalogue_new(&run, &error);
	assert_non_null(catalogue);
	for (size_t i = 0; i < count; i++)
		if (!offer_take(i, test_random(&seed) % machine_count, virt))
			return false;
	return herd_agrees(count, virt);
}

/* The next herd of which there is a level. */
static void herd_next(void)
{
	size_t tries = 0;

	while (!herd_make(1 + test_random(&seed) % HERD_MAX,
		(enum virt_type)(test_random(&seed) % VIRT_COUNT)))
		assert_true(tries++ < 10000);
}

static const struct holding *judge(size_t node)
{
	assert_rc(holds_judge(&herd, node, &level, &ground, &holding, &error), RC_OK,
		&error);
	return &holding;
}

static void assert_holds(size_t node)
{
	if (judge(node)->count)
		fail_msg("%s: %s", holding.reason[0].about, holding.reason[0].text);
}

static const struct hold_reason *reason_about(const char *about)
{
	for (size_t i = 0; i < holding.count; i++)
		if (strcmp(holding.reason[i].about, about) == 0)
			return &holding.reason[i];
	return NULL;
}

static void assert_broken(size_t node, const char *about, const char *text)
{
	judge(node);
	if (!reason_about(about))
		fail_msg("nothing is said about %s", about);
	assert_contains(reason_about(about)->text, text);
}

/* ---- properties */

static void a_level_holds_on_the_nodes_that_it_was_made_of(void **state)
{
	(void)state;
	for (int i = 0; i < HERDS; i++) {
		herd_next();
		for (size_t n = 0; n < herd.count; n++)
			assert_holds(n);
	}
}

static void it_holds_as_it_is_read_back_with_the_names_of_its_nodes(void **state)
{
	(void)state;
	for (int i = 0; i < HERDS; i++) {
		struct bitset names, rows;

		herd_next();
		names = level.names;
		rows = level.model_rows;
		level.names = level.model_rows = (struct bitset){ { 0 } };
		holds_meet(&level, offers, herd.count);
		assert_true(bitset_equals(&names, &level.names));
		assert_true(bitset_equals(&rows, &level.model_rows));
	}
}

static void it_breaks_on_a_node_that_lacks_any_of_its_features(void **state)
{
	(void)state;
	for (int i = 0; i < HERDS / 5; i++) {
		size_t node;

		herd_next();
		node = test_random(&seed) % herd.count;
		for (size_t bit = bitset_next(&level.baseline, 0); bit < BITSET_BITS;
			bit = bitset_next(&level.baseline, bit + 1)) {
			bitset_remove(&offers[node].features, bit);
			assert_broken(node, "features", catalogue_name(catalogue, bit));
			assert_true(bitset_has(&holding.reason[0].features, bit) ||
				    holding.count > 1);
			bitset_add(&offers[node].features, bit);
		}
		assert_holds(node);
	}
}

static void more_features_never_break_it(void **state)
{
	(void)state;
	for (int i = 0; i < HERDS; i++) {
		size_t node;

		herd_next();
		node = test_random(&seed) % herd.count;
		for (int k = 0; k < 40; k++) {
			bitset_add(&offers[node].features,
				test_random(&seed) % catalogue_feature_rows());
			assert_holds(node);
		}
	}
}

static void where_it_holds_on_one_more_node_a_new_level_keeps_all_of_it(void **state)
{
	size_t held = 0;

	(void)state;
	for (int i = 0; i < HERDS * 4; i++) {
		struct bitset before;
		bool holds;

		herd_next();
		if (herd.count == HERD_MAX || herd.virt != VIRT_KVM ||
			!offer_take(herd.count, test_random(&seed) % machine_count,
				herd.virt))
			continue;
		before = level.baseline;
		herd.count++;
		assert_rc(conditions_begin(&herd, &error), RC_OK, &error);
		holds = judge(herd.count - 1)->count == 0;
		held += holds;
		if (holds && herd_agrees(herd.count, herd.virt))
			assert_true(bitset_is_subset(&before, &level.baseline));
	}
	assert_true(held > 5);
}

/* ---- one thing at a time */

static void haswell_and_skylake(void)
{
	arena_destroy(&run);
	catalogue = catalogue_new(&run, &error);
	assert_non_null(catalogue);
	for (size_t i = 0, found = 0; i < machine_count && found < 2; i++)
		if (strncmp(machine_names[i], found ? "skylake" : "haswell", 7) == 0)
			assert_true(offer_take(found++, i, VIRT_KVM));
	assert_true(herd_agrees(2, VIRT_KVM));
}

static void another_vendor_breaks_it(void **state)
{
	(void)state;
	haswell_and_skylake();
	offers[1].vendor = "AMD";
	assert_broken(
		1, "vendor", "its CPU is of AMD, and guests of the level saw Intel");
}

static void narrower_addresses_break_it_and_wider_ones_do_not(void **state)
{
	(void)state;
	haswell_and_skylake();
	level.maxphysaddr = 39;
	facts[1].small.physical_address_bits = 36;
	assert_broken(1, "maxphysaddr", "of 36 bits, and the level has 39");
	level.maxphysaddr = 36;
	judge(1);
	assert_null(reason_about("maxphysaddr"));
	facts[1].small.libvirt_version = 8006000;
	assert_broken(1, "maxphysaddr", "8.7 or newer");
}

static void a_model_or_a_name_that_libvirt_lacks_breaks_it(void **state)
{
	const struct model_row *m;
	size_t bit;

	(void)state;
	haswell_and_skylake();
	m = catalogue_find_model(level.model);
	bitset_remove(&offers[0].model_rows, (size_t)(m - catalogue_model(0)));
	assert_broken(0, "model", "do not know model");
	bit = (size_t)catalogue_find(catalogue, level.features[0].name);
	bitset_remove(&offers[1].names, bit);
	assert_broken(1, "names", level.features[0].name);
}

static void what_the_level_does_not_switch_off_breaks_it(void **state)
{
	size_t opened = 0;

	(void)state;
	wishes.model = catalogue_find_model("Skylake-Client");
	haswell_and_skylake();
	wishes.model = NULL;
	for (size_t i = 0; i < level.feature_count; i++) {
		struct level_feature *f = &level.features[i];

		if (f->policy != POLICY_DISABLE)
			continue;
		f->policy = POLICY_REQUIRE;
		judge(0);
		if (reason_about("closing")) {
			assert_contains(reason_about("closing")->text, f->name);
			opened++;
		}
		f->policy = POLICY_DISABLE;
	}
	assert_true(opened > 0);
	assert_holds(0);
}

static void a_moved_component_of_xsave_breaks_what_hangs_on_it(void **state)
{
	(void)state;
	haswell_and_skylake();
	assert_true(ground.xsave_count > 0);
	ground.xsave[0].offset += 64;
	assert_broken(0, "xsave", "avx");
	assert_true(bitset_has(
		&reason_about("xsave")->features, (size_t)catalogue_find_row("avx2")));
}

static void another_ground_of_nesting_breaks_vmx(void **state)
{
	(void)state;
	haswell_and_skylake();
	ground.nested = "0123";
	assert_broken(0, "nested", "KVM's VMX registers or QEMU");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_holds_on_the_nodes_that_it_was_made_of),
		cmocka_unit_test(it_holds_as_it_is_read_back_with_the_names_of_its_nodes),
		cmocka_unit_test(it_breaks_on_a_node_that_lacks_any_of_its_features),
		cmocka_unit_test(more_features_never_break_it),
		cmocka_unit_test(
			where_it_holds_on_one_more_node_a_new_level_keeps_all_of_it),
		cmocka_unit_test(another_vendor_breaks_it),
		cmocka_unit_test(narrower_addresses_break_it_and_wider_ones_do_not),
		cmocka_unit_test(a_model_or_a_name_that_libvirt_lacks_breaks_it),
		cmocka_unit_test(what_the_level_does_not_switch_off_breaks_it),
		cmocka_unit_test(a_moved_component_of_xsave_breaks_what_hangs_on_it),
		cmocka_unit_test(another_ground_of_nesting_breaks_vmx),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, read_machines, forget_machines);
}
