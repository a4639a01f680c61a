/* What must be said beside a model's name, case by case; tests/unit/cpu_level.c has the
 * properties. */
#include "coordinator/cpu/closing.h"
#include "tests/support/test.h"

enum { OLD_LIBVIRT = 9000000, OLD_QEMU = 7002000 };
enum { NEW_LIBVIRT = 12008000, NEW_QEMU = 11001000 };

static size_t bit_of(const char *name)
{
	int bit = catalogue_find_row(name);

	assert_true(bit >= 0);
	return (size_t)bit;
}

static bool holds(const struct bitset *s, const char *name)
{
	return bitset_has(s, bit_of(name));
}

/* Nodes of these versions; the baseline is what the old libvirt means by the model. */
static struct common nodes_of(
	const struct model_row *m, uint64_t libvirt_version, uint64_t qemu_version)
{
	return (struct common){ .virt = VIRT_KVM,
		.baseline = feature_list_set(m->features),
		.names = catalogue_names_of(libvirt_version, qemu_version),
		.sources = catalogue_sources_of(libvirt_version, qemu_version) };
}

/* 9.0's Skylake has mpx, a newer libvirt switches it off, no QEMU has it in the model. */
static void mpx_is_said_whoever_the_nodes_are(void **state)
{
	static const uint64_t versions[][2] = { { OLD_LIBVIRT, OLD_QEMU },
		{ 11003000, 10000000 }, { NEW_LIBVIRT, NEW_QEMU },
		{ NEW_LIBVIRT, OLD_QEMU }, { OLD_LIBVIRT, NEW_QEMU } };
	const struct model_row *m = catalogue_find_model("Skylake-Server-IBRS");

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		struct common c = nodes_of(m, versions[i][0], versions[i][1]);
		struct closing closing;

		assert_true(closing_of(m, &c, &closing));
		assert_true(holds(&closing.require, "mpx"));
		assert_false(holds(&closing.disable, "mpx"));
		bitset_remove(&c.baseline, bit_of("mpx"));
		assert_true(closing_of(m, &c, &closing));
		assert_true(holds(&closing.disable, "mpx"));
		assert_false(holds(&closing.require, "mpx"));
	}
}

static void what_stands_on_svm_needs_no_word_without_it(void **state)
{
	const struct model_row *m = catalogue_find_model("EPYC");
	struct common c = nodes_of(m, OLD_LIBVIRT, OLD_QEMU);
	struct closing closing;

	(void)state;
	/* QEMU's EPYC has npt, libvirt's has svm alone */
	bitset_add(&c.baseline, bit_of("svm"));
	bitset_remove(&c.baseline, bit_of("npt"));
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.require, "svm")); /* off by default with KVM */
	assert_true(holds(&closing.disable, "npt"));
	bitset_remove(&c.baseline, bit_of("svm"));
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.disable, "svm"));
	assert_false(holds(&closing.disable, "npt"));
}

/* A libvirt that compares the host with its own list misses npt there, ground or not. */
static void a_list_that_is_compared_is_disabled_ground_or_not(void **state)
{
	const struct model_row *m = catalogue_find_model("EPYC-Genoa");
	struct common c = nodes_of(m, NEW_LIBVIRT, NEW_QEMU);
	struct closing closing;

	(void)state;
	assert_true(m->compared != 0);
	assert_true(holds(&c.baseline, "npt"));
	bitset_remove(&c.baseline, bit_of("svm"));
	bitset_remove(&c.baseline, bit_of("npt"));
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.disable, "npt"));
}

static void controls_of_vmx_need_no_word_without_it(void **state)
{
	const struct model_row *m = catalogue_find_model("Denverton");
	struct common c = nodes_of(m, NEW_LIBVIRT, NEW_QEMU);
	struct bitset controls = catalogue_groundless(
		&(struct bitset){ { 0 } }, catalogue_all_sources());
	struct closing closing;

	(void)state;
	assert_true(holds(&c.baseline, "vmx-ept"));
	c.baseline = bitset_minus(&c.baseline, &controls);
	assert_true(closing_of(m, &c, &closing));
	assert_false(holds(&closing.disable, "vmx-ept"));
	assert_true(bitset_is_empty(&closing.unsaid));
	bitset_add(&c.baseline, bit_of("vmx"));
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.disable, "vmx-secondary-ctls"));
	/* of this one libvirt compares its own list, controls and all */
	m = catalogue_find_model("SierraForest");
	bitset_remove(&c.baseline, bit_of("vmx"));
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.disable, "vmx-ept"));
}

