/* What is made of registers, as properties over random ones, and against what libvirt
 * offered on the machines of tests/cases. */
#include <dirent.h>

#include "coordinator/cpu/decode.h"
#include "coordinator/cpu/grants.h"
#include "coordinator/cpu/offer.h"
#include "proto/dump.h"
#include "tests/support/test.h"

enum { ROUNDS = 300, LEAVES_MAX = 64, MSRS_MAX = 64, KINDS = 3 };

static const struct leaf intel = { 0, 0, 32, 0x756e6547, 0x6c65746e, 0x49656e69 };
static const struct leaf amd = { 0, 0, 32, 0x68747541, 0x444d4163, 0x69746e65 };
static const struct leaf hygon = { 0, 0, 32, 0x6f677948, 0x656e6975, 0x6e65476e };

/* Kinds of CPU of one node: random bits in every register that the catalogue knows. */
struct node {
	struct leaf leaves[KINDS][LEAVES_MAX];
	struct msr msrs[KINDS][MSRS_MAX];
	struct register_set sets[KINDS];
	struct registers registers;
};

static uint32_t dense(uint64_t *seed)
{
	return test_random(seed) | test_random(seed);
}

static bool has_leaf(const struct register_set *set, const struct feature_row *row)
{
	const struct leaf *l = set->leaves.item;
	const struct msr *m = set->msrs.item;
	bool has = false;

	for (size_t i = 0; i < set->leaves.count; i++)
		has = has || (!row->is_msr && l[i].function == row->leaf &&
				     l[i].index == row->subleaf);
	for (size_t i = 0; i < set->msrs.count; i++)
		has = has || (row->is_msr && m[i].index == row->leaf);
	return has;
}

static void fill_set(
	struct node *n, size_t kind, const struct leaf *vendor, uint64_t *seed)
{
	struct register_set *set = &n->sets[kind];

	*set = (struct register_set){ "", { n->leaves[kind], 1 }, { n->msrs[kind], 0 } };
	n->leaves[kind][0] = *vendor;
	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const struct feature_row *row = catalogue_feature(NULL, i);

		if (has_leaf(set, row))
			continue;
		assert_true(set->leaves.count < LEAVES_MAX && set->msrs.count < MSRS_MAX);
		if (row->is_msr)
			n->msrs[kind][set->msrs.count++] = (struct msr){ row->leaf,
				(uint64_t)dense(seed) << 32 | dense(seed) };
		else
			n->leaves[kind][set->leaves.count++] = (struct leaf){ row->leaf,
				row->subleaf, dense(seed), dense(seed), dense(seed),
				dense(seed) };
	}
}

static void fill_node(struct node *n, uint64_t *seed)
{
	static const struct leaf *const vendors[] = { &intel, &amd, &hygon };
	const struct leaf *vendor = vendors[test_random(seed) % 3];

	for (size_t kind = 0; kind < KINDS; kind++)
		fill_set(n, kind, vendor, seed);
	n->registers.sets = (struct list){ n->sets, KINDS };
}

static void for_many_nodes(void (*check)(struct node *n))
{
	static struct node n;

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		uint64_t seed = i;

		fill_node(&n, &seed);
		check(&n);
	}
}

static struct bitset set_of(const char *const *names, size_t n)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < n; i++) {
		int bit = catalogue_find_row(names[i]);

		assert_true(bit >= 0);
		bitset_add(&s, (size_t)bit);
	}
	return s;
}

static bool holds(const struct bitset *s, const char *name)
{
	int bit = catalogue_find_row(name);

	assert_true(bit >= 0);
	return bitset_has(s, (size_t)bit);
}

static void assert_subset(const struct bitset *part, const struct bitset *whole)
{
	struct bitset extra = bitset_minus(part, whole);
	size_t bit = bitset_next(&extra, 0);

	if (bit < BITSET_BITS)
		fail_msg("%s is too much", catalogue_feature(NULL, bit)->name);
}

static struct bitset of_kvm(const struct registers *r, bool certainly_ioctl)
{
	return grants_of_kvm(&(struct kvm_view){ r, 0, certainly_ioctl, NULL });
}

static void check_kvm(struct node *n)
{
	static const char *const added[] = { "hypervisor", "tsc-deadline", "arat" };
	struct bitset kvm = decode_features(&n->registers);
	struct bitset some = set_of(added, 1), all = set_of(added, 3);
	struct bitset bare = of_kvm(&n->registers, false);
	struct bitset known = of_kvm(&n->registers, true);

	some = bitset_or(&some, &kvm);
	all = bitset_or(&all, &kvm);
	assert_subset(&bare, &some);
	assert_subset(&known, &all);
	assert_subset(&bare, &known);
}

