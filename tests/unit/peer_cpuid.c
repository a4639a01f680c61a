#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "peer/cores.h"
#include "tests/support/test.h"

/* A machine is a table of answers; leaves that are absent read as zero. */
struct answer {
	uint32_t function, index, r[4];
};

struct machine {
	const struct answer *answers;
	size_t count;
	unsigned reads;
};

static void read_table(void *context, uint32_t function, uint32_t index, uint32_t r[4])
{
	struct machine *m = context;

	m->reads++;
	for (size_t i = 0; i < m->count; i++)
		if (m->answers[i].function == function && m->answers[i].index == index)
			memcpy(r, m->answers[i].r, 4 * sizeof(r[0]));
}

#define MACHINE(table) \
	{ \
		table, sizeof(table) / sizeof(table[0]), 0 \
	}

static struct list walk(struct machine *m, struct arena *arena)
{
	struct cpuid_reader reader = { read_table, m };
	struct list leaves = { 0 };
	struct err e;

	assert_rc(cpuid_walk(&reader, arena, &leaves, &e), RC_OK, &e);
	return leaves;
}

static const struct leaf *leaf_of(struct list leaves, uint32_t function, uint32_t index)
{
	const struct leaf *leaf = leaves.item;

	for (size_t i = 0; i < leaves.count; i++)
		if (leaf[i].function == function && leaf[i].index == index)
			return &leaf[i];
	return NULL;
}

static size_t indices_of(struct list leaves, uint32_t function)
{
	const struct leaf *leaf = leaves.item;
	size_t n = 0;

	for (size_t i = 0; i < leaves.count; i++)
		n += leaf[i].function == function;
	return n;
}

/* ---- which leaves */

static const struct answer intel[] = {
	{ 0, 0, { 0x20, 0x756e6547, 0x6c65746e, 0x49656e69 } },
	{ 1, 0, { 0x000306c3, 0x07100800, 0x7ffafbff, 0xbfebfbff } },
	{ 4, 0, { 0x121, 0, 0, 0 } },
	{ 4, 1, { 0x122, 0, 0, 0 } },
	{ 4, 2, { 0x143, 0, 0, 0 } },
	{ 6, 0, { 0x77, 2, 9, 0x00030001 } },
	{ 7, 0, { 2, 0x27ab, 0, 0 } },
	{ 7, 1, { 0x10, 0, 0, 0 } },
	{ 7, 2, { 0, 0, 0, 0x3f } },
	{ 7, 3, { 1, 1, 1, 1 } },
	{ 0xb, 0, { 1, 2, 0x100, 7 } },
	{ 0xb, 1, { 4, 8, 0x201, 7 } },
	{ 0xb, 2, { 0, 0, 2, 7 } },
	{ 0xd, 0, { 0x207, 832, 1088, 0 } },
	{ 0xd, 1, { 0xf, 832, 0x100, 0 } },
	{ 0xd, 2, { 256, 576, 0, 0 } },
	{ 0xd, 3, { 1, 1, 1, 1 } },
	{ 0xd, 8, { 128, 0, 1, 0 } },
	{ 0xd, 9, { 8, 2688, 0, 0 } },
	{ 0xf, 0, { 0, 55, 0, 2 } },
	{ 0xf, 1, { 0, 65536, 55, 7 } },
	{ 0x10, 0, { 0, 0xa, 0, 0 } },
	{ 0x10, 1, { 19, 0, 4, 15 } },
	{ 0x10, 2, { 1, 1, 1, 1 } },
	{ 0x10, 3, { 89, 0, 4, 7 } },
	{ 0x12, 0, { 3, 0, 0, 0x241f } },
	{ 0x12, 1, { 0x36, 0, 0x1f, 0 } },
	{ 0x12, 2, { 0x80000001, 0, 0x5d80001, 0 } },
	{ 0x14, 0, { 1, 0xf, 7, 0 } },
	{ 0x14, 1, { 0x2490002, 0x3fff1fff, 0, 0 } },
	{ 0x18, 0, { 2, 0, 0, 0 } },
	{ 0x18, 1, { 0, 0x40f, 1, 0x22 } },
	{ 0x18, 2, { 0, 0x80f, 1, 0x43 } },
	{ 0x1d, 0, { 1, 0, 0, 0 } },
	{ 0x1d, 1, { 0x4002000, 0x80040, 16, 0 } },
	{ 0x1f, 0, { 1, 2, 0x100, 7 } },
	{ 0x20, 0, { 1, 0, 0, 0 } },
	{ 0x40000000, 0, { 0x40000001, 1, 1, 1 } },
	{ 0x80000000, 0, { 0x80000008, 0, 0, 0 } },
	{ 0x80000008, 0, { 0x3027, 0, 0, 0 } },
};