static void controls_of_vmx_that_cannot_be_named_are_reported(void **state)
{
	const struct model_row *m = catalogue_find_model("Haswell");
	struct common c = nodes_of(m, OLD_LIBVIRT, OLD_QEMU);
	struct closing closing;

	(void)state;
	assert_true(closing_of(m, &c, &closing));
	assert_true(bitset_is_empty(&closing.unsaid));
	bitset_add(&c.baseline, bit_of("vmx"));
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.unsaid, "vmx-secondary-ctls"));
	assert_true(bitset_is_subset(&closing.disable, &c.names));
}

/* Some version's definition has a name that the nodes do not know. */
static void a_name_of_another_version_is_left_out(void **state)
{
	const struct model_row *m = catalogue_find_model("EPYC-Turin");
	struct common c = nodes_of(m, OLD_LIBVIRT, OLD_QEMU);
	struct closing closing;

	(void)state;
	assert_true(holds(&c.baseline, "auto-ibrs"));
	c.baseline = bitset_and(&c.baseline, &c.names);
	assert_true(closing_of(m, &c, &closing));
	assert_false(holds(&closing.disable, "auto-ibrs"));
	/* now one node might have the version that demands it */
	c.sources = catalogue_all_sources();
	assert_false(closing_of(m, &c, &closing));
	c.names = catalogue_names_of(NEW_LIBVIRT, NEW_QEMU);
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.disable, "auto-ibrs"));
}

static void a_version_that_no_node_has_counts_all_the_same(void **state)
{
	const struct model_row *m = catalogue_find_model("Skylake-Server");
	struct common c = nodes_of(m, NEW_LIBVIRT, NEW_QEMU);
	struct closing closing;

	(void)state;
	bitset_remove(&c.baseline, bit_of("mpx"));
	c.sources = 0;
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.disable, "mpx"));
}

/* x2apic is in all QEMUs' Haswell and in no libvirt's of old. */
static void what_floats_needs_no_word_where_all_qemus_have_it(void **state)
{
	const struct model_row *m = catalogue_find_model("Haswell-noTSX");
	struct common c = nodes_of(m, 0, 0);
	struct closing closing;

	(void)state;
	c.names = catalogue_names_known_to_all();
	bitset_remove(&c.baseline, bit_of("x2apic"));
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.disable, "x2apic"));
	bitset_add(&c.floating, bit_of("x2apic"));
	assert_true(closing_of(m, &c, &closing));
	assert_false(holds(&closing.disable, "x2apic"));
	assert_false(holds(&closing.require, "x2apic"));
}

/* As if mpx floated: libvirt 9.0 has it in the model, no QEMU does. */
static void what_floats_is_disabled_where_a_qemu_lacks_it(void **state)
{
	const struct model_row *m = catalogue_find_model("Skylake-Server-IBRS");
	struct common c = nodes_of(m, 0, 0);
	struct closing closing;

	(void)state;
	c.names = catalogue_names_known_to_all();
	bitset_remove(&c.baseline, bit_of("mpx"));
	bitset_add(&c.floating, bit_of("mpx"));
	assert_true(closing_of(m, &c, &closing));
	assert_true(holds(&closing.disable, "mpx"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mpx_is_said_whoever_the_nodes_are),
		cmocka_unit_test(what_stands_on_svm_needs_no_word_without_it),
		cmocka_unit_test(a_list_that_is_compared_is_disabled_ground_or_not),
		cmocka_unit_test(controls_of_vmx_need_no_word_without_it),
		cmocka_unit_test(controls_of_vmx_that_cannot_be_named_are_reported),
		cmocka_unit_test(a_name_of_another_version_is_left_out),
		cmocka_unit_test(a_version_that_no_node_has_counts_all_the_same),
		cmocka_unit_test(what_floats_needs_no_word_where_all_qemus_have_it),
		cmocka_unit_test(what_floats_is_disabled_where_a_qemu_lacks_it),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