static void nothing_is_made_of_kvm_but_its_answer_and_qemus_own(void **state)
{
	(void)state;
	for_many_nodes(check_kvm);
}

static void check_raw(struct node *n)
{
	struct bitset raw = decode_features(&n->registers);
	struct grants g = grants_of_raw(&n->registers);
	struct bitset both = bitset_and(&g.features, &g.floating);

	assert_subset(&g.features, &raw);
	assert_true(bitset_is_empty(&both));
	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		enum grant grant = grant_of(i, NULL);

		if (bitset_has(&g.features, i))
			assert_int_equal(grant, GRANT_AS_READ);
		if (bitset_has(&g.floating, i))
			assert_true(grant == GRANT_EMULATED ||
				    (grant == GRANT_HARMLESS && bitset_has(&raw, i)));
	}
}

static void nothing_is_made_of_raw_registers_but_what_kvm_passes_on(void **state)
{
	(void)state;
	for_many_nodes(check_raw);
}

static void check_fewer_kinds(struct node *n)
{
	struct registers fewer = { { n->sets, KINDS - 1 } };
	struct grants all = grants_of_raw(&n->registers), few = grants_of_raw(&fewer);
	struct bitset kvm_all = of_kvm(&n->registers, true);
	struct bitset kvm_few = of_kvm(&fewer, true);

	assert_subset(&all.features, &few.features);
	assert_subset(&all.floating, &few.floating);
	assert_subset(&kvm_all, &kvm_few);
}

static void another_kind_of_cpu_never_adds_a_feature(void **state)
{
	(void)state;
	for_many_nodes(check_fewer_kinds);
}

static void check_order(struct node *n)
{
	struct register_set turned[KINDS] = { n->sets[2], n->sets[0], n->sets[1] };
	struct registers other = { { turned, KINDS } };
	struct grants a = grants_of_raw(&n->registers), b = grants_of_raw(&other);
	struct bitset x = of_kvm(&n->registers, true), y = of_kvm(&other, true);

	assert_true(bitset_equals(&a.features, &b.features));
	assert_true(bitset_equals(&a.floating, &b.floating));
	assert_true(bitset_equals(&x, &y));
}

static void the_order_of_cpus_does_not_matter(void **state)
{
	(void)state;
	for_many_nodes(check_order);
}

static void whoever_holds_a_feature_back_has_a_reason(void **state)
{
	size_t held = 0;

	(void)state;
	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const char *reason;
		enum grant grant = grant_of(i, &reason);

		assert_int_equal(grant != GRANT_AS_READ, reason[0] != '\0');
		held += grant != GRANT_AS_READ;
	}
	assert_in_range(held, 60, catalogue_feature_rows());
	assert_int_equal(grant_of(BITSET_BITS - 1, NULL), GRANT_AS_READ);
}

static const struct {
	const char *feature;
	enum grant grant;
} examples[] = {
	{ "sse2", GRANT_AS_READ },
	{ "amx-tile", GRANT_AS_READ },
	{ "ht", GRANT_NEVER },
	{ "osxsave", GRANT_NEVER },
	{ "mbm_total", GRANT_NEVER },
	{ "split-lock-detect", GRANT_NEVER },
	{ "pdcm", GRANT_WITH_MORE },
	{ "waitpkg", GRANT_WITH_MORE },
	{ "sgx2", GRANT_WITH_MORE },
	{ "intel-pt-lip", GRANT_WITH_MORE },
	{ "vmx", GRANT_DEPENDS },
	{ "npt", GRANT_DEPENDS },
	{ "rdctl-no", GRANT_DEPENDS },
	{ "perfctr_core", GRANT_DEPENDS },
	{ "x2apic", GRANT_EMULATED },
	{ "topoext", GRANT_HARMLESS },
};

static void the_rules_know_these_features(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		int bit = catalogue_find_row(examples[i].feature);

		assert_true(bit >= 0);
		print_message("  %s\n", examples[i].feature);
		assert_int_equal(grant_of((size_t)bit, NULL), examples[i].grant);
	}
}

/* One CPU with every bit set, of a vendor and signature. */
static struct registers *everything(
	struct node *n, const struct leaf *vendor, uint32_t signature)
{
	uint64_t seed = 1;

