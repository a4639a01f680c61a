/* Trial guests, held against each other and against their level. */
#include <stdlib.h>

#include "coordinator/cpu/cpuxml.h"
#include "coordinator/cpu/levelxml.h"
#include "coordinator/cpu/proof.h"
#include "tests/support/test.h"
#include "tests/support/shown.h"

enum { TRIALS = 5, FLIPS = 400 };

static const char xml[] = "<cpu mode='custom' match='exact' check='full'>\n"
			  "  <model fallback='forbid'>Penryn</model>\n"
			  "  <vendor>Intel</vendor>\n"
			  "  <maxphysaddr mode='emulate' bits='46'/>\n"
			  "  <feature policy='require' name='aes'/>\n"
			  "  <feature policy='require' name='arch-capabilities'/>\n"
			  "  <feature policy='require' name='rdctl-no'/>\n"
			  "</cpu>\n";

static struct arena arena;
static struct catalogue *catalogue;
static struct level level;
static struct tried tried[TRIALS];
static struct proof_trial trials[TRIALS];
static struct proof proof;
static uint64_t seed = 6;
static struct err e;

/* All nodes give a guest the level. */
static int all_equal(void **state)
{
	struct bitset open;

	(void)state;
	arena_destroy(&arena);
	catalogue = catalogue_new(&arena, &e);
	assert_non_null(catalogue);
	assert_rc(levelxml_read(
			  catalogue, xml, "test", VIRT_KVM, &arena, &level, &open, &e),
		RC_OK, &e);
	for (size_t i = 0; i < TRIALS; i++) {
		shown_fill(&tried[i], &level.baseline, xml, &arena);
		trials[i] = (struct proof_trial){ &tried[i], 9000000, 7002000 };
	}
	return 0;
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static void prove(size_t n, const struct level *against)
{
	assert_rc(
		proof_make(catalogue, trials, n, against, &arena, &proof, &e), RC_OK, &e);
}

static void assert_equal_all(size_t n, const struct level *against)
{
	prove(n, against);
	for (size_t i = 0; i < proof.count; i++)
		print_error("%s is %s, not %s\n", proof.differences[i].what,
			proof.differences[i].is, proof.differences[i].wanted);
	assert_int_equal(proof.count, 0);
}

/* The only difference there is. */
static const struct proof_difference *only(void)
{
	for (size_t i = 1; i < proof.count; i++)
		print_error("also: %s is %s, not %s\n", proof.differences[i].what,
			proof.differences[i].is, proof.differences[i].wanted);
	assert_int_equal(proof.count, 1);
	return &proof.differences[0];
}

static void assert_of(const struct proof_difference *d, const char *what, size_t trial)
{
	assert_string_equal(d->what, what);
	assert_int_equal(d->trial_count, 1);
	assert_int_equal(d->trials[0], trial);
}

/* ---- equal ones */

static void equal_guests_that_have_the_level_differ_in_nothing(void **state)
{
	(void)state;
	assert_equal_all(TRIALS, &level);
	assert_equal_all(TRIALS, NULL);
	assert_equal_all(1, &level);
	assert_int_equal(proof.note_count, 0);
	assert_int_equal(proof.words, tried[0].words.count);
	/* neither the TSC's frequency nor what is of KVM's own leaf */
	assert_int_equal(proof.properties, tried[0].properties.count - 2);
}

static void the_order_in_which_a_node_lists_them_means_nothing(void **state)
{
	struct cpu_word *w = shown_word_of(&tried[1], "aes"), other;

	(void)state;
	other = *(struct cpu_word *)(uintptr_t)tried[1].words.item;
	*(struct cpu_word *)(uintptr_t)tried[1].words.item = *w;
	*w = other;
	assert_equal_all(TRIALS, &level);
}

static void the_frequency_of_the_tsc_is_the_nodes_own(void **state)
{
	(void)state;
	shown_property(&tried[2], "tsc-frequency")->value = "3000000000";
	assert_equal_all(TRIALS, &level);
}

static void kvms_own_leaf_is_told_and_is_no_difference(void **state)
{
	(void)state;
	shown_word_at(&tried[2], 0x40000001, 0, 0)->value ^= 0x80;
	shown_property(&tried[2], "kvm-pv-unhalt")->value = "true";
	assert_equal_all(TRIALS, &level);
	assert_int_equal(proof.note_count, 1);
	assert_int_equal(proof.notes[0].trial_count, 1);
	assert_int_equal(proof.notes[0].trials[0], 2);
	assert_contains(proof.notes[0].text, "CPUID 0x40000001/0 EAX bit 7 is 0, not 1: "
					     "KVM's own leaf");
}

/* ---- any bit of any word */

static void flip_and_look(size_t n, const struct level *against)
{
	static const char *const registers[] = { "EAX", "EBX", "ECX", "EDX" };
	size_t trial = test_random(&seed) % n, bit = test_random(&seed) % 32;
	struct cpu_word *words = (struct cpu_word *)(uintptr_t)tried[trial].words.item;
	struct cpu_word *w = &words[test_random(&seed) % tried[trial].words.count];

	if (w->function == 0x40000001)
		return;
	w->value ^= UINT32_C(1) << bit;
	prove(n, against);
	assert_of(only(),
		arena_format(&arena, "CPUID 0x%x/%u %s bit %zu", w->function, w->index,
			registers[w->part], bit),
		trial);
	assert_string_equal(proof.differences[0].is, w->value >> bit & 1 ? "1" : "0");
	w->value ^= UINT32_C(1) << bit;
}

static void a_bit_that_one_guest_shows_otherwise_is_named_by_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < FLIPS; i++)
		flip_and_look(3 + test_random(&seed) % 3, i % 2 ? &level : NULL);
	assert_equal_all(TRIALS, &level);
}

