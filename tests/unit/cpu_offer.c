#include "coordinator/cpu/offer.h"
#include "tests/support/test.h"

#define DOMCAPS(virt, arch) \
	"<domainCapabilities><path>/usr/bin/qemu</path><domain>" virt "</domain>" \
	"<machine>pc</machine><arch>" arch "</arch><cpu>" \
	"<mode name='host-model' supported='yes'><model>Haswell</model></mode>" \
	"<mode name='custom' supported='yes'><model>Nehalem</model>" \
	"<model>Model-From-The-Future</model></mode></cpu></domainCapabilities>"
#define OFFER(vendor, features) "<cpu><model>Haswell</model>" vendor features "</cpu>"
#define REQUIRE(name) "<feature policy='require' name='" name "'/>"

static struct leaf intel_leaf = { 0, 0, 1, 0x756e6547, 0x6c65746e, 0x49656e69 };
static struct leaf zhaoxin_leaf = { 0, 0, 1, 0x68532020, 0x20206961, 0x68676e61 };
static struct register_set host_set = { "", { &intel_leaf, 1 }, { NULL, 0 } };

struct node {
	struct arena arena;
	struct catalogue *catalogue;
	struct node_facts facts;
	struct offer offer;
	struct err e;
};

static void setup(struct node *n, const char *domcaps, const char *offer)
{
	*n = (struct node){ .facts.small = { .hostname = "n1" } };
	n->catalogue = catalogue_new(&n->arena, &n->e);
	n->facts.small.libvirt_version = 9000000;
	n->facts.small.hypervisor_version = 7002000;
	n->facts.text[BODY_domcaps_kvm] = domcaps;
	n->facts.present[BODY_domcaps_kvm] = domcaps != NULL;
	n->facts.text[BODY_offer_kvm] = offer;
	n->facts.present[BODY_offer_kvm] = offer != NULL;
	host_set.leaves.item = &intel_leaf;
	n->facts.registers[BODY_host].sets = (struct list){ &host_set, 1 };
	n->facts.present[BODY_host] = true;
}

static enum rc derive(struct node *n)
{
	return offer_from_facts(n->catalogue, &n->facts, VIRT_KVM, OFFER_LIBVIRT,
		&n->arena, &n->offer, &n->e);
}

static bool offers(const struct node *n, const char *name)
{
	int bit = catalogue_find(n->catalogue, name);

	return bit >= 0 && bitset_has(&n->offer.features, (size_t)bit);
}

static void an_offer_is_what_libvirt_expanded(void **state)
{
	struct node n;

	(void)state;
	setup(&n, DOMCAPS("kvm", "x86_64"),
		OFFER("<vendor>Intel</vendor>",
			REQUIRE("fpu") REQUIRE("avx2") REQUIRE(
				"brand-new") "<feature policy='disable' name='hle'/>"));
	assert_rc(derive(&n), RC_OK, &n.e);
	assert_true(offers(&n, "fpu"));
	assert_true(offers(&n, "avx2"));
	assert_true(offers(&n, "brand-new"));
	assert_false(offers(&n, "hle"));
	assert_int_equal(bitset_count(&n.offer.features), 3);
	assert_string_equal(n.offer.vendor, "Intel");
	assert_string_equal(n.offer.host_model, "Haswell");
	assert_string_equal(n.offer.emulator, "/usr/bin/qemu");
	assert_int_equal(n.offer.models.count, 2);
	assert_int_equal(bitset_count(&n.offer.model_rows), 1);
	arena_destroy(&n.arena);
}

static void what_cannot_migrate_or_be_granted_is_not_on_offer(void **state)
{
	struct node n;

	(void)state;
	setup(&n, DOMCAPS("kvm", "x86_64"),
		OFFER("", REQUIRE("fpu") REQUIRE("invtsc") REQUIRE("xsaves")
				  REQUIRE("osxsave") REQUIRE("cmt")));
	assert_rc(derive(&n), RC_OK, &n.e);
	assert_int_equal(bitset_count(&n.offer.features), 1);
	assert_true(offers(&n, "fpu"));
	arena_destroy(&n.arena);
}

