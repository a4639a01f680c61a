/* One migration, judged: what is not known is not well, and any bit of a CPU counts. */
#include "coordinator/verb/migration_cpu.h"
#include "coordinator/verb/migration_judge.h"
#include "tests/support/test.h"

enum { LEAVES = 5 };

static const char cpu[] = "<cpu mode='custom' match='exact' check='full'>"
			  "<model fallback='forbid'>Penryn</model>"
			  "<feature policy='disable' name='aes'/></cpu>";

static struct arena arena;
static struct catalogue *catalogue;
static struct leaf leaves[LEAVES], arrived[LEAVES];
static struct cpu_word words[LEAVES], arrived_words[LEAVES];
static struct tried before;
static struct migrated migrated;
static struct met met;
static struct report_migration migration;

static int all_well(void **state)
{
	struct err e;

	(void)state;
	if (!catalogue)
		catalogue = catalogue_new(&arena, &e);
	for (uint32_t i = 0; i < LEAVES; i++) {
		leaves[i] = arrived[i] = (struct leaf){ i, 0, 1 + i, 2, 3, 4 };
		words[i] = arrived_words[i] = (struct cpu_word){ i, 0, i % 4, 77, 0 };
	}
	before = (struct tried){ true, { NULL, 0 }, "", "cpuherd-0-g0", "pc", cpu,
		{ words, LEAVES }, { NULL, 0 }, "", true, "", 10, { leaves, LEAVES }, 300,
		{ NULL, 0 }, 6 };
	migrated = (struct migrated){ true, 0, "", "", "", "", 400 };
	met = (struct met){ true, "running", cpu, { arrived_words, LEAVES }, { NULL, 0 },
		"", true, "", 11, { arrived, LEAVES }, "", 6 };
	migration = (struct report_migration){ .source = "a",
		.target = "b",
		.before = &before,
		.migrated = &migrated,
		.met = &met };
	return catalogue ? 0 : -1;
}

/* A guest that does not run, where QEMU's view is all there is. */
static void pause_it(void)
{
	before.alive = met.alive = false;
	before.count = met.count = 0;
	before.leaves.count = met.leaves.count = 0;
	met.state = "paused";
}

static const char *judge(void)
{
	const struct migration_case c = { .source_trouble = "",
		.target_trouble = "",
		.catalogue = catalogue,
		.virt = VIRT_KVM };
	struct err e;

	assert_rc(migration_judge(&migration, &c, &arena, &e), RC_OK, &e);
	assert_int_equal(migration.ok, migration.why[0] == '\0');
	return migration.why;
}

static void a_guest_that_lives_on_unchanged_is_well(void **state)
{
	(void)state;
	assert_string_equal(judge(), "");
	assert_true(migration.ran);
}

static void a_paused_guest_with_the_words_it_had_is_well(void **state)
{
	(void)state;
	pause_it();
	assert_string_equal(judge(), "");
	assert_false(migration.ran);
}

/* A small kernel counts further within a second than it had before. */
static void a_guest_that_rebooted_has_failed_however_far_it_counts(void **state)
{
	(void)state;
	met.count = 5000;
	met.boot = 7;
	assert_contains(judge(), "began anew: it had counted to 10, and then, after "
				 "another boot, to 5000");
	met.boot = before.boot;
	met.count = before.count;
	assert_contains(judge(), "began anew");
}

static void a_paused_guest_that_is_not_paused_any_more_has_failed(void **state)
{
	(void)state;
	pause_it();
	met.state = "crashed";
	assert_contains(judge(), "the guest, which was paused, is now: crashed");
	met.state = "";
	assert_contains(judge(), "is now: no state");
}

/* ---- any bit */

