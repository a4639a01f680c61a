/* What libvirt puts in the place of a model of our own. */
#include "coordinator/cpu/translation.h"
#include "tests/support/fleet.h"

static size_t levels, true_ones;

static bool level_of(struct fleet *f, struct level *l)
{
	struct err e;

	return level_choose(f->catalogue, f->offers, f->count, f->virt, NULL, f->ops,
		       &f->arena, l, &e) == RC_OK;
}

static bool may_apply(const struct level *l, size_t source, bool is_qemu)
{
	return l->sources >> source & 1 &&
	       catalogue_source_row(source)->is_qemu == is_qemu;
}

/* What a guest sees, by one libvirt and one QEMU: told anew, feature by feature. */
static bool sees(const struct level *l, const struct translation *t, size_t libvirt,
	size_t qemu, size_t bit)
{
	struct bitset removed = feature_list_set(t->model->removed), theirs = { { 0 } },
		      qemus = { { 0 } };

	(void)catalogue_define_model(t->model, libvirt, l->virt, &theirs);
	(void)catalogue_define_model(t->model, qemu, l->virt, &qemus);
	if (bitset_has(&t->said, bit) && !bitset_has(&theirs, bit))
		return true; /* required */
	if (!bitset_has(&t->said, bit) &&
		(bitset_has(&theirs, bit) || bitset_has(&removed, bit)))
		return false; /* disabled */
	return bitset_has(&qemus, bit);
}

static void assert_seen(
	const struct level *l, const struct translation *t, size_t libvirt, size_t qemu)
{
	struct bitset off = catalogue_groundless(&l->baseline, 1u << qemu), any;

	if (!catalogue_define_model(t->model, qemu, l->virt, &any))
		return; /* of other guests */
	for (size_t bit = 0; bit < catalogue_feature_rows(); bit++) {
		bool has = bitset_has(&l->baseline, bit);

		if (bitset_has(&l->unsaid, bit) || (!has && bitset_has(&off, bit)))
			continue;
		if (sees(l, t, libvirt, qemu, bit) != has)
			fail_msg("%s for %s: %s", t->model->name, l->model,
				catalogue_feature(NULL, bit)->name);
	}
}

static void check_truth(struct fleet *f)
{
	struct translation t;
	struct level l;

	if (!level_of(f, &l))
		return;
	t = translation_of(&l);
	levels++;
	assert_true(bitset_is_subset(&t.said, &l.names));
	if (!translation_is_true(&t))
		return;
	true_ones++;
	for (size_t libvirt = 0; libvirt < catalogue_source_count(); libvirt++)
		for (size_t qemu = 0; qemu < catalogue_source_count(); qemu++)
			if (may_apply(&l, libvirt, false) && may_apply(&l, qemu, true))
				assert_seen(&l, &t, libvirt, qemu);
}

static void a_guest_that_is_called_true_sees_the_baseline(void **state)
{
	(void)state;
	for_many_fleets(check_truth);
	print_message("%zu of %zu levels\n", true_ones, levels);
	assert_true(true_ones > 20 && true_ones < levels);
}

/* libvirt 9.0's Westmere has neither arat nor pclmuldq, QEMU 7.2's has both. */
static struct level westmere_with(struct fleet *f, bool arat)
{
	struct level l = fleet_level_of_westmere();

	fleet_begin(f, 1);
	if (!arat)
		bitset_remove(&l.baseline, (size_t)catalogue_find_row("arat"));
	return l;
}

static void what_only_qemu_has_in_the_model_is_found(void **state)
{
	struct fleet f;
	struct level l = westmere_with(&f, false);
	struct translation t = translation_of(&l);

	(void)state;
	assert_string_equal(t.model->name, "Westmere");
	assert_false(translation_is_true(&t));
	assert_int_equal(bitset_count(&t.adds), 1);
	assert_true(bitset_has(&t.adds, (size_t)catalogue_find_row("arat")));
	arena_destroy(&f.arena);
}

static void what_the_level_has_as_well_is_no_difference(void **state)
{
	struct fleet f;
	struct level l = westmere_with(&f, true);
	struct translation t = translation_of(&l);

	(void)state;
	assert_true(translation_is_true(&t));
	arena_destroy(&f.arena);
}

static void what_the_map_cannot_spell_is_lacking(void **state)
{
	struct fleet f;
	struct level l = westmere_with(&f, true);
	struct translation t;

	(void)state;
	bitset_add(&l.baseline, (size_t)catalogue_find_row("avx"));
	bitset_remove(&l.names, (size_t)catalogue_find_row("avx"));
	t = translation_of(&l);
	assert_false(translation_is_true(&t));
	assert_true(bitset_has(&t.lacks, (size_t)catalogue_find_row("avx")));
	arena_destroy(&f.arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_that_is_called_true_sees_the_baseline),
		cmocka_unit_test(what_only_qemu_has_in_the_model_is_found),
		cmocka_unit_test(what_the_level_has_as_well_is_no_difference),
		cmocka_unit_test(what_the_map_cannot_spell_is_lacking),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
