/* What stands beside the features: made-up nodes that differ in one thing at a time, and
 * random ones for what must hold of all. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/conditions.h"
#include "tests/support/test.h"

enum { NODES_MAX = 6, LEAVES_MAX = 24, MSRS_MAX = 4, RANDOM_HERDS = 400 };

/* One node, with room for its registers. */
struct node {
	struct register_set kvm, host;
	struct leaf kvm_leaf[LEAVES_MAX], host_leaf[LEAVES_MAX];
	struct msr msr[MSRS_MAX];
	struct gap gap;
	struct parameter parameter;
};

static struct arena arena;
static struct catalogue *catalogue;
static struct node nodes[NODES_MAX];
static struct node_facts facts[NODES_MAX];
static struct offer offers[NODES_MAX];
static struct conditions herd;
static struct level level;
static struct err error;

static const char *const names[NODES_MAX] = { "n1", "n2", "n3", "n4", "n5", "n6" };

/* ---- making nodes */

static size_t bit_of(const char *feature)
{
	size_t bit;

	assert_rc(catalogue_learn(catalogue, feature, &bit, &error), RC_OK, &error);
	return bit;
}

static void offer_give(size_t node, const char *feature)
{
	bitset_add(&offers[node].features, bit_of(feature));
	bitset_add(&offers[node].kvm, bit_of(feature));
	bitset_add(&offers[node].names, bit_of(feature));
}

static void give_all(const char *feature)
{
	for (size_t i = 0; i < herd.count; i++)
		offer_give(i, feature);
}

static void put_leaf(struct register_set *set, uint32_t function, uint32_t index,
	uint32_t eax, uint32_t ebx)
{
	struct leaf *l = set->leaves.item;

	assert_true(set->leaves.count < LEAVES_MAX);
	l[set->leaves.count++] = (struct leaf){ function, index, eax, ebx, 0, 0 };
}

static void put_msr(size_t node, uint32_t index, uint64_t value)
{
	struct register_set *set = &nodes[node].kvm;

	assert_true(set->msrs.count < MSRS_MAX);
	nodes[node].msr[set->msrs.count++] = (struct msr){ index, value };
}

static void put_gap(size_t node, const char *fact)
{
	nodes[node].gap = (struct gap){ fact, "of a test" };
	facts[node].small.gaps = (struct list){ &nodes[node].gap, 1 };
}

static void put_capabilities(size_t node, const char *inside_cpu, const char *machines)
{
	facts[node].present[BODY_capabilities] = true;
	facts[node].text[BODY_capabilities] = arena_format(&arena,
		"<capabilities><host><cpu><arch>x86_64</arch>%s</cpu></host>"
		"<guest><os_type>hvm</os_type><arch name='i686'>"
		"<machine>pc-q35-99.0</machine></arch></guest>"
		"<guest><os_type>hvm</os_type><arch name='x86_64'>%s</arch></guest>"
		"</capabilities>",
		inside_cpu, machines);
}

/* XSAVE as an Intel server has it. */
static const uint32_t intel_layout[][3] = { { 2, 256, 576 }, { 3, 64, 960 },
	{ 4, 64, 1024 }, { 5, 64, 1088 }, { 6, 512, 1152 }, { 7, 1024, 1664 },
	{ 9, 8, 2688 } };

static void put_layout(struct register_set *set)
{
	for (size_t i = 0; i < sizeof(intel_layout) / sizeof(intel_layout[0]); i++)
		put_leaf(set, 0xd, intel_layout[i][0], intel_layout[i][1],
			intel_layout[i][2]);
}

static void move_component(struct register_set *set, uint32_t index, uint32_t offset)
{
	struct leaf *l = set->leaves.item;

	for (size_t i = 0; i < set->leaves.count; i++)
		if (l[i].function == 0xd && l[i].index == index)
			l[i].ebx = offset;
}

static void node_begin(size_t i)
{
	const struct model_row *m = catalogue_find_model("Skylake-Server");
	struct node *n = &nodes[i];

	*n = (struct node){ 0 };
	n->kvm.leaves.item = n->kvm_leaf;
	n->kvm.msrs.item = n->msr;
	n->host.leaves.item = n->host_leaf;
	facts_init(&facts[i]);
	facts[i].small.libvirt_version = 9000000;
	facts[i].small.hypervisor_version = 7002000;
	facts[i].small.tsc_khz = 2500000;
	facts[i].small.microcode = "0x1";
	facts[i].registers[BODY_kvm].sets = (struct list){ &n->kvm, 1 };
	facts[i].registers[BODY_host].sets = (struct list){ &n->host, 1 };
	put_leaf(&n->host, 1, 0, 0x50654, 0);
	put_leaf(&n->kvm, 0x80000008, 0, 0x302e, 0);
	put_layout(&n->kvm);
	put_layout(&n->host);
	put_capabilities(
		i, "", "<machine>pc-q35-7.2</machine><machine>pc-i440fx-7.2</machine>");
	offers[i] = (struct offer){ .node = names[i], .vendor = "Intel" };
	offers[i].features = feature_list_set(m->features);
	offers[i].kvm = offers[i].features;
	offers[i].models.item = arena_alloc(&arena, 1, sizeof(char *));
	offers[i].models.item[offers[i].models.count++] = m->name;
	offer_derive_names(&offers[i], 9000000, 7002000);
}

