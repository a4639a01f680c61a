#include <stdio.h>

#include "proto/codec.h"
#include "proto/dump.h"
#include "proto/limits.h"
#include "tests/support/fill.h"
#include "tests/support/test.h"

static enum rc read_text(
	const char *text, struct arena *arena, struct node_facts *out, struct err *e)
{
	return dump_read((struct bytes){ (const uint8_t *)text, strlen(text) }, "n.facts",
		arena, out, e);
}

/* Facts with everything filled in; texts with and without a last newline. */
static struct node_facts random_facts(struct arena *arena, uint64_t *seed)
{
	struct node_facts f = { 0 };

	f.small = *(struct facts *)fill_record(arena, &record_facts, seed);
	f.small.bodies = (struct list){ 0 };
	for (enum body_id id = 0; id < BODY_COUNT; id++) {
		f.present[id] = true;
		if (body_rows[id].kind == BODY_KIND_registers)
			f.registers[id] = *(struct registers *)fill_record(
				arena, &record_registers, seed);
		else
			f.text[id] = arena_format(arena, "<a>\n\n  <b x='%u'/>\n</a>%s",
				test_random(seed), test_random(seed) & 1 ? "\n" : "");
	}
	return f;
}

static void facts_read_back_are_the_facts_written(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct arena arena = { 0 };
		struct buf first = buf_with_cap(LIMIT_DUMP_BYTES);
		struct buf second = buf_with_cap(LIMIT_DUMP_BYTES);
		struct node_facts in = random_facts(&arena, &seed), out;
		struct err e;

		assert_rc(dump_write(&first, &in, &e), RC_OK, &e);
		assert_rc(dump_read(buf_bytes(&first), "n", &arena, &out, &e), RC_OK, &e);
		assert_rc(dump_write(&second, &out, &e), RC_OK, &e);
		assert_int_equal(buf_bytes(&first).size, buf_bytes(&second).size);
		assert_memory_equal(buf_bytes(&first).data, buf_bytes(&second).data,
			buf_bytes(&first).size);
		for (enum body_id id = 0; id < BODY_COUNT; id++)
			if (body_rows[id].kind == BODY_KIND_text)
				assert_string_equal(in.text[id], out.text[id]);
		assert_true(in.small.libvirt_version == out.small.libvirt_version);
		assert_string_equal(in.small.cmdline, out.small.cmdline);
		buf_destroy(&first);
		buf_destroy(&second);
		arena_destroy(&arena);
	}
}

static void a_file_of_nothing_but_registers_is_a_dump(void **state)
{
	struct arena arena = { 0 };
	struct node_facts f;
	struct err e;
	const struct register_set *sets;

	(void)state;
	assert_rc(read_text("# comment\n\nsource host\ncpu 0\n"
			    "  cpuid 0x1 0x0 0x306c3 0 0x7ffafbff 0xbfebfbff\n"
			    "cpu 4\ncpuid 0x1 0x0 0x306c4 0 0 0\r\nmsr 0x10a "
			    "0xffffffffffffffff\n"
			    "source kvm\ncpuid 0 0 0x16 1 2 3",
			  &arena, &f, &e),
		RC_OK, &e);
	sets = f.registers[BODY_host].sets.item;
	assert_int_equal(f.registers[BODY_host].sets.count, 2);
	assert_string_equal(sets[1].cpus, "4");
	assert_true(((struct msr *)sets[1].msrs.item)->value == UINT64_MAX);
	assert_int_equal(((struct leaf *)sets[0].leaves.item)->edx, 0xbfebfbff);
	assert_int_equal(f.registers[BODY_kvm].sets.count, 1);
	assert_string_equal(facts_gap(&f.small, "domcaps_kvm"), "not in this dump");
	assert_null(facts_gap(&f.small, "host"));
	arena_destroy(&arena);
}