static void expect_cmp_legacy(uint64_t libvirt_version, bool expected)
{
	struct node n;

	setup(&n, DOMCAPS("kvm", "x86_64"),
		OFFER("", REQUIRE("fpu") REQUIRE("ht") REQUIRE("cmp_legacy")));
	n.facts.small.libvirt_version = libvirt_version;
	assert_rc(derive(&n), RC_OK, &n.e);
	assert_true(offers(&n, "fpu"));
	assert_int_equal(offers(&n, "ht"), expected);
	assert_int_equal(offers(&n, "cmp_legacy"), expected);
	arena_destroy(&n.arena);
}

static void what_a_newer_libvirt_drops_is_not_on_offer_there(void **state)
{
	(void)state;
	expect_cmp_legacy(9000000, true);
	expect_cmp_legacy(11003000, true);
	expect_cmp_legacy(11003999, true);
	expect_cmp_legacy(11004000, false);
	expect_cmp_legacy(12008000, false);
}

/* Performance and efficiency cores: libvirt was asked on one of the former. */
static void what_only_some_cpus_of_a_node_have_is_not_on_offer(void **state)
{
	struct leaf seven[] = { { 7, 0, 0, 1 << 5 | 1 << 3, 0, 0 },
		{ 7, 0, 0, 1 << 3, 0, 0 } };
	struct register_set kinds[] = { { "0-7", { &seven[0], 1 }, { NULL, 0 } },
		{ "8-15", { &seven[1], 1 }, { NULL, 0 } } };
	struct node n;

	(void)state;
	setup(&n, DOMCAPS("kvm", "x86_64"),
		OFFER("", REQUIRE("fpu") REQUIRE("avx2") REQUIRE("bmi1")
				  REQUIRE("x2apic")));
	n.facts.registers[BODY_host].sets = (struct list){ kinds, 2 };
	assert_rc(derive(&n), RC_OK, &n.e);
	assert_false(offers(&n, "avx2"));
	assert_true(offers(&n, "bmi1"));
	assert_true(offers(&n, "x2apic")); /* KVM's own: no CPU here has it */
	arena_destroy(&n.arena);
}

static void cpus_that_differ_take_nothing_from_an_emulated_one(void **state)
{
	struct leaf seven[] = { { 7, 0, 0, 1 << 5, 0, 0 }, { 7, 0, 0, 0, 0, 0 } };
	struct register_set kinds[] = { { "0-7", { &seven[0], 1 }, { NULL, 0 } },
		{ "8-15", { &seven[1], 1 }, { NULL, 0 } } };
	struct node n;

	(void)state;
	setup(&n, NULL, NULL);
	n.facts.text[BODY_domcaps_qemu] = DOMCAPS("qemu", "x86_64");
	n.facts.text[BODY_offer_qemu] = OFFER("", REQUIRE("fpu") REQUIRE("avx2"));
	n.facts.present[BODY_domcaps_qemu] = n.facts.present[BODY_offer_qemu] = true;
	n.facts.registers[BODY_host].sets = (struct list){ kinds, 2 };
	assert_rc(offer_from_facts(n.catalogue, &n.facts, VIRT_QEMU, OFFER_LIBVIRT,
			  &n.arena, &n.offer, &n.e),
		RC_OK, &n.e);
	assert_true(offers(&n, "avx2"));
	arena_destroy(&n.arena);
}

/* KVM asks the CPU that it happens to run on. */
static void cpus_that_differ_limit_what_kvm_said_on_one(void **state)
{
	struct leaf kvm[] = { intel_leaf, { 7, 0, 0, 1 << 5 | 1 << 3, 0, 0 } };
	struct leaf one[] = { intel_leaf, { 7, 0, 0, 1 << 5 | 1 << 3, 0, 0 } };
	struct leaf other[] = { intel_leaf, { 7, 0, 0, 1 << 3, 0, 0 } };
	struct register_set answer = { "", { kvm, 2 }, { NULL, 0 } };
	struct register_set kinds[] = { { "0-7", { one, 2 }, { NULL, 0 } },
		{ "8-15", { other, 2 }, { NULL, 0 } } };
	struct node n;

	(void)state;
	setup(&n, DOMCAPS("kvm", "x86_64"), NULL);
	n.facts.registers[BODY_kvm].sets = (struct list){ &answer, 1 };
	n.facts.present[BODY_kvm] = true;
	n.facts.registers[BODY_host].sets = (struct list){ kinds, 2 };
	assert_rc(offer_from_facts(n.catalogue, &n.facts, VIRT_KVM, OFFER_KVM, &n.arena,
			  &n.offer, &n.e),
		RC_OK, &n.e);
	assert_int_equal(n.offer.source, OFFER_KVM);
	assert_true(offers(&n, "bmi1"));
	assert_false(offers(&n, "avx2"));
	arena_destroy(&n.arena);
}

