/* What changed on a node since it was locked: what is told, and what goes without saying. */
#include <stdlib.h>

#include "coordinator/lock/drift.h"
#include "proto/texts.h"
#include "tests/support/test.h"

static struct arena arena;
static struct lock_class was_class, is_class;
static struct lock_node was_node, is_node;

static int begin(void **state)
{
	static const char *parameters[] = { "kvm.ignore_msrs=N", "kvm_intel.nested=Y" };
	static const char *features[] = { "aes", "avx", "avx2" };

	(void)state;
	was_class = (struct lock_class){ .arch = "x86_64",
		.cpu = "Intel(R) Xeon(R) Gold 6148",
		.vendor = "Intel",
		.microcode = "0x1",
		.kernel = "6.1.0-18",
		.libvirt = "9.0.0",
		.qemu = "7.2.22",
		.physical_bits = 46,
		.parameters = { parameters, 2 },
		.host = "aa",
		.kvm = "bb",
		.emulated = "cc",
		.domcaps = "dd",
		.offer = "ee",
		.features = { features, 3 } };
	was_node = (struct lock_node){ .hostname = "a",
		.host_uuid = "1-2",
		.cmdline = "root=/dev/sda1 quiet",
		.tsc_khz = 2400000 };
	is_class = was_class;
	is_node = was_node;
	return 0;
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

/* All that is told, as "what: values; " each. */
static const char *told(void)
{
	struct drifts drifts;
	const char *text = "";
	struct err e;

	assert_rc(
		drift_find(&(struct drift_side){ &was_class, &was_node },
			&(struct drift_side){ &is_class, &is_node }, &arena, &drifts, &e),
		RC_OK, &e);
	for (size_t i = 0; i < drifts.count; i++)
		text = arena_format(&arena, "%s%s: %s; ", text, drifts.item[i].what,
			drift_values(&drifts.item[i], &arena));
	return text;
}

static void equal_nodes_have_nothing_to_tell(void **state)
{
	(void)state;
	assert_string_equal(told(), "");
}

static void each_text_is_told_with_both_values(void **state)
{
	const struct {
		const char **member, *value, *says;
	} texts[] = {
		{ &is_node.host_uuid, "3-4", "machine: 1-2 -> 3-4; " },
		{ &is_node.hostname, "b", "hostname: a -> b; " },
		{ &is_class.arch, "aarch64", "silicon: x86_64 -> aarch64; " },
		{ &is_class.microcode, "0x2", "microcode: 0x1 -> 0x2; " },
		{ &is_class.microcode, "", "microcode: no longer 0x1; " },
		{ &is_class.kernel, "6.1.0-20", "kernel: 6.1.0-18 -> 6.1.0-20; " },
		{ &is_class.libvirt, "11.3.0", "libvirt: 9.0.0 -> 11.3.0; " },
		{ &is_class.qemu, "10.0.0", "qemu: 7.2.22 -> 10.0.0; " },
		{ &is_node.cmdline, "root=/dev/sda1 quiet nosmt",
			"command line: now nosmt; " },
		{ &is_node.cmdline, "root=/dev/sdb1 quiet",
			"command line: root=/dev/sda1 -> root=/dev/sdb1; " },
		{ &is_node.cmdline, "quiet root=/dev/sda1",
			"command line: root=/dev/sda1 quiet -> quiet root=/dev/sda1; " },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		begin(state);
		*texts[i].member = texts[i].value;
		assert_string_equal(told(), texts[i].says);
	}
}

static void a_parameter_and_features_are_told_by_what_differs(void **state)
{
	static const char *parameters[] = { "kvm.ignore_msrs=N", "kvm_intel.nested=N" };
	static const char *features[] = { "aes", "avx2", "fma", "pku" };

	(void)state;
	is_class.parameters = (struct texts){ parameters, 2 };
	assert_string_equal(
		told(), "kvm parameter: kvm_intel.nested=Y -> kvm_intel.nested=N; ");
	is_class.parameters = was_class.parameters;
	is_class.features = (struct texts){ features, 4 };
	assert_string_equal(told(), "features: avx -> fma, pku; ");
}

static void another_cpu_is_silicon_and_its_microcode_goes_without_saying(void **state)
{
	(void)state;
	is_class.cpu = "AMD EPYC 7601";
	is_class.vendor = "AMD";
	is_class.microcode = "0x8001250";
	is_class.physical_bits = 48;
	is_class.host = is_class.kvm = "ff";
	assert_string_equal(
		told(), "silicon: Intel(R) Xeon(R) Gold 6148 -> AMD EPYC 7601; ");
}

static void registers_are_told_only_where_nothing_explains_them(void **state)
{
	(void)state;
	is_class.host = is_class.kvm = is_class.domcaps = is_class.offer = "ff";
	assert_string_equal(told(), "silicon: what it showed -> something else, and "
				    "nothing seen explains it; ");
	is_class.microcode = "0x2";
	assert_string_equal(told(), "microcode: 0x1 -> 0x2; ");
}

static void what_a_layer_does_is_not_explained_by_those_above_it(void **state)
{
	(void)state;
	is_class.kvm = "ff"; /* a new QEMU does not change KVM's answer */
	is_class.qemu = "8.0.0";
	assert_contains(told(), "kvm: what it showed -> something else");
	is_class.kvm = was_class.kvm;
	is_class.domcaps = "ff";
	assert_string_equal(told(), "qemu: 7.2.22 -> 8.0.0; ");
	is_class.qemu = was_class.qemu;
	assert_contains(told(), "libvirt's answers: what it showed");
}

static void a_frequency_that_was_measured_again_is_no_news(void **state)
{
	(void)state;
	is_node.tsc_khz = 2400000 + 599;
	assert_string_equal(told(), "");
	is_node.tsc_khz = 2400000 + 601;
	assert_string_equal(told(), "tsc: 2400000 -> 2400601; ");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, begin)
		TEST(equal_nodes_have_nothing_to_tell),
		TEST(each_text_is_told_with_both_values),
		TEST(a_parameter_and_features_are_told_by_what_differs),
		TEST(another_cpu_is_silicon_and_its_microcode_goes_without_saying),
		TEST(registers_are_told_only_where_nothing_explains_them),
		TEST(what_a_layer_does_is_not_explained_by_those_above_it),
		TEST(a_frequency_that_was_measured_again_is_no_news),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, forget);
}