	fill_set(n, 0, vendor, &seed);
	for (size_t i = 1; i < n->sets[0].leaves.count; i++) {
		struct leaf *l = &n->leaves[0][i];

		l->eax = l->ebx = l->ecx = l->edx = UINT32_MAX;
	}
	for (size_t i = 0; i < n->sets[0].msrs.count; i++)
		n->msrs[0][i].value = UINT64_MAX;
	for (size_t i = 1; i < n->sets[0].leaves.count; i++)
		if (n->leaves[0][i].function == 1)
			n->leaves[0][i].eax = signature;
	n->registers.sets = (struct list){ n->sets, 1 };
	return &n->registers;
}

static void broken_tsx_is_made_of_no_registers(void **state)
{
	static struct node n;
	struct registers *haswell = everything(&n, &intel, 0x306f2);
	struct bitset kvm = of_kvm(haswell, true);
	struct grants raw = grants_of_raw(haswell);

	(void)state;
	assert_false(holds(&kvm, "hle"));
	assert_false(holds(&kvm, "rtm"));
	assert_false(holds(&raw.features, "hle"));
	assert_false(holds(&raw.features, "rtm"));
	everything(&n, &intel, 0x406f1); /* Broadwell */
	kvm = of_kvm(&n.registers, true);
	raw = grants_of_raw(&n.registers);
	assert_true(holds(&kvm, "rtm"));
	assert_true(holds(&raw.features, "hle"));
}

static void arch_capabilities_need_their_msr(void **state)
{
	static struct node n;
	struct kvm_view view = { everything(&n, &amd, 0x870f10), 0, true, NULL };
	struct bitset s = grants_of_kvm(&view);

	(void)state;
	assert_true(holds(&s, "arch-capabilities"));
	view.qemu_version = 10001000; /* gives it to no AMD guest */
	s = grants_of_kvm(&view);
	assert_false(holds(&s, "arch-capabilities"));
	view.qemu_version = 10002000;
	n.leaves[0][0] = hygon;
	s = grants_of_kvm(&view);
	assert_false(holds(&s, "arch-capabilities"));
	n.leaves[0][0] = intel;
	s = grants_of_kvm(&view);
	assert_true(holds(&s, "arch-capabilities"));
	n.sets[0].msrs.count = 0;
	s = grants_of_kvm(&view);
	assert_false(holds(&s, "arch-capabilities"));
}

/* KVM says it on each Intel, also where the CPU has no such MSR. */
static void some_qemus_give_arch_capabilities_only_where_the_cpu_has_it(void **state)
{
	static const struct {
		uint64_t qemu;
		bool without; /* the CPU's own */
	} rows[] = {
		{ 0, true },
		{ 7002022, true },
		{ 10000002, true },
		{ 10000003, false },
		{ 10000005, false },
		{ 10000006, true },
		{ 10001000, false },
		{ 10002000, true },
	};
	static struct node n, old;
	struct kvm_view view = { everything(&n, &intel, 0x306c3), 0, true, NULL };

	(void)state;
	everything(&old, &intel, 0x306c3);
	for (size_t i = 1; i < old.sets[0].leaves.count; i++)
		if (old.leaves[0][i].function == 7)
			old.leaves[0][i].edx = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bitset s;

		view.qemu_version = rows[i].qemu;
		view.host = &n.registers;
		s = grants_of_kvm(&view);
		assert_true(holds(&s, "arch-capabilities"));
		view.host = &old.registers;
		s = grants_of_kvm(&view);
		assert_int_equal(holds(&s, "arch-capabilities"), rows[i].without);
		view.host = NULL;
		s = grants_of_kvm(&view);
		assert_int_equal(holds(&s, "arch-capabilities"), rows[i].without);
	}
}

/* What stands on nested virtualization is in MSRs that a raw dump may have. */
static void controls_of_vmx_are_made_of_no_raw_registers(void **state)
{
	(void)state;
	for (size_t i = 0; i < catalogue_feature_rows(); i++)
		if (strncmp(catalogue_feature(NULL, i)->name, "vmx", 3) == 0)
			assert_int_equal(grant_of(i, NULL), GRANT_DEPENDS);
}