static void a_node_without_an_offer_says_why(void **state)
{
	static struct gap gaps[] = {
		{ "domcaps_kvm", "no /dev/kvm" },
		{ "offer_kvm", "libvirtd is not running" },
	};
	struct node n;
	const char *why;

	(void)state;
	setup(&n, NULL, NULL);
	n.facts.small.gaps = (struct list){ gaps, 2 };
	assert_false(offer_has_virt(&n.facts, VIRT_KVM, OFFER_LIBVIRT, &why));
	assert_string_equal(why, "no /dev/kvm");
	assert_rc(derive(&n), RC_FACTS, &n.e);
	assert_contains(n.e.text, "no offer for kvm guests: domcaps_kvm: no /dev/kvm");
	n.facts.text[BODY_domcaps_kvm] = DOMCAPS("kvm", "x86_64");
	n.facts.present[BODY_domcaps_kvm] = true;
	assert_true(offer_has_virt(&n.facts, VIRT_KVM, OFFER_LIBVIRT, &why));
	assert_rc(derive(&n), RC_FACTS, &n.e);
	assert_contains(n.e.text, "offer_kvm: libvirtd is not running");
	assert_false(offer_has_virt(&n.facts, VIRT_QEMU, OFFER_LIBVIRT, &why));
	assert_string_equal(why, "the facts do not say");
	arena_destroy(&n.arena);
}