static void herd_begin(size_t count)
{
	arena_destroy(&arena);
	catalogue = catalogue_new(&arena, &error);
	assert_non_null(catalogue);
	for (size_t i = 0; i < NODES_MAX; i++)
		node_begin(i);
	herd = (struct conditions){ .catalogue = catalogue,
		.facts = facts,
		.offers = offers,
		.count = count,
		.virt = VIRT_KVM,
		.arena = &arena };
	level = (struct level){ 0 };
}

static int make_two(void **state)
{
	(void)state;
	herd_begin(2);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static void swap_nodes(size_t a, size_t b)
{
	struct node_facts f = facts[a];
	struct offer o = offers[a];

	facts[a] = facts[b];
	offers[a] = offers[b];
	facts[b] = f;
	offers[b] = o;
}

/* ---- judging them */

static enum rc choose_without(const char *excluded)
{
	struct wishes wishes = { .excluded = { { 0 } } };

	if (excluded)
		bitset_add(&wishes.excluded, bit_of(excluded));
	assert_rc(conditions_begin(&herd, &error), RC_OK, &error);
	return conditions_choose(&herd, &wishes, bitset_choose(NULL), &level, &error);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* " n1 n3", sorted. */
static const char *names_of(const bool *of)
{
	const char *list[NODES_MAX], *text = "";
	size_t count = 0;

	for (size_t i = 0; of && i < herd.count; i++)
		if (of[i])
			list[count++] = offers[i].node;
	if (count)
		qsort(list, count, sizeof(list[0]), by_text);
	for (size_t i = 0; i < count; i++)
		text = arena_format(&arena, "%s %s", text, list[i]);
	return text;
}

/* All remarks, a line each: "warning tsc: TEXT: n1 n2". */
static const char *remarks_text(void)
{
	const char *text = "";

	for (size_t i = 0; i < herd.remark_count; i++) {
		const struct condition_remark *m = &herd.remarks[i];

		text = arena_format(&arena, "%s%s %s: %s:%s\n", text,
			m->warning ? "warning" : "note", m->about, m->text,
			names_of(m->of));
	}
	return text;
}

static const char *judge(void)
{
	assert_rc(choose_without(NULL), RC_OK, &error);
	assert_rc(conditions_remark(&herd, &level, &error), RC_OK, &error);
	return remarks_text();
}

static bool has(const char *feature)
{
	return bitset_has(&level.baseline, bit_of(feature));
}

static void assert_silent(const char *text, const char *about)
{
	if (strstr(text, about))
		fail_msg("'%s' should not be spoken of:\n%s", about, text);
}

/* ---- maxphysaddr */

static void the_narrowest_cpu_of_a_node_counts(void **state)
{
	struct leaf wide = { 0x80000008, 0, 46, 0, 0, 0 };
	struct leaf narrow = { 0x80000008, 0, 39, 0, 0, 0 };
	struct register_set kinds[] = { { "0", { &wide, 1 }, { NULL, 0 } },
		{ "1", { &narrow, 1 }, { NULL, 0 } } };

	(void)state;
	facts[1].registers[BODY_host].sets = (struct list){ kinds, 2 };
	judge();
	assert_int_equal(level.maxphysaddr, 39);
}

static void equal_nodes_have_nothing_to_remark_but_machines(void **state)
{
	(void)state;
	assert_string_equal(judge(),
		"note machines: newest that all have: pc-q35-7.2, pc-i440fx-7.2:\n");
	assert_int_equal(level.maxphysaddr, 46);
}

static void the_smallest_width_that_anybody_says_wins(void **state)
{
	static const struct {
		uint32_t kvm_eax, host_eax, fact, capabilities, wanted;
	} rows[] = {
		{ 0x302e, 0, 0, 0, 46 },	     /* KVM alone */
		{ 0x3027, 0x302e, 46, 46, 39 },	     /* KVM's word is what a guest gets */
		{ 0x303430 + 4, 0x3034, 52, 0, 48 }, /* its page tables map 48 of 52 */
		{ 0x302e, 0x302e, 46, 43, 43 },	     /* memory encryption took three */
		{ 0, 0, 40, 0, 40 },		     /* only the fact is there */
		{ 0, 0x3026, 0, 0, 38 },	     /* only the CPU's own */
		{ 0, 0, 0, 0, 0 },		     /* nobody says */
		{ 0x3011, 0, 0, 0, 0 },		     /* 17 bits are no width */
		{ 0x3039, 0, 0, 0, 0 },		     /* nor are 57 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		herd_begin(2);
		nodes[1].kvm_leaf[0].eax = rows[i].kvm_eax;
		put_leaf(&nodes[1].host, 0x80000008, 0, rows[i].host_eax, 0);
		facts[1].small.physical_address_bits = rows[i].fact;
		put_capabilities(1,
			arena_format(&arena, "<maxphysaddr mode='emulate' bits='%u'/>",
				rows[i].capabilities),
			"");
		nodes[0].kvm_leaf[0].eax = 0x3034;
		judge();
		assert_int_equal(level.maxphysaddr, rows[i].wanted);
	}
}

static void a_width_that_cannot_be_stated_is_warned_of(void **state)
{
	(void)state;
	facts[1].small.libvirt_version = 8006000;
	assert_contains(judge(), "note maxphysaddr: libvirt is not known to be 8.7 or "
				 "newer, which can state it; "
				 "all nodes have 46 bits: n2\n");
	assert_int_equal(level.maxphysaddr, 0);
	nodes[0].kvm_leaf[0].eax = 0x3027;
	assert_contains(judge(), "warning maxphysaddr: libvirt is not known");
	assert_contains(judge(), "from 39 to 46 bits: n2\n");
	herd_begin(2);
	nodes[0].kvm_leaf[0].eax = 0;
	assert_contains(judge(), "warning maxphysaddr: the width");
	assert_contains(judge(), "own): n1\n");
	assert_int_equal(level.maxphysaddr, 0);
	herd.virt = VIRT_QEMU;
	assert_silent(judge(), "maxphysaddr");
}

static void the_node_that_narrows_addresses_is_named(void **state)
{
	(void)state;
	nodes[1].kvm_leaf[0].eax = 0x3024;
	assert_contains(judge(), "note maxphysaddr: 36 bits of physical addresses are "
				 "all that is here (elsewhere up to 46): a guest of the "
				 "level gets less than 64 GiB of memory, and q35 needs "
				 "32 GiB of that for PCI: n2\n");
	assert_int_equal(level.maxphysaddr, 36);
	herd.virt = VIRT_QEMU; /* TCG knows only its own 40 */
	judge();
	assert_int_equal(level.maxphysaddr, 0);
}

static void guest_bits_that_only_some_show_are_told(void **state)
{
	(void)state;
	facts[0].small.hypervisor_version = facts[1].small.hypervisor_version = 9001000;
	nodes[1].kvm_leaf[0].eax = 0x30302e;
	assert_contains(judge(), "note maxphysaddr: only here do KVM and QEMU fill in");
	nodes[0].kvm_leaf[0].eax = 0x30302e;
	assert_silent(judge(), "maxphysaddr");
	facts[0].small.hypervisor_version = 9000000;
	assert_contains(judge(), "EAX[23:16]");
}

/* ---- machine types */

#define M(name) "<machine maxCpus='255'>" name "</machine>"
#define ALIAS(name, of) "<machine canonical='" of "'>" name "</machine>"
#define OLD(name) "<machine deprecated='yes'>" name "</machine>"

static void the_newest_machine_of_all_is_found(void **state)
{
	static const struct {
		const char *first, *second, *q35, *i440fx, *says;
	} rows[] = {
		{ M("pc-q35-9.2") M("pc-q35-10.0") M("pc-i440fx-7.2"),
			M("pc-q35-10.0") M("pc-q35-9.2") M("pc-i440fx-7.2"),
			"pc-q35-10.0", "pc-i440fx-7.2", "newest that all have" },
		{ M("pc-q35-4.0.1") M("pc-q35-4.0") M("pc-q35-11.0"),
			M("pc-q35-4.0") M("pc-q35-4.0.1") M("pc-q35-11.1"),
			"pc-q35-4.0.1", NULL, "no version of pc-i440fx in common" },
		{ M("pc-q35-7.2") M("pc-i440fx-3.1"), M("pc-q35-7.2") M("pc-i440fx-3.1"),
			"pc-q35-7.2", "pc-i440fx-3.1",
			"is pc-i440fx-3.1; before 4.0 it changes" },
		{ M("pc-q35-7.2") M("pc-q35-6.0"), OLD("pc-q35-7.2") M("pc-q35-6.0"),
			"pc-q35-6.0", NULL, "newest that all have: pc-q35-6.0" },
		{ OLD("pc-q35-7.2") M("pc-q35-6.0"), M("pc-q35-7.2") M("pc-q35-6.0"),
			"pc-q35-6.0", NULL, "newest that all have: pc-q35-6.0" },
		{ M("pc-q35-7.2") M("pc-q35-6.0"), OLD("pc-q35-7.2") OLD("pc-q35-6.0"),
			"pc-q35-7.2", NULL,
			"pc-q35-7.2 is the newest that all nodes have, and deprecated "
			"here: a newer QEMU will not run it: n2\n" },
		{ M("pc-q35-rhel9.2.0") M("pc-q35-rhel8.6.0"),
			M("pc-q35-rhel9.2.0") M("pc-q35-rhel8.6.0"), "pc-q35-rhel9.2.0",
			NULL, "" },
		{ M("pc-q35-noble") M("pc-q35-8.2") M("pc-q35-rhel9.2.0"),
			M("pc-q35-noble") M("pc-q35-8.2") M("pc-q35-rhel9.2.0"),
			"pc-q35-8.2", NULL, "" },
		{ M("pc-q35-8.2.") M("pc-q35-8.2.0.1") M("pc-q35-") M("pc-q35-5.0"),
			M("pc-q35-8.2.") M("pc-q35-8.2.0.1") M("pc-q35-") M("pc-q35-5.0"),
			"pc-q35-5.0", NULL, "" },
		{ M("pc-q35-7.2") M("pc-q35-8.2+x"), M("pc-q35-7.2") M("pc-q35-8.2+x"),
			"pc-q35-7.2", NULL, "" },
		{ M("pc-q35-7.2") ALIAS("q35", "pc-q35-7.2"),
			M("pc-q35-7.2") M("pc-q35-9.0") ALIAS("q35", "pc-q35-9.0"),
			"pc-q35-7.2", NULL,
			"'q35' means pc-q35-9.0 here and another elsewhere: name the "
			"version in guests: n2\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *said;

		herd_begin(2);
		put_capabilities(0, "", rows[i].first);
		put_capabilities(1, "", rows[i].second);
		said = judge();
		assert_contains(said, rows[i].says);
		assert_string_equal(herd.machines[MACHINE_Q35], rows[i].q35);
		if (rows[i].i440fx)
			assert_string_equal(
				herd.machines[MACHINE_I440FX], rows[i].i440fx);
		else
			assert_null(herd.machines[MACHINE_I440FX]);
	}
}

static void an_alias_with_one_meaning_needs_no_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		put_capabilities(i, "", M("pc-q35-7.2") ALIAS("q35", "pc-q35-7.2"));
	assert_silent(judge(), "'q35' means");
}

static void machines_that_nobody_told_are_unknown_not_common(void **state)
{
	(void)state;
	facts[1].present[BODY_capabilities] = false;
	assert_contains(judge(),
		"note facts: not known here, and so not judged: machine types: n2\n");
	put_capabilities(1, "", "");
	facts[1].text[BODY_capabilities] = "<capabilities>";
	assert_contains(judge(),
		"note facts: not known here, and so not judged: machine types: n2\n");
	facts[0].present[BODY_capabilities] = false;
	assert_contains(judge(),
		"note facts: not known here, and so not judged: machine types: n1 n2\n");
	assert_null(herd.machines[MACHINE_Q35]);
}

/* Three lines that say the same of the same nodes hide a fourth that matters. */
static void what_is_missing_of_the_same_nodes_makes_one_note(void **state)
{
	(void)state;
	herd_begin(2);
	for (size_t i = 0; i < 2; i++) {
		facts[i].present[BODY_capabilities] = false;
		facts[i].small.microcode = "";
	}
	assert_contains(judge(), "note facts: not known here, and so not judged: machine "
				 "types, microcode revision: n1 n2\n");
	facts[0].small.tsc_khz = 0;
	assert_contains(judge(), "machine types, microcode revision: n1 n2\n");
	assert_contains(judge(), "not judged: TSC frequency: n1\n");
}

/* ---- TSC */

static void time_stamp_counters_apart_are_warned_of(void **state)
{
	static const struct {
		uint32_t khz;
		bool scaling, other_scaling;
		const char *says;
	} rows[] = {
		{ 2500000, false, false, NULL },
		{ 2500625, false, false, NULL }, /* 250 ppm */
		{ 2500626, false, false, "warning tsc: frequencies differ" },
		{ 2400000, false, false,
			"ppm and KVM cannot scale here: the rate changes "
			"under a guest that moves in: n1 n2\n"
			"note tsc: 2400.0 MHz: n2\n"
			"note tsc: 2500.0 MHz: n1\n" },
		{ 2400000, true, false, "moves in: n1\n" },
		{ 2400000, true, true, NULL },
		{ 0, false, false, "and so not judged: TSC frequency: n2\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		herd_begin(2);
		facts[1].small.tsc_khz = rows[i].khz;
		facts[1].small.tsc_scaling = rows[i].scaling;
		facts[0].small.tsc_scaling = rows[i].other_scaling;
		if (rows[i].says)
			assert_contains(judge(), rows[i].says);
		else
			assert_silent(judge(), "tsc");
		herd.virt = VIRT_QEMU;
		assert_silent(judge(), "tsc");
	}
}

/* ---- XSAVE */

static void state_that_lies_elsewhere_takes_its_features_along(void **state)
{
	(void)state;
	give_all("pku");
	move_component(&nodes[1].kvm, 9, 2432);
	assert_contains(judge(), "warning xsave: pku and what needs it left the level");
	assert_contains(judge(),
		"note xsave: the state of pku is at byte 2432 of XSAVE's "
		"area: n2\n");
	assert_false(has("pku"));
	assert_true(has("avx512f"));
	move_component(&nodes[1].kvm, 6, 1088);
	judge();
	assert_false(has("avx512f"));
	assert_false(has("avx512vl"));
	assert_true(has("avx2"));
}

/* Each component alone takes all that lives in it, and nothing else. */
static void each_component_has_its_features(void **state)
{
	static const struct {
		uint32_t index;
		const char *gone, *stays;
	} rows[] = {
		{ 2, "avx", "pku" },
		{ 2, "fma", "amx-tile" },
		{ 2, "avx10", "mpx" },
		{ 3, "mpx", "avx" },
		{ 4, "mpx", "avx512f" },
		{ 5, "avx512f", "avx2" },
		{ 6, "avx10", "avx2" },
		{ 7, "avx512vl", "avx2" },
		{ 9, "pku", "avx" },
		{ 17, "amx-tile", "avx512f" },
		{ 18, "amx-bf16", "avx512f" },
		{ 19, "apxf", "amx-tile" },
	};
	static const char *const more[] = { "pku", "mpx", "avx10", "avx10-128",
		"amx-tile", "amx-bf16", "apxf" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		herd_begin(2);
		for (size_t k = 0; k < sizeof(more) / sizeof(more[0]); k++)
			give_all(more[k]);
		for (size_t n = 0; n < 2; n++) {
			put_leaf(&nodes[n].kvm, 0xd, 17, 64, 2752);
			put_leaf(&nodes[n].kvm, 0xd, 18, 8192, 2816);
			put_leaf(&nodes[n].kvm, 0xd, 19, 128, 960);
		}
		judge();
		assert_true(has(rows[i].gone));
		move_component(&nodes[1].kvm, rows[i].index, 3000);
		print_message("  %u\n", rows[i].index);
		judge();
		assert_false(has(rows[i].gone));
		assert_true(has(rows[i].stays));
	}
}

/* What somebody took out is no news. */
static void a_layout_that_nobody_uses_is_not_remarked_on(void **state)
{
	struct wishes wishes = { .voted = { { 0 } } };

	(void)state;
	give_all("pku");
	move_component(&nodes[1].kvm, 9, 2432);
	bitset_add(&wishes.voted, bit_of("pku"));
	assert_rc(conditions_begin(&herd, &error), RC_OK, &error);
	assert_rc(conditions_choose(&herd, &wishes, bitset_choose(NULL), &level, &error),
		RC_OK, &error);
	assert_rc(conditions_remark(&herd, &level, &error), RC_OK, &error);
	assert_silent(remarks_text(), "xsave");
}

static void equal_layouts_keep_all_and_tell_the_size(void **state)
{
	(void)state;
	give_all("pku");
	assert_silent(judge(), "xsave");
	assert_true(has("pku") && has("avx512f"));
	assert_int_equal(level.xsave_bytes, 2688 + 8);
	assert_rc(choose_without("pku"), RC_OK, &error);
	assert_int_equal(level.xsave_bytes, 1664 + 1024);
	assert_rc(choose_without("xsave"), RC_OK, &error);
	assert_int_equal(level.xsave_bytes, 0);
	move_component(&nodes[1].kvm, 9, 2432);
	herd.virt = VIRT_QEMU; /* TCG's layout is its own */
	assert_silent(judge(), "xsave");
	assert_true(has("pku"));
	herd.virt = VIRT_KVM;
	herd.count = 1;
	assert_silent(judge(), "xsave");
	assert_true(has("pku"));
}

static void the_cpu_speaks_where_kvm_is_silent_about_a_layout(void **state)
{
	(void)state;
	nodes[1].kvm.leaves.count = 1;
	assert_silent(judge(), "xsave");
	move_component(&nodes[1].host, 6, 1088);
	judge();
	assert_false(has("avx512f"));
	nodes[1].host.leaves.count = 1; /* KVM's list is there and stops short */
	assert_contains(
		judge(), "where XSAVE keeps the state of avx is not known here: n2\n");
	assert_false(has("avx") || has("avx2") || has("fma") || has("avx512f"));
	assert_true(has("xsave"));
}

static void saved_registers_without_layout_are_warned_of(void **state)
{
	(void)state;
	nodes[1].host.leaves.count = 1;
	facts[1].registers[BODY_kvm].sets.count = 0;
	assert_contains(judge(),
		"warning xsave: the saved registers do not say where XSAVE "
		"keeps the state of avx; it stays in the level unproven: n2\n");
	assert_true(has("avx"));
	facts[1].registers[BODY_host].sets.count = 0;
	judge();
	assert_false(has("avx"));
	swap_nodes(0, 1);
	herd.count = 1; /* nobody to differ from */
	assert_silent(judge(), "xsave");
	assert_true(has("avx"));
}

/* A file with a CPU for each core: none lists the leaf, or not all do. */
static void saved_registers_of_many_cpus_are_warned_of_the_same(void **state)
{
	struct register_set cpus[2] = { nodes[1].host, nodes[1].host };

	(void)state;
	facts[1].registers[BODY_kvm].sets.count = 0;
	facts[1].registers[BODY_host].sets = (struct list){ cpus, 2 };
	assert_silent(judge(), "xsave");
	cpus[1].leaves.count = 1;
	assert_contains(judge(), "avx; it stays in the level unproven: n2\n");
	assert_true(has("avx"));
	move_component(&nodes[0].kvm, 2, 640); /* what is listed counts */
	judge();
	assert_false(has("avx"));
	cpus[0].leaves.count = 1;
	assert_contains(judge(), "avx; it stays in the level unproven: n2\n");
	assert_true(has("avx"));
}

static void saved_registers_that_differ_are_unknown(void **state)
{
	struct register_set cpus[3];
	struct leaf moved[LEAVES_MAX];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		cpus[i] = nodes[1].host;
	facts[1].registers[BODY_kvm].sets.count = 0;
	facts[1].registers[BODY_host].sets = (struct list){ cpus, 3 };
	memcpy(moved, nodes[1].host_leaf, sizeof(moved));
	cpus[2].leaves.item = moved;
	move_component(&cpus[2], 6, 1088);
	cpus[1].leaves.count = 1;
	assert_contains(judge(),
		"where XSAVE keeps the state of avx512f is not known here: n2\n");
	assert_false(has("avx512f"));
	assert_true(has("avx"));
	swap_nodes(0, 1);
	judge();
	assert_false(has("avx512f"));
}

/* ---- nested */

static void vmx_stays_only_where_its_controls_are_proven_equal(void **state)
{
	static const struct {
		uint64_t first, second; /* of MSR 0x485; 0: absent */
		const char *gap;
		bool named_by_first, named_by_second, stays;
	} rows[] = {
		{ 0, 0, NULL, false, false, true },
		{ 5, 5, NULL, false, false, true },
		{ 5, 6, NULL, false, false, false },
		{ 5, 0, NULL, false, false, false },
		{ 0, 0, "kvm", false, false, false },
		{ 5, 5, "kvm_msrs", false, false, false },
		{ 5, 6, NULL, true, false, false },
		{ 5, 6, NULL, true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *said;

		herd_begin(2);
		give_all("vmx");
		if (rows[i].first)
			put_msr(0, 0x485, rows[i].first);
		if (rows[i].second)
			put_msr(1, 0x485, rows[i].second);
		if (rows[i].gap)
			put_gap(1, rows[i].gap);
		/* older catalogues have no such row, so no libvirt knows the name */
		for (size_t n = 0; n < 2; n++)
			bitset_remove(&offers[n].names, bit_of("vmx-ept"));
		if (rows[i].named_by_first)
			offer_give(0, "vmx-ept");
		if (rows[i].named_by_second)
			offer_give(1, "vmx-ept");
		said = judge();
		assert_int_equal(has("vmx"), rows[i].stays);
		if (rows[i].stays)
			assert_silent(said, "left the level");
		else
			assert_contains(said, "warning nested: vmx left the level");
	}
}

static void unnamed_controls_need_one_qemu(void **state)
{
	(void)state;
	give_all("vmx");
	facts[1].small.hypervisor_version = 7002022;
	assert_contains(judge(), "note nested: the level cannot name");
	assert_true(has("vmx"));
	facts[1].small.hypervisor_version = 8000000;
	assert_contains(
		judge(), "and QEMU are not proven to be equal on all nodes: n1 n2");
	assert_false(has("vmx"));
}

static void vmx_of_one_node_or_of_tcg_needs_no_proof(void **state)
{
	(void)state;
	give_all("vmx");
	put_msr(0, 0x485, 5);
	herd.virt = VIRT_QEMU;
	judge();
	assert_true(has("vmx"));
	herd.virt = VIRT_KVM;
	herd.count = 1;
	put_gap(0, "kvm_msrs");
	judge();
	assert_true(has("vmx"));
}

static void nesting_that_differs_is_told(void **state)
{
	(void)state;
	offer_give(0, "vmx");
	assert_contains(judge(),
		"note nested: no vmx here, so no guest of the level can run "
		"guests: n2\n");
	for (size_t i = 0; i < 2; i++) {
		nodes[i].parameter = (struct parameter){ "kvm_intel", "nested",
			i ? "N" : "1" };
		facts[i].small.parameters = (struct list){ &nodes[i].parameter, 1 };
	}
	assert_contains(judge(), "'nested' is off here and on elsewhere: n2\n");
	nodes[1].parameter.value = "Y";
	assert_silent(judge(), "parameter");
}

/* ---- microcode */

static void one_cpu_with_two_microcodes_is_told(void **state)
{
	(void)state;
	herd_begin(3);
	facts[2].small.microcode = "0x2";
	nodes[1].host_leaf[0].eax = 0x306f2;
	assert_contains(judge(), "note microcode: CPU 0x50654 has revision 0x1 here and "
				 "another elsewhere: their features may drift apart: n1\n"
				 "note microcode: CPU 0x50654 has revision 0x2 here");
	assert_silent(judge(), "306f2");
	facts[1].small.microcode = "";
	assert_contains(judge(), "not judged: microcode revision: n2\n");
}

/* ---- mitigations */

static void a_lost_mitigation_is_told_with_its_nodes(void **state)
{
	const char *said;

	(void)state;
	offer_give(0, "spec-ctrl");
	offer_give(0, "md-clear");
	said = judge();
	assert_contains(said,
		"warning mitigations: lost, not offered here: spec-ctrl (IBRS and IBPB "
		"against Spectre v2), md-clear (MDS: buffers can be cleared); newer "
		"microcode or kernel may bring it: n2\n");
	herd.floor = FLOOR_IGNORE;
	assert_silent(judge(), "mitigations");
	herd.floor = FLOOR_REQUIRE;
	assert_rc(choose_without(NULL), RC_LEVEL, &error);
	assert_contains(error.text, "spec-ctrl (not on n2), md-clear (not on n2)");
	assert_contains(error.text, "--mitigations warn");
	offer_give(1, "spec-ctrl");
	offer_give(1, "md-clear");
	assert_rc(choose_without(NULL), RC_OK, &error);
	assert_rc(choose_without("md-clear"), RC_LEVEL, &error);
	assert_contains(error.text, "md-clear (taken out)");
	herd.floor = FLOOR_WARN;
	assert_rc(choose_without("md-clear"), RC_OK, &error);
	assert_rc(conditions_remark(&herd, &level, &error), RC_OK, &error);
	assert_contains(remarks_text(),
		"warning mitigations: all nodes offer them, and the "
		"level was made without: md-clear");
}

static void a_name_that_is_not_known_is_not_called_absent(void **state)
{
	(void)state;
	offer_give(0, "rfds-no"); /* a bit of an MSR, named by newer libvirts */
	bitset_remove(&offers[1].names, bit_of("rfds-no"));
	assert_contains(judge(), "lost, not offered here: rfds-no");
	put_gap(1, "kvm_msrs");
	assert_contains(judge(), "warning mitigations: lost; the node may have them, but "
				 "libvirt here is not known to know the names: rfds-no");
	assert_silent(judge(), "lost, not offered here");
	offer_give(0, "ssbd");
	bitset_add(&offers[1].names, bit_of("ssbd"));
	assert_contains(judge(),
		"lost, not offered here: ssbd (Speculative Store Bypass); newer "
		"microcode or kernel may bring it: "
		"n2\n");
	/* KVM's registers say that the node has it, its libvirt has never heard of it */
	bitset_remove(&offers[1].names, bit_of("ssbd"));
	assert_contains(judge(), "lost, not offered here: ssbd");
	bitset_add(&offers[1].kvm, bit_of("ssbd"));
	assert_silent(judge(), "lost, not offered here");
	offers[1].kvm = (struct bitset){ { 0 } }; /* they could not be read */
	assert_silent(judge(), "lost, not offered here");
}

/* ---- what must hold of all */

static size_t below(uint64_t *seed, size_t n)
{
	return test_random(seed) % n;
}

/* Differences of every kind, often several at once. */
static void make_random(uint64_t *seed)
{
	static const char *const features[] = { "pku", "vmx", "spec-ctrl", "ssbd",
		"md-clear", "vmx-ept", "rfds-no" };
	static const char *const lists[] = { M("pc-q35-7.2") M("pc-i440fx-7.2"),
		M("pc-q35-9.2") M("pc-q35-7.2") M("pc-q35-07.2") M("pc-i440fx-3.1"),
		M("pc-q35-07.2") M("pc-q35-7.2") ALIAS("q35", "pc-q35-9.2"),
		M("pc-q35-10.0") M("pc-q35-9.2") M("pc-q35-7.2")
			ALIAS("q35", "pc-q35-10.0"),
		"" };

	herd_begin(1 + below(seed, NODES_MAX));
	for (size_t i = 0; i < herd.count; i++) {
		nodes[i].kvm_leaf[0].eax = 0x3000 + (uint32_t)(36 + below(seed, 12));
		facts[i].small.libvirt_version = below(seed, 8) ? 9000000 : 8000000;
		facts[i].small.tsc_khz = (uint32_t)(2400000 + 350 * below(seed, 4));
		facts[i].small.tsc_scaling = below(seed, 2);
		facts[i].small.microcode = below(seed, 2) ? "0x1" : "0x2";
		put_capabilities(i, "", lists[below(seed, 5)]);
		for (size_t k = 0; k < sizeof(features) / sizeof(features[0]); k++)
			if (below(seed, 4))
				offer_give(i, features[k]);
		if (below(seed, 2))
			move_component(&nodes[i].kvm, 9, 2432);
		if (below(seed, 6) == 0)
			put_gap(i, "kvm_msrs");
		put_msr(i, 0x485, 5 + below(seed, 2));
	}
}

static void the_verdict_does_not_depend_on_order(void **state)
{
	(void)state;
	for (uint64_t run = 1; run <= RANDOM_HERDS; run++) {
		uint64_t seed = run;
		struct level before;
		const char *said;

		make_random(&seed);
		said = judge();
		before = level;
		for (size_t i = 0; i < herd.count; i++)
			swap_nodes(i, below(&seed, herd.count));
		assert_string_equal(judge(), said);
		assert_true(bitset_equals(&before.baseline, &level.baseline));
		assert_int_equal(before.maxphysaddr, level.maxphysaddr);
		assert_int_equal(before.xsave_bytes, level.xsave_bytes);
	}
}

static unsigned long version_number(const char *machine)
{
	const char *digits = machine + strcspn(machine + 6, "0123456789") + 6;
	char *end;
	unsigned long major = strtoul(digits, &end, 10);

	return major * 100 + (*end == '.' ? strtoul(end + 1, NULL, 10) : 0);
}

static void assert_not_newer(const char *before, const char *after)
{
	if (before && after)
		assert_true(version_number(after) <= version_number(before));
}

/* The nodes come in one after the other.  A newcomer may make it impossible to state a
 * width, and nobody's capabilities known may become somebody's; else all only shrinks. */
static void another_node_never_adds(void **state)
{
	(void)state;
	for (uint64_t run = 1; run <= RANDOM_HERDS; run++) {
		uint64_t seed = run;
		size_t count;

		make_random(&seed);
		count = herd.count;
		herd.count = 1;
		judge();
		while (herd.count < count) {
			struct level before = level;
			const char *machines[MACHINE_FAMILIES];

			memcpy(machines, herd.machines, sizeof(machines));
			herd.count++;
			judge();
			assert_true(bitset_is_subset(&level.baseline, &before.baseline));
			assert_true(level.maxphysaddr <= before.maxphysaddr);
			for (int f = 0; f < MACHINE_FAMILIES; f++)
				assert_not_newer(machines[f], herd.machines[f]);
		}
	}
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_two, forget)
	const struct CMUnitTest tests[] = {
		CASE(equal_nodes_have_nothing_to_remark_but_machines),
		CASE(the_smallest_width_that_anybody_says_wins),
		CASE(a_width_that_cannot_be_stated_is_warned_of),
		CASE(the_node_that_narrows_addresses_is_named),
		CASE(guest_bits_that_only_some_show_are_told),
		CASE(the_newest_machine_of_all_is_found),
		CASE(an_alias_with_one_meaning_needs_no_word),
		CASE(machines_that_nobody_told_are_unknown_not_common),
		CASE(what_is_missing_of_the_same_nodes_makes_one_note),
		CASE(time_stamp_counters_apart_are_warned_of),
		CASE(state_that_lies_elsewhere_takes_its_features_along),
		CASE(the_narrowest_cpu_of_a_node_counts),
		CASE(each_component_has_its_features),
		CASE(a_layout_that_nobody_uses_is_not_remarked_on),
		CASE(equal_layouts_keep_all_and_tell_the_size),
		CASE(the_cpu_speaks_where_kvm_is_silent_about_a_layout),
		CASE(saved_registers_without_layout_are_warned_of),
		CASE(saved_registers_of_many_cpus_are_warned_of_the_same),
		CASE(saved_registers_that_differ_are_unknown),
		CASE(vmx_stays_only_where_its_controls_are_proven_equal),
		CASE(unnamed_controls_need_one_qemu),
		CASE(vmx_of_one_node_or_of_tcg_needs_no_proof),
		CASE(nesting_that_differs_is_told),
		CASE(one_cpu_with_two_microcodes_is_told),
		CASE(a_lost_mitigation_is_told_with_its_nodes),
		CASE(a_name_that_is_not_known_is_not_called_absent),
		CASE(the_verdict_does_not_depend_on_order),
		CASE(another_node_never_adds),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