static void any_bit_of_any_leaf_is_found_and_named(void **state)
{
	static const char *const registers[] = { "EAX", "EBX", "ECX", "EDX" };

	(void)state;
	for (uint32_t i = 0; i < LEAVES * 4 * 32; i++) {
		uint32_t leaf = i / 128, part = i / 32 % 4, bit = UINT32_C(1) << i % 32;
		uint32_t *values[] = { &arrived[leaf].eax, &arrived[leaf].ebx,
			&arrived[leaf].ecx, &arrived[leaf].edx };

		*values[part] ^= bit;
		assert_contains(judge(),
			arena_format(&arena, "CPUID 0x%x/0 %s: ", leaf, registers[part]));
		*values[part] ^= bit;
	}
	assert_string_equal(judge(), "");
}

static void any_bit_of_any_word_is_found_and_named(void **state)
{
	static const char *const registers[] = { "EAX", "EBX", "ECX", "EDX" };

	(void)state;
	pause_it();
	for (uint32_t i = 0; i < LEAVES * 32; i++) {
		uint32_t word = i / 32, bit = UINT32_C(1) << i % 32;

		arrived_words[word].value ^= bit;
		assert_contains(judge(), arena_format(&arena, "CPUID 0x%x/0 %s: ", word,
						 registers[word % 4]));
		arrived_words[word].value ^= bit;
	}
}

static void the_order_of_leaves_does_not_matter(void **state)
{
	struct leaf first = arrived[0];

	(void)state;
	arrived[0] = arrived[4];
	arrived[4] = first;
	assert_string_equal(judge(), "");
}

/* A newer QEMU has names for words that an older one has not. */
static void a_word_that_only_one_of_them_has_counts_as_0(void **state)
{
	(void)state;
	pause_it();
	words[4].value = 0;
	met.words.count = 4;
	assert_string_equal(judge(), "");
	words[4].value = 1;
	assert_contains(judge(), "CPUID 0x4/0 EAX: 0x1 before, 0x0 after");
}

static void a_property_that_both_qemus_have_counts(void **state)
{
	struct cpu_property had[] = { { "phys-bits", "46" }, { "old", "true" },
		{ "tsc-frequency", "1" } };
	struct cpu_property has[] = { { "tsc-frequency", "2" }, { "new", "true" },
		{ "phys-bits", "46" } };

	(void)state;
	before.properties = (struct list){ had, 3 };
	met.properties = (struct list){ has, 3 };
	assert_string_equal(judge(), "");
	has[2].value = "39";
	assert_contains(judge(), "QEMU's property phys-bits: 46 before, 39 after");
}

/* It had another one than was asked for, all the way. */
static void a_guest_that_never_had_its_cpu_has_failed(void **state)
{
	struct cpu_property had = { "unavailable-features", "[\"adx\"]" };
	struct cpu_property has = { "unavailable-features", "[]" };

	(void)state;
	before.properties = (struct list){ &had, 1 };
	met.properties = (struct list){ &has, 1 };
	words[2] = arrived_words[2] = (struct cpu_word){ 7, 0, 1, 0, 1U << 19 };
	arrived_words[2].filtered = 0;
	assert_contains(judge(), "QEMU of a took away CPUID 0x7/0 EBX: 0x80000 (adx)");
	assert_string_equal(migration.cause, "");
}

static void bits_with_a_name_are_named(void **state)
{
	(void)state;
	leaves[0] = arrived[0] = (struct leaf){ 7, 0, 0, 0, 0, 0 };
	arrived[0].ebx = 1U << 19 | 1U << 5;
	assert_contains(judge(), "CPUID 0x7/0 EBX: 0x0 before, 0x80020 after (");
	assert_contains(judge(), "adx");
	assert_contains(judge(), "avx2");
}

/* ---- libvirt's words */

static void a_cpu_in_other_words_is_the_same_cpu(void **state)
{
	(void)state;
	met.cpu = "<cpu check='full' mode='custom'>\n  <feature name='aes' "
		  "policy='disable'/>\n  <model fallback='forbid'>Penryn</model>\n</cpu>";
	assert_string_equal(judge(), "");
	/* what the model does not have need not be disabled */
	met.cpu = "<cpu mode='custom' match='exact' check='full'><model "
		  "fallback='forbid'>Penryn</model></cpu>";
	assert_string_equal(judge(), "");
}