static void each_leaf_is_read_with_the_sub_leaves_it_has(void **state)
{
	static const struct {
		uint32_t function;
		size_t indices;
	} expected[] = { { 4, 3 }, { 7, 3 }, { 0xb, 2 }, { 0xd, 5 }, { 0xf, 2 },
		{ 0x10, 3 }, { 0x12, 3 }, { 0x14, 2 }, { 0x17, 1 }, { 0x18, 3 },
		{ 0x1d, 2 }, { 0x1f, 1 }, { 0x20, 2 }, { 2, 1 }, { 0x21, 0 },
		{ 0x80000008, 1 }, { 0x80000009, 0 } };
	struct machine m = MACHINE(intel);
	struct arena arena = { 0 };
	struct list leaves = walk(&m, &arena);

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (indices_of(leaves, expected[i].function) != expected[i].indices)
			fail_msg("leaf 0x%x: %zu sub-leaves, not %zu",
				expected[i].function,
				indices_of(leaves, expected[i].function),
				expected[i].indices);
	assert_non_null(leaf_of(leaves, 0xd, 8)); /* of IA32_XSS */
	assert_non_null(leaf_of(leaves, 0xd, 9)); /* of XCR0 */
	assert_null(leaf_of(leaves, 0xd, 3));
	assert_null(leaf_of(leaves, 0x10, 2));
	arena_destroy(&arena);
}

static void hypervisor_leaves_are_read_under_a_hypervisor_only(void **state)
{
	struct answer guest[sizeof(intel) / sizeof(intel[0])];
	struct machine bare = MACHINE(intel), virtual = MACHINE(guest);
	struct arena arena = { 0 };

	(void)state;
	memcpy(guest, intel, sizeof(intel));
	guest[1].r[2] |= 0x80000000;
	assert_int_equal(indices_of(walk(&bare, &arena), 0x40000000), 0);
	assert_int_equal(indices_of(walk(&virtual, &arena), 0x40000000), 1);
	assert_int_equal(indices_of(walk(&virtual, &arena), 0x40000001), 1);
	arena_destroy(&arena);
}

static const struct answer amd[] = {
	{ 0, 0, { 0x10, 0x68747541, 0x444d4163, 0x69746e65 } },
	{ 1, 0, { 0x00a20f10, 0x05180800, 0x7ef8320b, 0x178bfbff } },
	{ 0x80000000, 0, { 0x80000026, 0x68747541, 0x444d4163, 0x69746e65 } },
	{ 0x8000001d, 0, { 0x4121, 0, 0, 0 } },
	{ 0x8000001d, 1, { 0x4122, 0, 0, 0 } },
	{ 0x8000001e, 0, { 0x15, 0x010a, 0x0103, 0 } },
	{ 0x80000020, 0, { 0, 0x2, 0, 0 } },
	{ 0x80000020, 1, { 11, 0, 0, 15 } },
	{ 0x80000026, 0, { 1, 2, 0x100, 0x15 } },
	{ 0x80000026, 1, { 4, 16, 0x201, 0x15 } },
};