static void a_word_that_a_guest_has_not_is_zero(void **state)
{
	(void)state;
	shown_word_at(&tried[0], 0x7, 2, 3)->value = 0;
	assert_equal_all(TRIALS, &level);
	shown_word_at(&tried[0], 0x7, 2, 3)->value = 1;
	prove(TRIALS, NULL);
	assert_of(only(), "CPUID 0x7/2 EDX bit 0", 0);
}

/* ---- who is odd */

static void assert_trials(const struct proof_difference *d, const char *wanted)
{
	const char *have = "";

	for (size_t i = 0; i < d->trial_count; i++)
		have = arena_format(&arena, "%s%zu", have, d->trials[i]);
	assert_string_equal(have, wanted);
}

static void the_smaller_group_is_named(void **state)
{
	(void)state;
	shown_turn(&tried[1], "adx", true);
	shown_turn(&tried[4], "adx", true);
	prove(5, NULL);
	assert_trials(only(), "14");
	assert_string_equal(proof.differences[0].feature, "adx");
	assert_string_equal(proof.differences[0].is, "1");
	assert_string_equal(proof.differences[0].wanted, "0");
	assert_false(proof.differences[0].of_level);
}

static void of_two_equal_groups_both_are_named(void **state)
{
	(void)state;
	shown_turn(&tried[1], "adx", true);
	prove(2, NULL);
	assert_int_equal(proof.count, 2);
	assert_trials(&proof.differences[0], "0");
	assert_trials(&proof.differences[1], "1");
}

/* With a level there is no doubt who is odd. */
static void the_level_decides_even_against_most(void **state)
{
	(void)state;
	for (size_t i = 1; i < 5; i++)
		shown_turn(&tried[i], "adx", true);
	prove(5, &level);
	assert_trials(only(), "1234");
	assert_true(proof.differences[0].of_level);
	for (size_t i = 0; i < 5; i++)
		assert_true(bitset_is_empty(&proof.lacks[i])); /* it is not lacking */
}