static void a_cpu_that_means_another_is_another(void **state)
{
	(void)state;
	met.cpu = "<cpu mode='custom' match='exact' check='full'><model "
		  "fallback='forbid'>Penryn</model><feature policy='require' "
		  "name='aes'/></cpu>";
	assert_contains(judge(), "libvirt's live <cpu> means another CPU");
	met.cpu = "<cpu mode='custom'><model>Nehalem</model></cpu>";
	assert_contains(judge(), "libvirt's live <cpu> means another CPU");
}

static void a_cpu_that_cannot_be_read_is_none(void **state)
{
	(void)state;
	met.cpu = "<cpu><model>";
	assert_contains(judge(), "cannot be read");
	met.cpu = "";
	assert_true(judge()[0]);
}

/* ---- what is not known */

static void what_is_not_known_is_not_well(void **state)
{
	(void)state;
	met.leaves.count = 0;
	assert_string_equal(judge(), "the guest did not tell its CPUID");
	all_well(state);
	pause_it();
	met.gap = "the monitor is silent";
	assert_contains(judge(), "could not be compared: the monitor is silent");
	met.gap = "";
	met.words.count = 0;
	assert_contains(judge(), "could not be compared: it gave none");
}

/* A guest that runs says more of its CPU than QEMU does. */
static void a_guest_that_runs_needs_no_view_of_qemu(void **state)
{
	(void)state;
	before.gap = "no libvirt-qemu";
	before.words.count = 0;
	assert_string_equal(judge(), "");
}

static void each_answer_that_is_missing_has_its_words(void **state)
{
	(void)state;
	migration.met = NULL;
	assert_contains(judge(), "b could not be asked");
	migration.migrated = NULL;
	assert_contains(judge(), "was not asked to migrate");
	migration.before = NULL;
	assert_contains(judge(), "no trial guest was started");
}

static void a_guest_that_moved_in_spite_of_an_error_is_told_where_it_is(void **state)
{
	(void)state;
	migrated.ok = false;
	migrated.reason = "End of file while reading data";
	assert_string_equal(judge(), "libvirt did not migrate it: End of file while "
				     "reading data; and yet it is on b");
	assert_contains(migration.cause, "logs on the target");
}

/* What peer-to-peer hides, the target itself says. */
static void the_targets_own_words_count_for_the_cause(void **state)
{
	(void)state;
	migrated.ok = false;
	migrated.reason = "End of file while reading data";
	migrated.direct = "guest CPU doesn't match specification: missing features: pcid";
	judge();
	assert_contains(migration.cause, "all of its CPU: pcid");
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
#define CASE(name) cmocka_unit_test_setup(name, all_well)
		CASE(a_guest_that_lives_on_unchanged_is_well),
		CASE(a_paused_guest_with_the_words_it_had_is_well),
		CASE(a_guest_that_rebooted_has_failed_however_far_it_counts),
		CASE(a_paused_guest_that_is_not_paused_any_more_has_failed),
		CASE(any_bit_of_any_leaf_is_found_and_named),
		CASE(any_bit_of_any_word_is_found_and_named),
		CASE(the_order_of_leaves_does_not_matter),
		CASE(a_word_that_only_one_of_them_has_counts_as_0),
		CASE(a_property_that_both_qemus_have_counts),
		CASE(a_guest_that_never_had_its_cpu_has_failed),
		CASE(bits_with_a_name_are_named),
		CASE(a_cpu_in_other_words_is_the_same_cpu),
		CASE(a_cpu_that_means_another_is_another),
		CASE(a_cpu_that_cannot_be_read_is_none),
		CASE(what_is_not_known_is_not_well),
		CASE(a_guest_that_runs_needs_no_view_of_qemu),
		CASE(each_answer_that_is_missing_has_its_words),
		CASE(a_guest_that_moved_in_spite_of_an_error_is_told_where_it_is),
		CASE(the_targets_own_words_count_for_the_cause),
#undef CASE
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, forget);
}