/* SVM cannot emulate it, so an AMD without it has none to give. */
static void umip_floats_on_intel_or_where_the_cpu_has_it(void **state)
{
	static struct node n;
	struct grants g = grants_of_raw(everything(&n, &amd, 0x870f10));

	(void)state;
	assert_true(holds(&g.floating, "umip"));
	for (size_t i = 1; i < n.sets[0].leaves.count; i++)
		if (n.leaves[0][i].function == 7)
			n.leaves[0][i].ecx = 0;
	g = grants_of_raw(&n.registers);
	assert_false(holds(&g.floating, "umip"));
	assert_true(holds(&g.floating, "x2apic"));
	n.leaves[0][0] = intel;
	g = grants_of_raw(&n.registers);
	assert_true(holds(&g.floating, "umip"));
}

/* ---- against the machines of tests/cases, whose KVM, QEMU and libvirt were asked */

struct machine {
	struct arena arena;
	struct catalogue *catalogue;
	struct node_facts facts;
	struct offer asked, made;
};

static void make_again(struct machine *m, enum offer_source source)
{
	struct err e;

	for (enum body_id id = BODY_capabilities; id < BODY_COUNT; id++)
		m->facts.present[id] = false;
	if (source == OFFER_RAW) {
		m->facts.present[BODY_kvm] = false;
		m->facts.small.kernel = "";
		m->facts.small.libvirt_version = m->facts.small.hypervisor_version = 0;
	}
	assert_rc(offer_from_facts(m->catalogue, &m->facts, VIRT_KVM, source, &m->arena,
			  &m->made, &e),
		RC_OK, &e);
	assert_int_equal(m->made.source, source);
}

static void check_machine(const char *path)
{
	struct machine m = { 0 };
	struct err e;
	const char *text = test_read_file(&m.arena, path);
	/* On raw CPUID alone mpx is a guess (the kernel must save its state), and these are
	 * left out: for kvm.enable_pmu, for what KVM makes of the mitigations, and
	 * because SVM emulates no umip (tests/lab's KVM, shown a Hygon, does). */
	static const char *const guessed[] = { "mpx" };
	static const char *const unsure[] = { "perfctr_core", "arch-capabilities",
		"umip" };
	struct bitset more = set_of(guessed, 1), less = set_of(unsure, 3);

	print_message("  %s\n", path);
	m.catalogue = catalogue_new(&m.arena, &e);
	assert_rc(dump_read((struct bytes){ (const uint8_t *)text, strlen(text) }, path,
			  &m.arena, &m.facts, &e),
		RC_OK, &e);
	assert_rc(offer_from_facts(m.catalogue, &m.facts, VIRT_KVM, OFFER_LIBVIRT,
			  &m.arena, &m.asked, &e),
		RC_OK, &e);
	make_again(&m, OFFER_KVM);
	assert_subset(&m.made.features, &m.asked.features);
	assert_subset(&m.asked.features, &m.made.features);
	make_again(&m, OFFER_RAW);
	more = bitset_or(&more, &m.asked.features);
	assert_subset(&m.made.features, &more);
	less = bitset_or(&less, &m.made.features);
	less = bitset_or(&less, &m.made.floating);
	assert_subset(&m.asked.features, &less);
	arena_destroy(&m.arena);
}

static void what_is_made_is_what_libvirt_offered(void **state)
{
	static const char folder[] = TESTS_DIR "/cases/machines";
	struct arena arena = { 0 };
	DIR *d = opendir(folder);
	struct dirent *entry;

	(void)state;
	assert_non_null(d);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			check_machine(
				arena_format(&arena, "%s/%s", folder, entry->d_name));
	closedir(d);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_made_of_kvm_but_its_answer_and_qemus_own),
		cmocka_unit_test(nothing_is_made_of_raw_registers_but_what_kvm_passes_on),
		cmocka_unit_test(another_kind_of_cpu_never_adds_a_feature),
		cmocka_unit_test(the_order_of_cpus_does_not_matter),
		cmocka_unit_test(whoever_holds_a_feature_back_has_a_reason),
		cmocka_unit_test(the_rules_know_these_features),
		cmocka_unit_test(broken_tsx_is_made_of_no_registers),
		cmocka_unit_test(arch_capabilities_need_their_msr),
		cmocka_unit_test(
			some_qemus_give_arch_capabilities_only_where_the_cpu_has_it),
		cmocka_unit_test(controls_of_vmx_are_made_of_no_raw_registers),
		cmocka_unit_test(umip_floats_on_intel_or_where_the_cpu_has_it),
		cmocka_unit_test(what_is_made_is_what_libvirt_offered),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