static size_t named(const char *what, const size_t *order, size_t trial)
{
	size_t count = 0;

	for (size_t i = 0; i < proof.count; i++)
		for (size_t t = 0; t < proof.differences[i].trial_count; t++)
			count += strcmp(proof.differences[i].what, what) == 0 &&
				 order[proof.differences[i].trials[t]] == trial;
	return count;
}

static void the_order_of_nodes_does_not_matter(void **state)
{
	static const char *const what = "CPUID 0x7/0 EBX bit 19";
	size_t order[TRIALS] = { 0, 1, 2, 3, 4 };

	(void)state;
	shown_turn(&tried[3], "adx", true);
	shown_turn(&tried[1], "rdseed", true);
	shown_property(&tried[2], "l3-cache")->value = "false";
	for (size_t round = 0; round < 50; round++) {
		size_t a = test_random(&seed) % TRIALS, b = test_random(&seed) % TRIALS;
		struct proof_trial t = trials[a];
		size_t place = order[a];

		trials[a] = trials[b];
		trials[b] = t;
		order[a] = order[b];
		order[b] = place;
		prove(TRIALS, round % 2 ? &level : NULL);
		assert_int_equal(proof.count, 3);
		assert_int_equal(named(what, order, 3), 1);
		assert_int_equal(named("l3-cache", order, 2), 1);
	}
}

static void a_guest_of_another_machine_type_is_another_guest(void **state)
{
	(void)state;
	tried[4].machine = "pc-i440fx-7.2";
	prove(TRIALS, &level);
	assert_of(only(), "machine type", 4);
	assert_string_equal(proof.differences[0].is, "pc-i440fx-7.2");
	assert_string_equal(proof.differences[0].wanted, "pc-i440fx-6.2");
}

/* ---- against the level */

static void a_feature_of_the_level_that_all_guests_lack_is_lacking_on_all(void **state)
{
	int aes = catalogue_find_row("aes");

	(void)state;
	for (size_t i = 0; i < TRIALS; i++)
		shown_turn(&tried[i], "aes", false);
	assert_equal_all(TRIALS, NULL);
	prove(TRIALS, &level);
	assert_trials(only(), "01234");
	assert_string_equal(proof.differences[0].feature, "aes");
	for (size_t i = 0; i < TRIALS; i++) {
		assert_int_equal(bitset_count(&proof.lacks[i]), 1);
		assert_true(bitset_has(&proof.lacks[i], (size_t)aes));
	}
}

static void a_promised_word_that_no_guest_has_is_missed(void **state)
{
	int bit = catalogue_find_row("avx512-bf16");

	(void)state;
	assert_true(bit >= 0);
	for (size_t i = 0; i < TRIALS; i++)
		for (size_t w = 0; w < tried[i].words.count; w++) {
			struct cpu_word *words = (struct cpu_word *)(uintptr_t)tried[i]
							 .words.item;

			if (words[w].function == 7 && words[w].index == 1)
				words[w] = words[--tried[i].words.count];
		}
	bitset_add(&level.baseline, (size_t)bit);
	prove(TRIALS, &level);
	assert_true(proof.count >= 1);
	assert_string_equal(proof.differences[0].feature, "avx512-bf16");
	assert_true(bitset_has(&proof.lacks[3], (size_t)bit));
}

static void what_qemu_took_away_is_named_once(void **state)
{
	(void)state;
	shown_filter(&tried[1], "aes");
	prove(TRIALS, &level);
	assert_of(only(), "CPUID 0x1/0 ECX bit 25", 1);
	assert_string_equal(proof.differences[0].is, "taken away by QEMU");
	prove(TRIALS, NULL);
	assert_of(only(), "CPUID 0x1/0 ECX bit 25", 1);
	assert_true(proof.differences[0].of_asked && !proof.differences[0].of_level);
	for (size_t i = 0; i < TRIALS; i++) /* and also where all agree on it */
		shown_filter(&tried[i], "aes");
	prove(TRIALS, NULL);
	assert_trials(only(), "01234");
}

