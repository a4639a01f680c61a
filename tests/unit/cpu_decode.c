#include "coordinator/cpu/decode.h"
#include "tests/support/test.h"

/* A few bits each; the sub-leaves of 7 in an order that hides no mix-up. */
static struct leaf leaves[] = {
	{ 0, 0, 7, 0x756e6547, 0x6c65746e, 0x49656e69 },
	{ 1, 0, 0x000306f2, 0, 0x00000001 /* pni */, 0x06000000 /* sse sse2 */ },
	{ 7, 1, 0x00000020 /* avx512-bf16 */, 0, 0, 0 },
	{ 7, 0, 0, 0x00000020 /* avx2 */, 0, 0x20000000 /* arch-capabilities */ },
};
static struct msr msrs[] = { { 0x10a, 0x21 /* rdctl-no mds-no */ } };

static struct register_set set_of(struct leaf *l, size_t n)
{
	return (struct register_set){ "", { l, n }, { msrs, 1 } };
}

static bool holds(const struct bitset *s, const char *feature)
{
	int bit = catalogue_find_row(feature);

	assert_true(bit >= 0);
	return bitset_has(s, (size_t)bit);
}

static void bits_become_names(void **state)
{
	struct register_set set = set_of(leaves, 4);
	struct registers r = { { &set, 1 } };
	struct bitset s = decode_features(&r);

	(void)state;
	assert_int_equal(bitset_count(&s), 8);
	assert_true(holds(&s, "avx512-bf16"));
	assert_true(holds(&s, "pni"));
	assert_true(holds(&s, "sse"));
	assert_true(holds(&s, "sse2"));
	assert_true(holds(&s, "avx2"));
	assert_true(holds(&s, "arch-capabilities"));
	assert_true(holds(&s, "rdctl-no"));
	assert_true(holds(&s, "mds-no"));
}

static void every_row_is_found_in_its_own_register(void **state)
{
	(void)state;
	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const struct feature_row *row = catalogue_feature(NULL, i);
		uint32_t bits = (uint32_t)row->mask;
		struct leaf l = { row->leaf, row->subleaf,
			row->reg == REGISTER_EAX ? bits : 0,
			row->reg == REGISTER_EBX ? bits : 0,
			row->reg == REGISTER_ECX ? bits : 0,
			row->reg == REGISTER_EDX ? bits : 0 };
		struct msr m = { row->leaf, row->mask };
		struct register_set set = { "", { &l, !row->is_msr },
			{ &m, row->is_msr } };
		struct registers r = { { &set, 1 } };
		struct bitset s = decode_features(&r);

		if (!bitset_has(&s, i))
			fail_msg("%s is not decoded", row->name);
	}
}

static void a_feature_that_one_kind_of_cpu_lacks_is_not_the_nodes(void **state)
{
	struct leaf small[4];
	struct register_set sets[2];
	struct registers r = { { sets, 2 } };
	struct bitset s;

	(void)state;
	memcpy(small, leaves, sizeof(small));
	small[3].ebx = 0;
	sets[0] = set_of(leaves, 4);
	sets[1] = set_of(small, 4);
	s = decode_features(&r);
	assert_false(holds(&s, "avx2"));
	assert_true(holds(&s, "sse2"));
}

static void absent_leaves_and_no_registers_read_as_zero(void **state)
{
	struct register_set set = set_of(leaves, 2);
	struct registers r = { { &set, 1 } }, none = { { NULL, 0 } };
	struct bitset s = decode_features(&r);

	(void)state;
	assert_false(holds(&s, "avx2"));
	assert_true(holds(&s, "pni"));
	s = decode_features(&none);
	assert_true(bitset_is_empty(&s));
}

static void the_vendor_is_that_of_all_kinds(void **state)
{
	struct leaf other[4];
	struct register_set sets[2] = { set_of(leaves, 4), set_of(leaves, 4) };
	struct registers r = { { sets, 2 } };
	char vendor[VENDOR_STRING_MAX];

	(void)state;
	assert_true(decode_vendor_string(&r, vendor));
	assert_string_equal(vendor, "GenuineIntel");
	assert_string_equal(catalogue_vendor_name(vendor), "Intel");
	memcpy(other, leaves, sizeof(other));
	other[0].ecx = 0x444d4163;
	sets[1] = set_of(other, 4);
	assert_false(decode_vendor_string(&r, vendor));
	sets[1] = set_of(leaves + 1, 3);
	assert_false(decode_vendor_string(&r, vendor));
}