static void amd_cache_and_topology_leaves_have_sub_leaves_too(void **state)
{
	struct machine m = MACHINE(amd);
	struct arena arena = { 0 };
	struct list leaves = walk(&m, &arena);

	(void)state;
	assert_int_equal(indices_of(leaves, 0x8000001d), 2);
	assert_int_equal(indices_of(leaves, 0x80000020), 2);
	assert_int_equal(indices_of(leaves, 0x80000026), 2);
	arena_destroy(&arena);
}

static void what_names_the_single_cpu_is_cleared_and_nothing_else(void **state)
{
	struct machine m = MACHINE(intel), n = MACHINE(amd);
	struct arena arena = { 0 };
	struct list i = walk(&m, &arena), a = walk(&n, &arena);

	(void)state;
	assert_int_equal(leaf_of(i, 1, 0)->ebx, 0x00100800);
	assert_int_equal(leaf_of(i, 6, 0)->edx, 0x0001);
	assert_int_equal(leaf_of(i, 0xb, 1)->edx, 0);
	assert_int_equal(leaf_of(i, 0xb, 1)->ecx, 0x201);
	assert_int_equal(leaf_of(i, 0x1f, 0)->edx, 0);
	assert_int_equal(leaf_of(a, 0x8000001e, 0)->eax, 0);
	assert_int_equal(leaf_of(a, 0x8000001e, 0)->ebx, 0x0100);
	assert_int_equal(leaf_of(a, 0x8000001e, 0)->ecx, 0x0100);
	assert_int_equal(leaf_of(a, 0x80000026, 1)->edx, 0);
	arena_destroy(&arena);
}

/* Every answer is the same nonsense. */
static void read_constant(void *context, uint32_t function, uint32_t index, uint32_t r[4])
{
	const uint32_t *value = context;

	(void)index;
	for (int k = 0; k < 4; k++)
		r[k] = *value;
	if ((function & 0xffff) == 0)
		r[0] = function + 0xff;
}

static void hostile_answers_end_and_stay_below_the_caps(void **state)
{
	static const uint32_t values[] = { 0xffffffff, 0x55555555, 0x01010101, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint32_t value = values[i];
		struct cpuid_reader reader = { read_constant, &value };
		struct arena arena = { 0 };
		struct list leaves;
		struct err e;

		assert_rc(cpuid_walk(&reader, &arena, &leaves, &e), RC_OK, &e);
		assert_true(leaves.count < LIMIT_LIST_ITEMS);
		arena_destroy(&arena);
	}
}

static void a_first_leaf_without_sense_is_refused_with_a_reason(void **state)
{
	static const struct answer table[] = { { 0, 0, { 0x80000000, 0, 0, 0 } } };
	struct machine m = MACHINE(table);
	struct cpuid_reader reader = { read_table, &m };
	struct arena arena = { 0 };
	struct list leaves;
	struct err e;

	(void)state;
	assert_rc(cpuid_walk(&reader, &arena, &leaves, &e), RC_FACTS, &e);
	assert_non_null(strstr(e.text, "leaf 0"));
	arena_destroy(&arena);
}

/* SDM: a leaf past the end answers like the highest basic leaf. */
static void ranges_that_echo_the_highest_basic_leaf_are_absent(void **state)
{
	static const struct answer table[] = {
		{ 0, 0, { 1, 1, 1, 1 } },
		{ 1, 0, { 0x6f2, 0, 0, 0 } },
		{ 0x80000000, 0, { 0x6f2, 0, 0, 0 } },
		{ 0xc0000000, 0, { 0x6f2, 0, 0, 0 } },
	};
	struct machine m = MACHINE(table);
	struct arena arena = { 0 };

	(void)state;
	assert_int_equal(walk(&m, &arena).count, 2);
	arena_destroy(&arena);
}

static void centaur_leaves_are_read_where_there_are_any(void **state)
{
	static const struct answer table[] = {
		{ 0, 0, { 1, 0x746e6543, 0x736c7561, 0x48727561 } },
		{ 0xc0000000, 0, { 0xc0000001, 0, 0, 0 } },
		{ 0xc0000001, 0, { 0, 0, 0, 0x3fcc } },
	};
	struct machine m = MACHINE(table);
	struct arena arena = { 0 };

	(void)state;
	assert_int_equal(leaf_of(walk(&m, &arena), 0xc0000001, 0)->edx, 0x3fcc);
	arena_destroy(&arena);
}