static void features_of_msrs_are_seen_by_their_properties(void **state)
{
	(void)state;
	shown_turn(&tried[2], "rdctl-no", false);
	shown_turn(&tried[3], "mds-no", true);
	prove(TRIALS, &level);
	assert_int_equal(proof.count, 2);
	assert_of(&proof.differences[0], "mds-no", 3);
	assert_of(&proof.differences[1], "rdctl-no", 2);
	assert_true(proof.differences[1].of_level);
	assert_true(bitset_has(&proof.lacks[2], (size_t)catalogue_find_row("rdctl-no")));
}

static void the_width_of_addresses_is_the_levels(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRIALS; i++)
		shown_property(&tried[i], "phys-bits")->value = "40";
	prove(TRIALS, &level);
	assert_trials(only(), "01234");
	assert_string_equal(proof.differences[0].wanted, "46");
	assert_true(proof.differences[0].of_level);
}

/* ---- properties */

static void a_property_differs_and_is_no_feature(void **state)
{
	(void)state;
	shown_property(&tried[0], "l3-cache")->value = "false";
	prove(TRIALS, &level);
	assert_of(only(), "l3-cache", 0);
	assert_string_equal(proof.differences[0].feature, "");
}

static void a_property_that_one_qemu_has_and_its_like_has_not_differs(void **state)
{
	(void)state;
	shown_property(&tried[0], "wrapped")->value = "true";
	prove(TRIALS, &level);
	assert_of(only(), "wrapped", 0);
}

static void a_newer_qemu_has_more_properties_and_differs_in_none(void **state)
{
	(void)state;
	trials[0].qemu = 10000000;
	shown_property(&tried[0], "x-new")->value = "true";
	assert_equal_all(TRIALS, &level);
	assert_int_equal(proof.properties, tried[1].properties.count - 2);
}

static void what_was_taken_away_without_a_bit_of_its_own_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRIALS; i++)
		shown_property(&tried[i], "unavailable-features")
			->value = "[\"vmx-ept\"]";
	prove(TRIALS, NULL);
	assert_trials(only(), "01234");
	assert_string_equal(only()->wanted, "[]");
}

/* ---- libvirt's words */

static void a_live_cpu_that_states_otherwise_differs(void **state)
{
	(void)state;
	tried[3].cpu = "<cpu mode='custom'><model>Penryn</model><vendor>Intel</vendor>"
		       "<maxphysaddr mode='emulate' bits='46'/>"
		       "<feature policy='require' name='aes'/>"
		       "<feature policy='require' name='adx'/>"
		       "<feature policy='require' name='arch-capabilities'/>"
		       "<feature policy='require' name='rdctl-no'/></cpu>";
	prove(TRIALS, &level);
	assert_of(only(), "<cpu>", 3);
	assert_string_equal(proof.differences[0].feature, "adx");
	assert_string_equal(proof.differences[0].is, "required");
}

/* Whatever QEMU shows: libvirt will hold a guest that arrives to what it wrote down. */
static void a_feature_of_the_level_that_all_libvirts_turned_off_is_missed(void **state)
{
	(void)state;
	for (size_t i = 0; i < TRIALS; i++)
		tried[i].cpu = "<cpu mode='custom'><model>Penryn</model><vendor>Intel"
			       "</vendor><maxphysaddr mode='emulate' bits='46'/>"
			       "<feature policy='disable' name='aes'/>"
			       "<feature policy='require' name='arch-capabilities'/>"
			       "<feature policy='require' name='rdctl-no'/></cpu>";
	prove(TRIALS, &level);
	assert_trials(only(), "01234");
	assert_string_equal(proof.differences[0].feature, "aes");
	assert_string_equal(proof.differences[0].is, "disabled");
	assert_true(proof.differences[0].of_level);
	assert_true(bitset_has(&proof.lacks[2], (size_t)catalogue_find_row("aes")));
}