static void facts_of_another_kind_of_guest_are_refused(void **state)
{
	static const struct {
		const char *domcaps, *offer, *reason;
	} rows[] = {
		{ DOMCAPS("qemu", "x86_64"), OFFER("", REQUIRE("fpu")),
			"another virt type" },
		{ DOMCAPS("kvm", "aarch64"), OFFER("", REQUIRE("fpu")), "not be x86_64" },
		{ "<domainCapabilities><domain>kvm</domain><arch>x86_64</arch>"
		  "</domainCapabilities>",
			OFFER("", REQUIRE("fpu")), "no host-model" },
		{ DOMCAPS("kvm", "x86_64"), OFFER("", ""), "names no feature" },
		{ DOMCAPS("kvm", "x86_64"), OFFER("<vendor>AMD</vendor>", REQUIRE("fpu")),
			"of Intel, libvirt's offer that it is of AMD" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node n;

		setup(&n, rows[i].domcaps, rows[i].offer);
		assert_rc(derive(&n), RC_FACTS, &n.e);
		assert_contains(n.e.text, rows[i].reason);
		arena_destroy(&n.arena);
	}
}

static void a_vendor_that_libvirt_cannot_name_keeps_its_letters(void **state)
{
	struct node n;

	(void)state;
	setup(&n, DOMCAPS("kvm", "x86_64"), OFFER("", REQUIRE("fpu")));
	host_set.leaves.item = &zhaoxin_leaf;
	assert_rc(derive(&n), RC_OK, &n.e);
	assert_string_equal(n.offer.vendor, "  Shanghai  ");
	assert_false(catalogue_is_vendor(n.offer.vendor, catalogue_all_sources()));
	arena_destroy(&n.arena);
}

/* Names that came later than the catalogue's do not contradict the letters. */
static void a_name_of_a_later_libvirt_does_not_change_the_letters(void **state)
{
	struct node n;

	(void)state;
	setup(&n, DOMCAPS("kvm", "x86_64"),
		OFFER("<vendor>Zhaoxin Shanghai</vendor>", REQUIRE("fpu")));
	host_set.leaves.item = &zhaoxin_leaf;
	assert_rc(derive(&n), RC_OK, &n.e);
	assert_string_equal(n.offer.vendor, "  Shanghai  ");
	arena_destroy(&n.arena);
	setup(&n, DOMCAPS("kvm", "x86_64"),
		OFFER("<vendor>Intel</vendor>", REQUIRE("fpu")));
	host_set.leaves.item = &zhaoxin_leaf;
	assert_rc(derive(&n), RC_FACTS, &n.e);
	assert_contains(n.e.text, "libvirt's offer that it is of Intel");
	arena_destroy(&n.arena);
}

static void letters_that_cannot_be_printed_are_no_vendor(void **state)
{
	struct leaf control = { 0, 0, 1, 0x756e6507, 0x6c65746e, 0x49656e69 };
	struct node n;

	(void)state;
	setup(&n, DOMCAPS("kvm", "x86_64"), OFFER("", REQUIRE("fpu")));
	host_set.leaves.item = &control;
	assert_rc(derive(&n), RC_OK, &n.e);
	assert_string_equal(n.offer.vendor, "");
	arena_destroy(&n.arena);
}

/* L: libvirt's domain capabilities and offer, d: the capabilities alone, q: of virt type
 * qemu alone; k: KVM's registers, r: raw ones; p: made by a peer. */
static const struct {
	const char *have;
	enum offer_source source;
} sources[] = {
	{ "Lkrp", OFFER_LIBVIRT },
	{ "L", OFFER_LIBVIRT },
	{ "dkrp", OFFER_KVM },
	{ "krp", OFFER_KVM }, /* libvirt is not there at all */
	{ "k", OFFER_KVM },
	{ "kr", OFFER_KVM },
	{ "drp", OFFER_RAW }, /* the peer may not open /dev/kvm, libvirt may */
	{ "r", OFFER_RAW },
	{ "rp", OFFER_NONE },	/* the peer was told no */
	{ "qkrp", OFFER_NONE }, /* libvirt was */
	{ "qr", OFFER_NONE },
	{ "dp", OFFER_NONE },
	{ "p", OFFER_NONE },
};

static void setup_source(struct node *n, const char *have)
{
	static const struct {
		char letter;
		enum body_id body;
		const char *text;
	} bodies[] = {
		{ 'L', BODY_domcaps_kvm, DOMCAPS("kvm", "x86_64") },
		{ 'L', BODY_offer_kvm, OFFER("", REQUIRE("fpu")) },
		{ 'd', BODY_domcaps_kvm, DOMCAPS("kvm", "x86_64") },
		{ 'q', BODY_domcaps_qemu, DOMCAPS("qemu", "x86_64") },
		{ 'k', BODY_kvm, "" },
		{ 'r', BODY_host, "" },
	};

	setup(n, NULL, NULL);
	n->facts.small.kernel = "";
	if (!strchr(have, 'p'))
		n->facts.small.libvirt_version = n->facts.small.hypervisor_version = 0;
	n->facts.registers[BODY_kvm].sets = (struct list){ &host_set, 1 };
	n->facts.present[BODY_host] = false;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		if (strchr(have, bodies[i].letter)) {
			n->facts.present[bodies[i].body] = true;
			n->facts.text[bodies[i].body] = bodies[i].text;
		}
}

static enum rc derive_from(struct node *n, enum offer_source weakest)
{
	return offer_from_facts(
		n->catalogue, &n->facts, VIRT_KVM, weakest, &n->arena, &n->offer, &n->e);
}

static void the_best_source_is_taken_and_no_weaker_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		enum offer_source source = sources[i].source;
		struct node n;

		print_message("  %s\n", sources[i].have);
		setup_source(&n, sources[i].have);
		assert_int_equal(offer_best_source(&n.facts, VIRT_KVM, NULL), source);
		for (int w = OFFER_LIBVIRT; w < OFFER_NONE; w++) {
			enum offer_source weakest = (enum offer_source)w;

			if (source > weakest) {
				assert_rc(derive_from(&n, weakest), RC_FACTS, &n.e);
				continue;
			}
			assert_rc(derive_from(&n, weakest), RC_OK, &n.e);
			assert_int_equal(n.offer.source, source);
			assert_int_equal(n.offer.why[0] == '\0', source == OFFER_LIBVIRT);
			assert_int_equal(n.offer.bare, !strchr(sources[i].have, 'p'));
		}
		arena_destroy(&n.arena);
	}
}