static const char *brand_of(struct arena *arena, struct leaf *l, size_t n)
{
	struct register_set set = set_of(l, n);
	struct registers r = { { &set, 1 } };
	const char *brand;
	struct err e;

	assert_rc(decode_brand(&r, arena, &brand, &e), RC_OK, &e);
	return brand;
}

/* Intel's CPUs show SYSCALL to 64-bit programs only. */
static void a_cpu_with_long_mode_has_syscall(void **state)
{
	static const struct {
		uint32_t edx;
		bool has;
	} rows[] = { { 1u << 29, true }, { 1u << 29 | 1u << 11, true },
		{ 1u << 11, true }, { 1u << 20, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct leaf l = { 0x80000001, 0, 0, 0, 0, rows[i].edx };
		struct register_set set = set_of(&l, 1);
		struct registers r = { { &set, 1 } };
		struct bitset s = decode_features(&r);

		assert_int_equal(holds(&s, "syscall"), rows[i].has);
	}
}

static const struct leaf intel = { 0, 0, 7, 0x756e6547, 0x6c65746e, 0x49656e69 };
static const struct leaf amd = { 0, 0, 7, 0x68747541, 0x444d4163, 0x69746e65 };

static void the_haswells_of_the_errata_have_broken_tsx(void **state)
{
	static const struct {
		const struct leaf *vendor;
		uint32_t eax;
		bool broken;
	} rows[] = {
		{ &intel, 0x000306c3, true },  /* 6/60: Haswell */
		{ &intel, 0x00040651, true },  /* 6/69: ULT */
		{ &intel, 0x00040661, true },  /* 6/70: with eDRAM */
		{ &intel, 0x000306f2, true },  /* 6/63 stepping 2: EP */
		{ &intel, 0x000306f4, false }, /* 6/63 stepping 4: EX */
		{ &intel, 0x000306d4, false }, /* 6/61: Broadwell */
		{ &amd, 0x000306c3, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct leaf l[] = { *rows[i].vendor, { 1, 0, rows[i].eax, 0, 0, 0 } };
		struct register_set sets[] = { set_of(leaves + 2, 1), set_of(l, 2) };
		struct register_set turned[] = { sets[1], sets[0] };
		struct registers r = { { sets, 2 } }, other = { { turned, 2 } };

		assert_int_equal(decode_has_broken_tsx(&r), rows[i].broken);
		assert_int_equal(decode_has_broken_tsx(&other), rows[i].broken);
	}
}

static void an_msr_counts_as_read_only_where_all_cpus_gave_it(void **state)
{
	struct register_set sets[] = { set_of(leaves, 4), set_of(leaves, 4) };
	struct registers r = { { sets, 2 } }, none = { { NULL, 0 } };

	(void)state;
	assert_true(decode_has_msr(&r, 0x10a));
	assert_false(decode_has_msr(&r, 0xcf));
	assert_false(decode_has_msr(&none, 0x10a));
	sets[1].msrs.count = 0;
	assert_false(decode_has_msr(&r, 0x10a));
}

static void a_brand_string_is_squeezed_and_printable(void **state)
{
	static const char text[49] = "  Intel(R)   Xeon\033(R) CPU @ 2.30GHz  ";
	struct leaf l[3];
	struct arena arena = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		l[i] = (struct leaf){ .function = 0x80000002 + i };
		memcpy(&l[i].eax, text + 16 * i, 16);
	}
	assert_string_equal(brand_of(&arena, l, 3), "Intel(R) Xeon?(R) CPU @ 2.30GHz");
	arena_destroy(&arena);
}

static void a_cpu_without_a_brand_is_called_by_its_signature(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_string_equal(
		brand_of(&arena, leaves, 4), "GenuineIntel family 6 model 63 stepping 2");
	assert_string_equal(brand_of(&arena, leaves, 1), "");
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_become_names),
		cmocka_unit_test(every_row_is_found_in_its_own_register),
		cmocka_unit_test(a_feature_that_one_kind_of_cpu_lacks_is_not_the_nodes),
		cmocka_unit_test(absent_leaves_and_no_registers_read_as_zero),
		cmocka_unit_test(the_vendor_is_that_of_all_kinds),
		cmocka_unit_test(a_cpu_with_long_mode_has_syscall),
		cmocka_unit_test(the_haswells_of_the_errata_have_broken_tsx),
		cmocka_unit_test(an_msr_counts_as_read_only_where_all_cpus_gave_it),
		cmocka_unit_test(a_brand_string_is_squeezed_and_printable),
		cmocka_unit_test(a_cpu_without_a_brand_is_called_by_its_signature),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
