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
	return offer_from_facts(
		n->catalogue, &n->facts, VIRT_KVM, &n->arena, &n->offer, &n->e);
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
	assert_false(offer_has_virt(&n.facts, VIRT_KVM, &why));
	assert_string_equal(why, "no /dev/kvm");
	assert_rc(derive(&n), RC_FACTS, &n.e);
	assert_contains(n.e.text, "no offer for kvm guests: domcaps_kvm: no /dev/kvm");
	n.facts.text[BODY_domcaps_kvm] = DOMCAPS("kvm", "x86_64");
	n.facts.present[BODY_domcaps_kvm] = true;
	assert_true(offer_has_virt(&n.facts, VIRT_KVM, &why));
	assert_rc(derive(&n), RC_FACTS, &n.e);
	assert_contains(n.e.text, "offer_kvm: libvirtd is not running");
	assert_false(offer_has_virt(&n.facts, VIRT_QEMU, &why));
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
		cmocka_unit_test(what_only_some_cpus_of_a_node_have_is_not_on_offer),
		cmocka_unit_test(a_node_without_an_offer_says_why),
		cmocka_unit_test(facts_of_another_kind_of_guest_are_refused),
		cmocka_unit_test(a_vendor_that_libvirt_cannot_name_keeps_its_letters),
		cmocka_unit_test(a_name_of_a_later_libvirt_does_not_change_the_letters),
		cmocka_unit_test(letters_that_cannot_be_printed_are_no_vendor),
		cmocka_unit_test(an_older_libvirt_is_only_trusted_with_names_it_used),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
