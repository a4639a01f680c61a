#include <stdlib.h>
#include <sys/wait.h>

#include "coordinator/cpu/catalogue.h"
#include "tests/support/test.h"

static void every_feature_is_found_by_its_name(void **state)
{
	struct arena arena = { 0 };
	struct err e;
	struct catalogue *c = catalogue_new(&arena, &e);

	(void)state;
	assert_non_null(c);
	assert_true(catalogue_feature_rows() > 200);
	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const struct feature_row *row = catalogue_feature(c, i);

		assert_int_equal(catalogue_find(c, row->name), i);
		assert_int_equal(catalogue_find_row(row->name), i);
		assert_string_equal(catalogue_name(c, i), row->name);
		assert_true(row->mask != 0);
	}
	assert_int_equal(catalogue_find(c, "no-such-feature"), -1);
	assert_int_equal(catalogue_find_row("no-such-feature"), -1);
	arena_destroy(&arena);
}

static void an_unknown_name_gets_a_bit_and_keeps_it(void **state)
{
	struct arena arena = { 0 };
	struct err e;
	struct catalogue *c = catalogue_new(&arena, &e);
	char name[] = "brand-new";
	size_t first, second, again;

	(void)state;
	assert_rc(catalogue_learn(c, name, &first, &e), RC_OK, &e);
	assert_rc(catalogue_learn(c, "newer", &second, &e), RC_OK, &e);
	memset(name, 'x', strlen(name)); /* the catalogue has its own copy */
	assert_rc(catalogue_learn(c, "brand-new", &again, &e), RC_OK, &e);
	assert_int_equal(first, again);
	assert_int_not_equal(first, second);
	assert_int_equal(catalogue_find(c, "brand-new"), first);
	assert_string_equal(catalogue_name(c, first), "brand-new");
	assert_null(catalogue_feature(c, first));
	assert_int_equal(first, catalogue_feature_rows());
	arena_destroy(&arena);
}

static void a_known_name_is_not_learnt_twice(void **state)
{
	struct arena arena = { 0 };
	struct err e;
	struct catalogue *c = catalogue_new(&arena, &e);
	size_t bit;

	(void)state;
	assert_rc(catalogue_learn(c, "avx2", &bit, &e), RC_OK, &e);
	assert_int_equal(bit, catalogue_find_row("avx2"));
	arena_destroy(&arena);
}

static void what_is_no_name_is_not_learnt(void **state)
{
	static const char *const bad[] = { "", "a b", "x'/>", "-x", "\033[31m", "../x" };
	struct arena arena = { 0 };
	struct err e;
	struct catalogue *c = catalogue_new(&arena, &e);
	size_t bit;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc(catalogue_learn(c, bad[i], &bit, &e), RC_PROTOCOL, &e);
	assert_null(strchr(e.text, '\033'));
	arena_destroy(&arena);
}

static void names_beyond_the_bits_are_refused(void **state)
{
	struct arena arena = { 0 };
	struct err e;
	struct catalogue *c = catalogue_new(&arena, &e);
	char name[32];
	size_t bit, last = 0;

	(void)state;
	for (size_t i = catalogue_feature_rows(); i < BITSET_BITS; i++) {
		snprintf(name, sizeof(name), "learnt-%zu", i);
		assert_rc(catalogue_learn(c, name, &last, &e), RC_OK, &e);
	}
	assert_int_equal(last, BITSET_BITS - 1);
	assert_rc(catalogue_learn(c, "one-more", &bit, &e), RC_LIMIT, &e);
	assert_rc(catalogue_learn(c, "learnt-300", &bit, &e), RC_OK, &e);
	assert_int_equal(catalogue_find(c, "still-not-there"), -1);
	arena_destroy(&arena);
}

static struct bitset definition(const char *model, size_t source, enum virt_type virt)
{
	const struct model_row *m = catalogue_find_model(model);
	struct bitset features, latent;

	assert_non_null(m);
	assert_true(catalogue_define_model(m, source, virt, &features, &latent));
	return features;
}

static bool holds(const struct bitset *s, const char *feature)
{
	int bit = catalogue_find_row(feature);

	assert_true(bit >= 0);
	return bitset_has(s, (size_t)bit);
}

/* The traps that made a level of names alone unsound. */
static void libvirt_and_qemu_mean_different_things_by_a_name(void **state)
{
	struct bitset libvirt = definition("Westmere", 0, VIRT_KVM);
	struct bitset qemu = definition("Westmere", 1, VIRT_KVM);
	struct bitset tcg = definition("Westmere", 2, VIRT_QEMU);

	(void)state;
	assert_false(holds(&libvirt, "pclmuldq"));
	assert_true(holds(&qemu, "pclmuldq"));
	assert_true(holds(&qemu, "x2apic"));
	assert_true(holds(&qemu, "vme"));
	assert_false(holds(&tcg, "vme"));
	qemu = definition("EPYC", 1, VIRT_KVM);
	libvirt = definition("EPYC", 0, VIRT_KVM);
	assert_true(holds(&libvirt, "svm"));
	assert_false(holds(&qemu, "svm"));
	assert_true(holds(&qemu, "topoext"));
	assert_false(holds(&libvirt, "monitor"));
}

static void svm_brings_its_company(void **state)
{
	struct bitset features, latent;

	(void)state;
	assert_true(catalogue_define_model(
		catalogue_find_model("EPYC"), 1, VIRT_KVM, &features, &latent));
	assert_true(holds(&latent, "npt"));
	assert_false(holds(&features, "npt"));
}

static void a_source_speaks_only_of_what_it_knows(void **state)
{
	struct bitset features, latent;
	const struct model_row *haswell = catalogue_find_model("Haswell");
	const struct model_row *no_qemu = catalogue_find_model("Icelake-Client");

	(void)state;
	assert_true(catalogue_define_model(no_qemu, 0, VIRT_KVM, &features, &latent));
	assert_false(catalogue_define_model(no_qemu, 1, VIRT_KVM, &features, &latent));
	assert_false(catalogue_define_model(haswell, 1, VIRT_QEMU, &features, &latent));
	assert_false(catalogue_define_model(haswell, 2, VIRT_KVM, &features, &latent));
	assert_null(catalogue_find_model("Haswell-v9"));
}

static void non_migratable_features_are_those_of_libvirt(void **state)
{
	struct bitset s = catalogue_non_migratable();

	(void)state;
	assert_true(holds(&s, "invtsc"));
	assert_true(holds(&s, "xsaves"));
	assert_int_equal(bitset_count(&s), 2);
}

/* 77: other versions of libvirt or QEMU are installed than the data is from. */
static void the_catalogue_is_what_the_installed_programs_say(void **state)
{
	int status = system(SOURCE_ROOT "/scripts/gen-catalogue --check >&2");

	(void)state;
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_feature_is_found_by_its_name),
		cmocka_unit_test(an_unknown_name_gets_a_bit_and_keeps_it),
		cmocka_unit_test(a_known_name_is_not_learnt_twice),
		cmocka_unit_test(what_is_no_name_is_not_learnt),
		cmocka_unit_test(names_beyond_the_bits_are_refused),
		cmocka_unit_test(libvirt_and_qemu_mean_different_things_by_a_name),
		cmocka_unit_test(svm_brings_its_company),
		cmocka_unit_test(a_source_speaks_only_of_what_it_knows),
		cmocka_unit_test(non_migratable_features_are_those_of_libvirt),
		cmocka_unit_test(the_catalogue_is_what_the_installed_programs_say),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
