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
	assert_rc(catalogue_learn(c, "learnt-600", &bit, &e), RC_OK, &e);
	assert_int_equal(catalogue_find(c, "still-not-there"), -1);
	arena_destroy(&arena);
}

static size_t source_of(const char *name)
{
	for (size_t i = 0; i < catalogue_source_count(); i++)
		if (strcmp(catalogue_source_row(i)->name, name) == 0)
			return i;
	fail_msg("no source is called %s", name);
	return 0;
}

static struct bitset definition(const char *model, const char *source)
{
	size_t number = source_of(source);
	enum virt_type virt = catalogue_source_row(number)->virt;
	struct bitset features;

	assert_true(catalogue_define_model(catalogue_find_model(model), number,
		virt == VIRT_COUNT ? VIRT_KVM : virt, &features));
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
	struct bitset libvirt = definition("Westmere", "libvirt 9.0.0");
	struct bitset qemu = definition("Westmere", "QEMU 7.2 with KVM");
	struct bitset tcg = definition("Westmere", "QEMU 7.2 with TCG");

	(void)state;
	assert_false(holds(&libvirt, "pclmuldq"));
	assert_true(holds(&qemu, "pclmuldq"));
	assert_true(holds(&qemu, "x2apic"));
	assert_true(holds(&qemu, "vme"));
	assert_false(holds(&tcg, "vme"));
	qemu = definition("EPYC", "QEMU 7.2 with KVM");
	libvirt = definition("EPYC", "libvirt 9.0.0");
	assert_true(holds(&libvirt, "svm"));
	assert_false(holds(&qemu, "svm"));
	assert_true(holds(&qemu, "topoext"));
	assert_false(holds(&libvirt, "monitor"));
}

static void versions_mean_different_things_by_a_name(void **state)
{
	struct bitset old = definition("Skylake-Server", "libvirt 9.0.0");
	struct bitset new = definition("Skylake-Server", "libvirt 12.8.0");

	(void)state;
	assert_true(holds(&old, "mpx"));
	assert_false(holds(&new, "mpx"));
	/* QEMU always had the controls of vmx; libvirt only lists them as added */
	assert_false(holds(&new, "vmx-ept"));
	new = definition("Skylake-Server", "QEMU 11.1 with KVM");
	assert_true(holds(&new, "vmx-ept"));
	assert_false(holds(&new, "mpx"));
}

static void what_stands_on_a_ground_is_off_without_it(void **state)
{
	struct bitset qemu = definition("EPYC", "QEMU 7.2 with KVM"), off;
	struct bitset ground = { { 0 } };

	(void)state;
	assert_true(holds(&qemu, "npt"));
	off = catalogue_groundless(&ground, catalogue_all_sources());
	assert_true(holds(&off, "npt"));
	assert_true(holds(&off, "vmx-ept"));
	assert_true(holds(&off, "mds-no"));
	assert_false(holds(&off, "svm"));
	bitset_add(&ground, (size_t)catalogue_find_row("svm"));
	off = catalogue_groundless(&ground, catalogue_all_sources());
	assert_false(holds(&off, "npt"));
	off = catalogue_groundless(&ground, 1u << source_of("libvirt 9.0.0"));
	assert_true(bitset_is_empty(&off));
}

static bool applies(uint32_t sources, const char *name)
{
	return sources >> source_of(name) & 1;
}

static void a_node_of_a_known_version_has_that_source_alone(void **state)
{
	uint32_t s = catalogue_sources_of(9000000, 7002013);

	(void)state;
	assert_true(applies(s, "libvirt 9.0.0"));
	assert_false(applies(s, "libvirt 11.3.0"));
	assert_true(applies(s, "QEMU 7.2 with KVM"));
	assert_true(applies(s, "QEMU 7.2 with TCG"));
	assert_false(applies(s, "QEMU 10.0 with KVM"));
	s = catalogue_sources_of(10000000, 7002000);
	assert_true(applies(s, "libvirt 9.0.0"));
	assert_true(applies(s, "libvirt 12.8.0"));
	assert_false(applies(s, "QEMU 11.1 with KVM"));
	assert_int_equal(catalogue_sources_of(0, 0), catalogue_all_sources());
	assert_int_equal(catalogue_sources_of(99000000, 1), catalogue_all_sources());
}