/* As `cpuid -r` prints it, with the few letters that awk takes away and adds. */
static void registers_before_any_source_are_the_hosts(void **state)
{
	struct node_facts f;
	struct arena arena = { 0 };
	struct err e;
	const struct register_set *sets;

	(void)state;
	assert_rc(read_text("cpu 0\n"
			    "cpuid    0x00000000 0x00  0x16 0x756e6547 0x6c65746e "
			    "0x49656e69\n"
			    "cpu 1\n"
			    "cpuid    0x00000000 0x00  0x16 0x756e6547 0x6c65746e "
			    "0x49656e69\n"
			    "source kvm\ncpuid 0 0 0x16 1 2 3",
			  &arena, &f, &e),
		RC_OK, &e);
	assert_true(f.present[BODY_host]);
	assert_true(f.present[BODY_kvm]);
	sets = f.registers[BODY_host].sets.item;
	assert_int_equal(f.registers[BODY_host].sets.count, 2);
	assert_string_equal(sets[1].cpus, "1");
	assert_int_equal(((struct leaf *)sets[1].leaves.item)->ebx, 0x756e6547);
	arena_destroy(&arena);
}

/* So many `cpu` lines, each with a leaf. */
static char *text_of_cpus(unsigned count, struct arena *arena)
{
	enum { LINES_BYTES = 40 };
	char *text = arena_alloc(arena, count + 1, LINES_BYTES), *at = text;

	assert_non_null(text);
	for (unsigned cpu = 0; cpu < count; cpu++)
		at += sprintf(at, "cpu %u\ncpuid 1 0 1 2 3 %u\n", cpu, cpu);
	return text;
}

/* As `cpuid -r` does; no two of its CPUs have one APIC id. */
static void a_file_may_list_each_cpu_of_a_large_machine(void **state)
{
	struct arena arena = { 0 };
	struct node_facts f;
	struct err e;

	(void)state;
	assert_rc(read_text(text_of_cpus(LIMIT_CPUS, &arena), &arena, &f, &e), RC_OK, &e);
	assert_int_equal(f.registers[BODY_host].sets.count, LIMIT_CPUS);
	assert_rc(read_text(text_of_cpus(LIMIT_CPUS + 1, &arena), &arena, &f, &e),
		RC_INPUT, &e);
	assert_non_null(strstr(e.text, "too many CPUs"));
	arena_destroy(&arena);
}

static void words_of_a_newer_version_are_skipped(void **state)
{
	struct arena arena = { 0 };
	struct node_facts f;
	struct err e;

	(void)state;
	assert_rc(
		read_text(
			"fact flux_capacitor 88\ntext later\n| <x/>\nfact hostname n1\n",
			&arena, &f, &e),
		RC_OK, &e);
	assert_string_equal(f.small.hostname, "n1");
	arena_destroy(&arena);
}

static const struct bad_dump {
	const char *text;
	const char *error;
} bad_dumps[] = {
	{ "fact cpus many\n", "n.facts:1: not a u32: many" },
	{ "fact tsc_scaling perhaps\n", "n.facts:1: neither yes nor no: perhaps" },
	{ "cpuid 1 2 3 4 5 6\nsource host\n", "n.facts:2: a second section" },
	{ "source host\ncpuid 1 2 3\n", "n.facts:2: cpuid needs" },
	{ "source host\ncpuid 1 2 3 4 5 6 7\n", "n.facts:2: cpuid has too many words" },
	{ "source host\ncpuid 1 2 3 4 5 -6\n", "n.facts:2: cpuid needs" },
	{ "source host\nmsr 0x10a\n", "n.facts:2: msr needs" },
	{ "cpuid 7 0 0 32 0 0\ncpuid 7 1 0 0 0 0\ncpuid 7 0 0 0 0 0\n",
		"n.facts:3: a second answer for one CPU" },
	{ "cpu 0\nmsr 0x10a 1\nmsr 0x10a 0\n", "n.facts:3: a second answer for one CPU" },
	{ "source host\nsource host\n", "n.facts:2: a second section" },
	{ "source moon\n", "n.facts:1: source is host, kvm or emulated, not: moon" },
	{ "gap\n", "n.facts:1: gap needs" },
	{ "parameter kvm\n", "n.facts:1: parameter needs" },
	{ "| lost\n", "n.facts:1: a line of text outside" },
	{ "text host\n", "n.facts:1: this body is registers: host" },
	{ "text capabilities\n| a\ntext capabilities\n", "n.facts:3: a second text" },
	{ "<cpudata arch='x86'>\n",
		"n.facts:1: no line of a dump begins with: <cpudata" },
};