static void a_virt_type_is_there_when_its_source_is_believed(void **state)
{
	static const struct {
		const char *have;
		bool strict, with_kvm, with_raw;
		const char *why; /* of the middle one */
	} rows[] = {
		{ "L", true, true, true, NULL },
		{ "drp", true, true, true, NULL }, /* the offer is missing, not KVM */
		{ "kr", false, true, true, NULL },
		{ "r", false, false, true, "--allow-unproven" },
		{ "qkrp", false, false, false, "the facts do not say" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = "";
		struct node n;

		setup_source(&n, rows[i].have);
		assert_int_equal(offer_has_virt(&n.facts, VIRT_KVM, OFFER_LIBVIRT, &why),
			rows[i].strict);
		assert_int_equal(offer_has_virt(&n.facts, VIRT_KVM, OFFER_RAW, &why),
			rows[i].with_raw);
		assert_int_equal(offer_has_virt(&n.facts, VIRT_KVM, OFFER_KVM, &why),
			rows[i].with_kvm);
		if (rows[i].why)
			assert_contains(why, rows[i].why);
		arena_destroy(&n.arena);
	}
}

/* TCG's CPU has nothing to do with the host's registers. */
static void registers_make_no_offer_of_emulated_guests(void **state)
{
	struct node n;

	(void)state;
	setup_source(&n, "kr");
	assert_int_equal(offer_best_source(&n.facts, VIRT_QEMU, NULL), OFFER_NONE);
	arena_destroy(&n.arena);
}

static void registers_that_name_no_vendor_make_no_offer(void **state)
{
	struct node n;

	(void)state;
	setup_source(&n, "r");
	n.facts.registers[BODY_host].sets.count = 0;
	assert_rc(derive_from(&n, OFFER_RAW), RC_FACTS, &n.e);
	assert_contains(n.e.text, "leaf 0 of CPUID");
	arena_destroy(&n.arena);
}

static void what_cannot_be_granted_is_made_of_no_registers(void **state)
{
	struct leaf all[] = { intel_leaf, { 0xd, 1, UINT32_MAX, 0, 0, 0 },
		{ 0x80000007, 0, 0, 0, 0, UINT32_MAX } };
	struct register_set set = { "", { all, 3 }, { NULL, 0 } };
	struct node n;

	(void)state;
	for (int kvm = 0; kvm < 2; kvm++) {
		setup_source(&n, kvm ? "k" : "r");
		n.facts.registers[kvm ? BODY_kvm : BODY_host].sets.item = &set;
		assert_rc(derive_from(&n, OFFER_RAW), RC_OK, &n.e);
		assert_true(offers(&n, "xsaveopt"));
		assert_false(offers(&n, "xsaves"));
		assert_false(offers(&n, "invtsc"));
		arena_destroy(&n.arena);
	}
}

/* QEMU 10.0.4 asks the CPU (cpu_grants.c), which the facts have or have not. */
static void arch_capabilities_go_by_the_cpus_of_the_facts(void **state)
{
	struct leaf has[] = { intel_leaf, { 7, 0, 0, 0, 0, 1 << 29 } };
	struct msr msr = { 0x10a, 1 };
	struct register_set kvm = { "", { has, 2 }, { &msr, 1 } };
	struct register_set host = { "", { has, 2 }, { NULL, 0 } };
	struct node n;

	(void)state;
	for (size_t leaves = 1; leaves <= 2; leaves++) {
		setup_source(&n, "dkrp");
		n.facts.small.libvirt_version = 11003000;
		n.facts.small.hypervisor_version = 10000004;
		host.leaves.count = leaves;
		n.facts.registers[BODY_kvm].sets.item = &kvm;
		n.facts.registers[BODY_host].sets.item = &host;
		assert_rc(derive_from(&n, OFFER_KVM), RC_OK, &n.e);
		assert_int_equal(offers(&n, "arch-capabilities"), leaves == 2);
		arena_destroy(&n.arena);
	}
}

/* fred is new to QEMU 10.0, and to the kernels of its years. */
static void what_some_programs_do_not_know_needs_their_versions(void **state)
{
	struct leaf all[] = { intel_leaf, { 7, 1, UINT32_MAX, 0, 0, 0 } };
	struct register_set set = { "", { all, 2 }, { NULL, 0 } };
	static const struct {
		const char *have;
		uint64_t libvirt, qemu;
		bool offered;
	} rows[] = {
		{ "k", 0, 0, false },
		{ "dkp", 9000000, 7002000, false },
		{ "dkp", 12008000, 11001000, true },
		{ "dkp", 0, 11001000, false },
		{ "dkp", 12008000, 0, false },
		{ "r", 0, 0, false },
		{ "drp", 12008000, 11001000, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node n;

		setup_source(&n, rows[i].have);
		n.facts.small.libvirt_version = rows[i].libvirt;
		n.facts.small.hypervisor_version = rows[i].qemu;
		n.facts.registers[BODY_kvm].sets.item = &set;
		n.facts.registers[BODY_host].sets.item = &set;
		n.facts.present[BODY_host] = n.facts.present[BODY_host] ||
					     n.facts.present[BODY_kvm];
		assert_rc(derive_from(&n, OFFER_RAW), RC_OK, &n.e);
		assert_true(offers(&n, "avx512-bf16"));
		assert_int_equal(offers(&n, "fred"), rows[i].offered);
		arena_destroy(&n.arena);
	}
}

/* Nobody could spell a feature to them, so all that was read would be gone unsaid. */
static void programs_older_than_the_catalogue_make_no_offer_of_registers(void **state)
{
	struct node n;

	(void)state;
	for (int kvm = 0; kvm < 2; kvm++) {
		setup_source(&n, kvm ? "dkp" : "drp");
		n.facts.small.libvirt_version = 8000000;
		assert_rc(derive_from(&n, OFFER_RAW), RC_FACTS, &n.e);
		assert_contains(n.e.text, "older");
		arena_destroy(&n.arena);
	}
}

static void floating_features_are_offered_beside_a_proven_node(void **state)
{
	struct offer o[2] = { { .source = OFFER_RAW }, { .source = OFFER_RAW } };

	(void)state;
	bitset_add(&o[0].features, 1);
	bitset_add(&o[0].floating, 2);
	offers_settle_floating(o, 2);
	assert_false(bitset_has(&o[0].features, 2));
	assert_true(bitset_has(&o[0].floating, 2));
	o[1].source = OFFER_KVM;
	offers_settle_floating(o, 2);
	assert_true(bitset_has(&o[0].features, 1));
	assert_true(bitset_has(&o[0].features, 2));
	assert_true(bitset_is_empty(&o[0].floating));
}

static bool knows_name(const struct node *n, const char *name)
{
	return bitset_has(&n->offer.names, (size_t)catalogue_find_row(name));
}

static void an_older_libvirt_is_only_trusted_with_names_it_used(void **state)
{
	struct node n;

	(void)state;
	setup(&n, DOMCAPS("kvm", "x86_64"),
		OFFER("", REQUIRE("fpu") "<feature policy='disable' name='hle'/>"));
	assert_rc(derive(&n), RC_OK, &n.e);
	assert_true(knows_name(&n, "avx512-fp16"));
	n.facts.small.libvirt_version = 8005000;
	assert_rc(derive(&n), RC_OK, &n.e);
	assert_false(knows_name(&n, "avx512-fp16"));
	assert_true(knows_name(&n, "fpu"));
	assert_true(knows_name(&n, "hle"));
	assert_true(knows_name(&n, "sse4.2")); /* of Nehalem */
	arena_destroy(&n.arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offer_is_what_libvirt_expanded),
		cmocka_unit_test(what_cannot_migrate_or_be_granted_is_not_on_offer),
		cmocka_unit_test(what_a_newer_libvirt_drops_is_not_on_offer_there),
		cmocka_unit_test(what_only_some_cpus_of_a_node_have_is_not_on_offer),
		cmocka_unit_test(cpus_that_differ_take_nothing_from_an_emulated_one),
		cmocka_unit_test(cpus_that_differ_limit_what_kvm_said_on_one),
		cmocka_unit_test(a_node_without_an_offer_says_why),
		cmocka_unit_test(facts_of_another_kind_of_guest_are_refused),
		cmocka_unit_test(a_vendor_that_libvirt_cannot_name_keeps_its_letters),
		cmocka_unit_test(a_name_of_a_later_libvirt_does_not_change_the_letters),
		cmocka_unit_test(letters_that_cannot_be_printed_are_no_vendor),
		cmocka_unit_test(the_best_source_is_taken_and_no_weaker_one),
		cmocka_unit_test(a_virt_type_is_there_when_its_source_is_believed),
		cmocka_unit_test(registers_make_no_offer_of_emulated_guests),
		cmocka_unit_test(registers_that_name_no_vendor_make_no_offer),
		cmocka_unit_test(what_cannot_be_granted_is_made_of_no_registers),
		cmocka_unit_test(what_some_programs_do_not_know_needs_their_versions),
		cmocka_unit_test(
			programs_older_than_the_catalogue_make_no_offer_of_registers),
		cmocka_unit_test(arch_capabilities_go_by_the_cpus_of_the_facts),
		cmocka_unit_test(floating_features_are_offered_beside_a_proven_node),
		cmocka_unit_test(an_older_libvirt_is_only_trusted_with_names_it_used),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