static void the_words_of_one_libvirt_are_equal_to_the_letter(void **state)
{
	(void)state;
	tried[3].cpu = arena_format(&arena, "%.*s  <topology sockets='2'/>\n</cpu>\n",
		(int)(strlen(xml) - strlen("</cpu>\n")), xml);
	prove(TRIALS, &level);
	assert_of(only(), "<cpu>", 3);
	assert_contains(proof.differences[0].is, "<topology");
	trials[3].libvirt = 11003000; /* of another it may be its way to say it */
	assert_equal_all(TRIALS, &level);
}

/* ---- what is not whole or not in order */

static void assert_refused(enum rc code, const char *why)
{
	assert_rc(proof_check(&tried[0], &e), code, &e);
	assert_contains(e.text, why);
	assert_rc(proof_make(catalogue, trials, TRIALS, &level, &arena, &proof, &e), code,
		&e);
}

static void a_guest_of_which_not_all_is_known_is_not_proven(void **state)
{
	(void)state;
	assert_rc(proof_check(&tried[0], &e), RC_OK, &e);
	tried[0].gap = "the monitor is silent";
	assert_refused(RC_TRIAL, "the monitor is silent");
	tried[0].gap = "";
	tried[0].words.count = 0;
	assert_refused(RC_TRIAL, "no word of CPUID");
	all_equal(NULL);
	tried[0].properties.count = 0;
	assert_refused(RC_TRIAL, "no property");
	all_equal(NULL);
	tried[0].cpu = "";
	assert_refused(RC_TRIAL, "no live <cpu>");
	all_equal(NULL);
	tried[0].machine = "";
	assert_refused(RC_TRIAL, "no machine type");
}

static void a_guest_that_is_told_of_in_no_order_is_refused(void **state)
{
	struct cpu_word *w = (struct cpu_word *)(uintptr_t)tried[0].words.item;

	(void)state;
	w->part = 4;
	assert_refused(RC_PROTOCOL, "has a register 4");
	w[0] = w[1];
	assert_refused(RC_PROTOCOL, "comes twice");
	all_equal(NULL);
	shown_property(&tried[0], "a b")->value = "true";
	assert_refused(RC_PROTOCOL, "has a property 'a b'");
	all_equal(NULL);
	tried[0].cpu = "<cpu><model>x</cpu>";
	assert_rc(proof_check(&tried[0], &e), RC_FACTS, &e);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, all_equal)
		TEST(equal_guests_that_have_the_level_differ_in_nothing),
		TEST(the_order_in_which_a_node_lists_them_means_nothing),
		TEST(the_frequency_of_the_tsc_is_the_nodes_own),
		TEST(kvms_own_leaf_is_told_and_is_no_difference),
		TEST(a_bit_that_one_guest_shows_otherwise_is_named_by_its_place),
		TEST(a_word_that_a_guest_has_not_is_zero),
		TEST(the_smaller_group_is_named),
		TEST(of_two_equal_groups_both_are_named),
		TEST(the_level_decides_even_against_most),
		TEST(the_order_of_nodes_does_not_matter),
		TEST(a_guest_of_another_machine_type_is_another_guest),
		TEST(a_feature_of_the_level_that_all_guests_lack_is_lacking_on_all),
		TEST(a_promised_word_that_no_guest_has_is_missed),
		TEST(what_qemu_took_away_is_named_once),
		TEST(features_of_msrs_are_seen_by_their_properties),
		TEST(the_width_of_addresses_is_the_levels),
		TEST(a_property_differs_and_is_no_feature),
		TEST(a_property_that_one_qemu_has_and_its_like_has_not_differs),
		TEST(a_newer_qemu_has_more_properties_and_differs_in_none),
		TEST(what_was_taken_away_without_a_bit_of_its_own_is_found),
		TEST(a_live_cpu_that_states_otherwise_differs),
		TEST(a_feature_of_the_level_that_all_libvirts_turned_off_is_missed),
		TEST(the_words_of_one_libvirt_are_equal_to_the_letter),
		TEST(a_guest_of_which_not_all_is_known_is_not_proven),
		TEST(a_guest_that_is_told_of_in_no_order_is_refused),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, forget);
}