/* ---- lists of CPUs */

static void cpu_lists_read_back_as_written(void **state)
{
	static const struct {
		const char *in, *out;
		unsigned count;
	} cases[] = { { "0-3,8\n", "0-3,8", 5 }, { "", "", 0 }, { "7", "7", 1 },
		{ "8,0,1,3,2", "0-3,8", 5 }, { "1022-1026", "1022-1026", 5 },
		{ "8190,8191", "8190-8191", 2 }, { "0-8191", "0-8191", 8192 } };
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cpu_list list;

		assert_true(cpu_list_parse(&list, cases[i].in));
		assert_int_equal(cpu_list_count(&list), cases[i].count);
		assert_string_equal(cpu_list_text(&list, &arena), cases[i].out);
	}
	arena_destroy(&arena);
}

static void the_longest_cpu_list_fits(void **state)
{
	struct arena arena = { 0 };
	struct cpu_list list = { { 0 } }, back;

	(void)state;
	for (unsigned cpu = 0; cpu < LIMIT_CPUS; cpu++)
		if (cpu % 3 != 2)
			cpu_list_add(&list, cpu);
	assert_true(cpu_list_parse(&back, cpu_list_text(&list, &arena)));
	assert_memory_equal(&list, &back, sizeof(list));
	arena_destroy(&arena);
}

static void what_is_no_cpu_list_is_refused(void **state)
{
	static const char *const bad[] = { "x", "1-", "-1", "3-1", "1,,2", "1,", "8192",
		"0-8192", "99999999999999999999", "1 2", "0x1", "1-2-3" };
	struct cpu_list list;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cpu_list_parse(&list, bad[i]))
			fail_msg("\"%s\" was accepted", bad[i]);
}

/* ---- kinds of CPU in one machine: a hybrid with two kinds, an absent CPU */

struct hybrid {
	unsigned now;	      /* the CPU that the caller is on */
	unsigned first_small; /* CPUs from here on are of the other kind */
	unsigned away;	      /* this one cannot be moved to */
	bool all_differ;
};

static int move_to(void *context, unsigned cpu)
{
	struct hybrid *h = context;

	h->now = cpu;
	return cpu == h->away ? EINVAL : 0;
}

/* Leaf 0x1a: core type in EAX[31:24]; the APIC ids differ on each CPU. */
static void read_hybrid(void *context, uint32_t function, uint32_t index, uint32_t r[4])
{
	const struct hybrid *h = context;

	(void)index;
	if (function == 0)
		r[0] = 0x1a;
	if (function == 1)
		r[1] = h->now << 24;
	if (function == 1 && h->all_differ)
		r[0] = h->now;
	if (function == 0xb)
		r[3] = h->now;
	if (function == 0x1a)
		r[0] = h->now >= h->first_small ? 0x20000001 : 0x40000001;
}

static struct cores cores_of(struct hybrid *h, const char *online)
{
	struct cores cores = {
		.reader = { read_hybrid, h }, .move_to = move_to, .context = h
	};

	assert_true(cpu_list_parse(&cores.online, online));
	return cores;
}

static void equal_cpus_are_one_kind_and_a_hybrid_has_two(void **state)
{
	struct hybrid h = { .first_small = 1500, .away = 6 };
	struct cores cores = cores_of(&h, "0-3,6,1024,1500-1503");
	struct arena arena = { 0 };
	const struct register_set *set;
	struct registers out;
	struct cpu_list unread;
	int reason;
	struct err e;

	(void)state;
	assert_rc(cores_read(&cores, &arena, &out, &unread, &reason, &e), RC_OK, &e);
	assert_int_equal(out.sets.count, 2);
	set = out.sets.item;
	assert_string_equal(set[0].cpus, "0-3,1024");
	assert_string_equal(set[1].cpus, "1500-1503");
	assert_int_equal(leaf_of(set[0].leaves, 0x1a, 0)->eax, 0x40000001);
	assert_int_equal(leaf_of(set[1].leaves, 0x1a, 0)->eax, 0x20000001);
	assert_string_equal(cpu_list_text(&unread, &arena), "6");
	assert_int_equal(reason, EINVAL);
	arena_destroy(&arena);
}