/* Another CPU, another source; and Intel's leaf 2 is asked until it has said all. */
static void the_same_leaf_of_another_cpu_is_no_second_answer(void **state)
{
	struct arena arena = { 0 };
	struct node_facts f;
	struct err e;

	(void)state;
	assert_rc(read_text("cpu 0\ncpuid 7 0 0 32 0 0\ncpuid 7 0 0 32 0 0\n"
			    "cpuid 2 0 2 0 0 0\ncpuid 2 0 2 1 0 0\nmsr 0x10a 1\n"
			    "cpu 1\ncpuid 7 0 0 0 0 0\nmsr 0x10a 0\n"
			    "source kvm\ncpuid 7 0 0 8 0 0\nmsr 0x10a 2\n",
			  &arena, &f, &e),
		RC_OK, &e);
	arena_destroy(&arena);
}

static void a_bad_line_is_named_by_file_and_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_dumps) / sizeof(bad_dumps[0]); i++) {
		struct arena arena = { 0 };
		struct node_facts f;
		struct err e;

		assert_rc(read_text(bad_dumps[i].text, &arena, &f, &e), RC_INPUT, &e);
		assert_contains(e.text, bad_dumps[i].error);
		arena_destroy(&arena);
	}
}

/* A node's text must not be able to forge a line of its own dump. */
static void a_newline_in_a_fact_does_not_begin_a_line(void **state)
{
	struct arena arena = { 0 };
	struct buf text = buf_with_cap(LIMIT_DUMP_BYTES);
	uint64_t seed = 5;
	struct node_facts in = random_facts(&arena, &seed), out;
	struct err e;

	(void)state;
	in.small.cmdline = "quiet\nfact hostname evil";
	in.small.hostname = "good";
	assert_rc(dump_write(&text, &in, &e), RC_OK, &e);
	assert_rc(dump_read(buf_bytes(&text), "n", &arena, &out, &e), RC_OK, &e);
	assert_string_equal(out.small.hostname, "good");
	assert_string_equal(out.small.cmdline, "quiet?fact hostname evil");
	buf_destroy(&text);
	arena_destroy(&arena);
}

static void bodies_travel_as_the_same_bytes(void **state)
{
	struct arena arena = { 0 };
	uint64_t seed = 9;
	struct node_facts in = random_facts(&arena, &seed), out = { 0 };

	(void)state;
	for (enum body_id id = 0; id < BODY_COUNT; id++) {
		struct buf first = buf_with_cap(LIMIT_BODY_BYTES);
		struct buf second = buf_with_cap(LIMIT_BODY_BYTES);
		struct err e;

		assert_rc(facts_body_bytes(&in, id, &first, &e), RC_OK, &e);
		assert_rc(facts_put_body(&out, id, buf_bytes(&first), &arena, &e), RC_OK,
			&e);
		assert_true(out.present[id]);
		assert_rc(facts_body_bytes(&out, id, &second, &e), RC_OK, &e);
		assert_int_equal(buf_bytes(&first).size, buf_bytes(&second).size);
		assert_memory_equal(buf_bytes(&first).data, buf_bytes(&second).data,
			buf_bytes(&first).size);
		buf_destroy(&first);
		buf_destroy(&second);
	}
	arena_destroy(&arena);
}