static void names_are_known_from_a_version_on(void **state)
{
	static const struct {
		uint64_t libvirt, qemu;
		bool avx2, vmx_ept, its_no;
	} rows[] = {
		{ 9000000, 7002000, true, false, false },
		{ 10000000, 8002000, true, false, false },
		{ 11003000, 10000000, true, true, false },
		{ 12000000, 10001000, true, true, false },
		{ 12008000, 11001002, true, true, true },
		{ 13000000, 12000000, true, true, true },
		{ 12008000, 7002000, true, true, false },
		{ 8009000, 11001002, false, false, false },
		{ 12008000, 7001000, false, false, false },
		{ 0, 11001002, false, false, false },
		{ 12008000, 0, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bitset s = catalogue_names_of(rows[i].libvirt, rows[i].qemu);

		assert_int_equal(holds(&s, "avx2"), rows[i].avx2);
		assert_int_equal(holds(&s, "vmx-ept"), rows[i].vmx_ept);
		assert_int_equal(holds(&s, "its-no"), rows[i].its_no);
		/* libvirt's name, but QEMU has no property */
		assert_false(holds(&s, "pconfig"));
	}
}

/* catalogue_names_of() trusts versions between two of the catalogue's with the names of
 * the earlier: true as long as no name is ever dropped. */
static void a_newer_version_knows_all_names_of_an_older(void **state)
{
	(void)state;
	for (size_t i = 0; i + 1 < catalogue_source_count(); i++) {
		const struct source_row *older = catalogue_source_row(i);
		const struct source_row *newer = catalogue_source_row(i + 1);

		if (older->is_qemu != newer->is_qemu)
			continue;
		assert_true(older->version <= newer->version);
		for (size_t bit = 0; bit < catalogue_feature_rows(); bit++) {
			uint32_t sources = catalogue_feature(NULL, bit)->sources;

			assert_true((sources >> i & 1) <= (sources >> (i + 1) & 1));
		}
	}
}

static void what_all_know_is_what_each_knows(void **state)
{
	struct bitset names = catalogue_names_known_to_all();
	struct bitset models = catalogue_models_known_to_all();
	struct bitset oldest = catalogue_names_of(9000000, 7002000);

	(void)state;
	assert_true(bitset_equals(&names, &oldest));
	for (size_t i = 0; i < catalogue_model_count(); i++) {
		const struct model_row *m = catalogue_model(i);
		bool all = m->sources == catalogue_all_sources();

		assert_int_equal(bitset_has(&models, i), all);
	}
}

static void a_vendor_is_known_where_every_libvirt_knows_it(void **state)
{
	const char *name = catalogue_vendor_name("CentaurHauls");

	(void)state;
	assert_string_equal(name, "Zhaoxin CentaurHauls");
	assert_false(catalogue_is_vendor(name, catalogue_all_sources()));
	assert_true(catalogue_is_vendor(name, 1u << source_of("libvirt 12.8.0")));
	assert_true(catalogue_is_vendor("Hygon", catalogue_all_sources()));
	assert_false(catalogue_is_vendor("Cyrix", catalogue_all_sources()));
}

static void a_source_speaks_only_of_what_it_knows(void **state)
{
	struct bitset s;
	const struct model_row *haswell = catalogue_find_model("Haswell");
	const struct model_row *no_qemu = catalogue_find_model("Icelake-Client");
	size_t kvm = source_of("QEMU 7.2 with KVM"), tcg = source_of("QEMU 7.2 with TCG");

	(void)state;
	assert_true(catalogue_define_model(no_qemu, 0, VIRT_KVM, &s));
	assert_false(catalogue_define_model(no_qemu, kvm, VIRT_KVM, &s));
	assert_false(catalogue_define_model(haswell, kvm, VIRT_QEMU, &s));
	assert_false(catalogue_define_model(haswell, tcg, VIRT_KVM, &s));
	assert_false(catalogue_define_model(
		catalogue_find_model("EPYC-Turin"), 0, VIRT_KVM, &s));
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_feature_is_found_by_its_name),
		cmocka_unit_test(an_unknown_name_gets_a_bit_and_keeps_it),
		cmocka_unit_test(a_known_name_is_not_learnt_twice),
		cmocka_unit_test(what_is_no_name_is_not_learnt),
		cmocka_unit_test(names_beyond_the_bits_are_refused),
		cmocka_unit_test(libvirt_and_qemu_mean_different_things_by_a_name),
		cmocka_unit_test(versions_mean_different_things_by_a_name),
		cmocka_unit_test(what_stands_on_a_ground_is_off_without_it),
		cmocka_unit_test(a_node_of_a_known_version_has_that_source_alone),
		cmocka_unit_test(names_are_known_from_a_version_on),
		cmocka_unit_test(a_newer_version_knows_all_names_of_an_older),
		cmocka_unit_test(what_all_know_is_what_each_knows),
		cmocka_unit_test(a_vendor_is_known_where_every_libvirt_knows_it),
		cmocka_unit_test(a_source_speaks_only_of_what_it_knows),
		cmocka_unit_test(non_migratable_features_are_those_of_libvirt),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