static void more_kinds_than_the_cap_are_refused(void **state)
{
	struct hybrid h = { .all_differ = true, .away = LIMIT_CPUS };
	struct cores cores = cores_of(&h, "0-63");
	struct arena arena = { 0 };
	struct registers out;
	struct cpu_list unread;
	int reason;
	struct err e;

	(void)state;
	assert_rc(cores_read(&cores, &arena, &out, &unread, &reason, &e), RC_OK, &e);
	assert_int_equal(out.sets.count, LIMIT_CPU_KINDS);
	cpu_list_add(&cores.online, 64);
	assert_rc(cores_read(&cores, &arena, &out, &unread, &reason, &e), RC_LIMIT, &e);
	arena_destroy(&arena);
}

static void a_machine_where_no_cpu_can_be_run_on_says_why(void **state)
{
	struct hybrid h = { .away = 0 };
	struct cores cores = cores_of(&h, "0");
	struct arena arena = { 0 };
	struct registers out;
	struct cpu_list unread;
	int reason;
	struct err e;

	(void)state;
	assert_rc(cores_read(&cores, &arena, &out, &unread, &reason, &e), RC_FACTS, &e);
	assert_non_null(strstr(e.text, strerror(EINVAL)));
	arena_destroy(&arena);
}

/* The real machine: whatever it is, the affinity comes back. */
static void reading_this_machine_gives_the_affinity_back(void **state)
{
	struct arena arena = { 0 };
	struct cores_affinity *saved;
	cpu_set_t before, after;
	struct registers out;
	struct cpu_list unread;
	struct cores cores;
	struct err e;
	int reason;

	(void)state;
	if (cores_hardware(&cores, &e) != RC_OK)
		skip();
	sched_getaffinity(0, sizeof(before), &before);
	assert_rc(cores_affinity_save(&saved, &arena, &e), RC_OK, &e);
	assert_rc(cores_read(&cores, &arena, &out, &unread, &reason, &e), RC_OK, &e);
	cores_affinity_restore(saved);
	sched_getaffinity(0, sizeof(after), &after);
	assert_true(CPU_EQUAL(&before, &after));
	assert_true(out.sets.count >= 1);
	assert_int_equal(cpu_list_count(&cores.online), sysconf(_SC_NPROCESSORS_ONLN));
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(each_leaf_is_read_with_the_sub_leaves_it_has),
		cmocka_unit_test(hypervisor_leaves_are_read_under_a_hypervisor_only),
		cmocka_unit_test(amd_cache_and_topology_leaves_have_sub_leaves_too),
		cmocka_unit_test(what_names_the_single_cpu_is_cleared_and_nothing_else),
		cmocka_unit_test(hostile_answers_end_and_stay_below_the_caps),
		cmocka_unit_test(a_first_leaf_without_sense_is_refused_with_a_reason),
		cmocka_unit_test(ranges_that_echo_the_highest_basic_leaf_are_absent),
		cmocka_unit_test(centaur_leaves_are_read_where_there_are_any),
		cmocka_unit_test(cpu_lists_read_back_as_written),
		cmocka_unit_test(the_longest_cpu_list_fits),
		cmocka_unit_test(what_is_no_cpu_list_is_refused),
		cmocka_unit_test(equal_cpus_are_one_kind_and_a_hybrid_has_two),
		cmocka_unit_test(more_kinds_than_the_cap_are_refused),
		cmocka_unit_test(a_machine_where_no_cpu_can_be_run_on_says_why),
		cmocka_unit_test(reading_this_machine_gives_the_affinity_back),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