/* What a killed ssh leaves is no node that knows less. */
static void a_text_that_is_cut_anywhere_is_refused(void **state)
{
	struct arena arena = { 0 };
	struct buf text = buf_with_cap(LIMIT_DUMP_BYTES);
	uint64_t seed = 5;
	struct node_facts in = random_facts(&arena, &seed), out;
	const size_t first = strlen(DUMP_FIRST_LINE);
	struct bytes whole;
	struct err e;

	(void)state;
	assert_rc(dump_write(&text, &in, &e), RC_OK, &e);
	whole = buf_bytes(&text);
	assert_rc(dump_read(whole, "n", &arena, &out, &e), RC_OK, &e);
	assert_true(out.ended);
	for (size_t size = first; size < whole.size - 1; size++) {
		struct arena one = { 0 };

		assert_int_equal(dump_read((struct bytes){ whole.data, size }, "n.facts",
					 &one, &out, &e),
			RC_INPUT);
		assert_contains(e.text, "n.facts:");
		arena_destroy(&one);
	}
	/* cut within the first line it says nothing of any node */
	for (size_t size = 0; size < first; size++) {
		assert_rc(dump_read((struct bytes){ whole.data, size }, "n", &arena, &out,
				  &e),
			RC_OK, &e);
		assert_false(out.ended);
		for (enum body_id id = 0; id < BODY_COUNT; id++)
			assert_false(out.present[id]);
	}
	buf_destroy(&text);
	arena_destroy(&arena);
}

static void nothing_stands_behind_the_end(void **state)
{
	struct arena arena = { 0 };
	struct node_facts f;
	struct err e;

	(void)state;
	assert_rc(read_text("source host\nend\n\n# well\n", &arena, &f, &e), RC_OK, &e);
	assert_rc(read_text("end\nsource host\n", &arena, &f, &e), RC_INPUT, &e);
	assert_contains(e.text, "n.facts:2: a line behind the end of the facts");
	assert_rc(read_text("end of it\n", &arena, &f, &e), RC_INPUT, &e);
	/* from before there was an end */
	assert_rc(read_text("# cpuherd facts 1\nfact kernel 6\n", &arena, &f, &e), RC_OK,
		&e);
	assert_false(f.ended);
	arena_destroy(&arena);
}

static void a_body_of_garbage_is_not_present(void **state)
{
	struct arena arena = { 0 };
	struct node_facts f = { 0 };
	struct err e;
	struct bytes garbage = { (const uint8_t *)"\x91\x91", 2 };
	struct bytes with_nul = { (const uint8_t *)"<a>\0</a>", 8 };

	(void)state;
	assert_rc(facts_put_body(&f, BODY_host, garbage, &arena, &e), RC_PROTOCOL, &e);
	assert_rc(facts_put_body(&f, BODY_capabilities, with_nul, &arena, &e),
		RC_PROTOCOL, &e);
	assert_false(f.present[BODY_host]);
	assert_false(f.present[BODY_capabilities]);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(facts_read_back_are_the_facts_written),
		cmocka_unit_test(a_file_of_nothing_but_registers_is_a_dump),
		cmocka_unit_test(registers_before_any_source_are_the_hosts),
		cmocka_unit_test(a_file_may_list_each_cpu_of_a_large_machine),
		cmocka_unit_test(words_of_a_newer_version_are_skipped),
		cmocka_unit_test(the_same_leaf_of_another_cpu_is_no_second_answer),
		cmocka_unit_test(a_bad_line_is_named_by_file_and_line),
		cmocka_unit_test(a_newline_in_a_fact_does_not_begin_a_line),
		cmocka_unit_test(bodies_travel_as_the_same_bytes),
		cmocka_unit_test(a_text_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(nothing_stands_behind_the_end),
		cmocka_unit_test(a_body_of_garbage_is_not_present),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
