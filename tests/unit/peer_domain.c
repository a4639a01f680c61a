/* A domain's definition, in which the CPU alone is changed. */
#include "peer/domain.h"
#include "proto/limits.h"
#include "tests/support/test.h"

#define HEAD "<domain type='kvm' id='3'>\n  <name>a &amp; b</name>\n"
#define OS "  <os>\n    <type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type>\n  </os>\n"
#define CPU "  <cpu mode='host-model' check='partial'/>\n"
#define TAIL \
	"  <devices>\n    <emulator>/usr/bin/q &lt;1&gt;</emulator>\n  " \
	"</devices>\n</domain>\n"

static const char new_cpu[] = "<cpu mode='custom'>\n    <model>EPYC</model>\n  </cpu>";

/* In each of them @ is where the <cpu> stands, and nothing else may change. */
static const char *const odd[] = {
	HEAD OS "  @\n" TAIL,
	HEAD "  @\n" OS TAIL, /* libvirt does not, but may */
	"<!-- <cpu> -->\n" HEAD OS "  @\n" TAIL,
	"<?xml version='1.0'?>" HEAD OS "@" TAIL,
	HEAD "  <metadata>\n    <cpu xmlns=\"urn:x\"><model>not this</model></cpu>\n"
	     "  </metadata>\n" OS "  @\n" TAIL,
	HEAD "  <description>&lt;cpu/&gt; \xc3\x9c \xe6\x97\xa5</description>\n" OS
	     "  @\n" TAIL,
	HEAD "  <title><![CDATA[<cpu>]]></title>\n" OS "  @\n" TAIL,
	HEAD "  <a b=\"&lt;cpu>\" c='>'/>\n" OS "  @\n" TAIL,
	HEAD OS "  @\n  <qemu:commandline xmlns:qemu='x'><qemu:arg value='-cpu'/>"
		"</qemu:commandline>\n" TAIL,
	HEAD OS "  @\n  <cputune/>\n  <cpu:cpu/>\n" TAIL,
	HEAD OS "  <!-- @ --\x20-->\n  @\n" TAIL,
	"<domain><os><type>hvm</type></os>@</domain>",
};

enum { ODD = sizeof(odd) / sizeof(odd[0]) };

/* The last @ is the place. */
static char *fill(struct arena *a, const char *form, const char *cpu)
{
	const char *at = strrchr(form, '@');

	return arena_format(a, "%.*s%s%s", (int)(at - form), form, cpu, at + 1);
}

static struct domain_xml read_text(struct arena *a, const char *text)
{
	struct domain_xml d;
	struct err e = { 0 };

	assert_rc(domain_read(text, a, &d, &e), RC_OK, &e);
	return d;
}

static void a_definition_says_which_guest_it_is_of(void **state)
{
	struct arena a = { 0 };
	struct domain_xml d = read_text(&a, HEAD OS CPU TAIL);

	(void)state;
	assert_string_equal(d.guest.virt_type, "kvm");
	assert_string_equal(d.guest.arch, "x86_64");
	assert_string_equal(d.guest.machine, "pc-i440fx-7.2");
	assert_string_equal(d.guest.emulator, "/usr/bin/q <1>");
	assert_int_equal(d.cpu.size, strlen(CPU) - 3);
	arena_destroy(&a);
}

static void what_is_no_definition_is_refused(void **state)
{
	static const char *const bad[] = { "", "<domain/>", "<domain><os/></domain>",
		"<pool><os><type/></os></pool>", "<domain><os><type/></os>",
		"<!DOCTYPE domain []><domain><os><type/></os></domain>" };
	struct arena a = { 0 };
	struct domain_xml d;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc(domain_read(bad[i], &a, &d, &e), RC_LIBVIRT, &e);
	arena_destroy(&a);
}

static void nothing_but_the_cpu_changes_in_odd_definitions(void **state)
{
	(void)state;
	for (size_t i = 0; i < ODD; i++) {
		struct arena a = { 0 };
		struct domain_xml d = read_text(&a, fill(&a, odd[i], "<cpu mode='x'/>"));
		char *out;
		struct err e = { 0 };

		assert_rc(domain_splice(&d, bytes_of(new_cpu), "", &a, &out, &e), RC_OK,
			&e);
		assert_string_equal(out, fill(&a, odd[i], new_cpu));
		arena_destroy(&a);
	}
}

static void what_was_spliced_is_spliced_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ODD; i++) {
		struct arena a = { 0 };
		char *text = fill(&a, odd[i], "<cpu mode='x'>\n <y/></cpu>"), *there,
		     *back;
		struct domain_xml d = read_text(&a, text), n;
		struct err e = { 0 };

		assert_rc(domain_splice(&d, bytes_of(new_cpu), "", &a, &there, &e), RC_OK,
			&e);
		n = read_text(&a, there);
		assert_true(domain_same_besides(&d, &n));
		assert_false(domain_same_cpu(&d, &n));
		assert_rc(domain_splice(&n, bytes_of("<cpu mode='x'>\n <y/></cpu>"), "",
				  &a, &back, &e),
			RC_OK, &e);
		assert_string_equal(back, text);
		arena_destroy(&a);
	}
}

/* libvirt moves it to where it belongs. */
static void a_domain_without_a_cpu_gets_one_at_its_end(void **state)
{
	struct arena a = { 0 };
	struct domain_xml d = read_text(&a, HEAD OS TAIL), moved, spliced;
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_int_equal(d.cpu.size, 0);
	assert_rc(domain_splice(&d, bytes_of(new_cpu), "", &a, &out, &e), RC_OK, &e);
	spliced = read_text(&a, out);
	assert_true(domain_same_besides(&d, &spliced));
	moved = read_text(&a, fill(&a, HEAD OS "  @\n" TAIL, new_cpu));
	assert_true(domain_same_besides(&d, &moved));
	assert_true(domain_same_besides(&spliced, &moved));
	assert_true(domain_same_cpu(&spliced, &moved));
	arena_destroy(&a);
}

static void the_machine_changes_with_the_cpu_where_it_is_given(void **state)
{
	struct arena a = { 0 };
	struct err e = { 0 };
	char *out;

	(void)state;
	for (int before = 0; before < 2; before++) {
		const char *form = before ? HEAD "  @\n" OS TAIL : HEAD OS "  @\n" TAIL;
		struct domain_xml d = read_text(&a, fill(&a, form, "<cpu/>")), n;

		assert_rc(
			domain_splice(&d, bytes_of(new_cpu), "pc-q35-9.0", &a, &out, &e),
			RC_OK, &e);
		n = read_text(&a, out);
		assert_string_equal(n.guest.machine, "pc-q35-9.0");
		assert_true(domain_same_besides(&d, &n));
		assert_true(n.cpu.size == strlen(new_cpu) &&
			    memcmp(n.cpu.data, new_cpu, n.cpu.size) == 0);
	}
	arena_destroy(&a);
}

static void a_hostile_coordinator_gets_nothing_in_but_a_cpu(void **state)
{
	static const char *const bad[] = { "", "<cpu>", "<cpus/>", "x<cpu/>", "<cpu/>x",
		"<cpu/><devices/>", "<cpu></cpu></domain><domain>", "</cpu><cpu>",
		"<cpu><!-- --></cpu><!-- <a/>", "<!-- --><cpu/>", "<a><cpu/></a>",
		"<!DOCTYPE a><cpu/>", "<cpu/><?x?>", "<cpu><a></cpu></a>",
		/* to libvirt's parser these comments end later */
		"<cpu><!--></cpu>", "<cpu><!---></cpu>",
		"<cpu><!--><x a=\"--></cpu><devices/><cpu>\"/></cpu>",
		"<cpu><x a=\"</cpu><devices/><cpu>\"/></cpu>" };
	struct arena a = { 0 };
	struct domain_xml d = read_text(&a, HEAD OS CPU TAIL);
	struct bytes nul = { (const uint8_t *)"<cpu>\0</cpu>", 12 };
	struct err e;
	char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc(domain_splice(&d, bytes_of(bad[i]), "", &a, &out, &e), RC_PLACE,
			&e);
	assert_rc(domain_splice(&d, nul, "", &a, &out, &e), RC_PLACE, &e);
	assert_rc(domain_splice(&d, bytes_of("<cpu/>"), "'/><x a='", &a, &out, &e),
		RC_PLACE, &e);
	assert_rc(
		domain_splice(&d, bytes_of("\n <cpu/> \n"), "", &a, &out, &e), RC_OK, &e);
	arena_destroy(&a);
}

static void topology_and_numa_cells_must_stay(void **state)
{
	static const char *const bad[] = { "<cpu/>", "<cpu><topology cores='2'/></cpu>",
		"<cpu><topology cores='2'/><numa><cell memory='2'/></numa></cpu>",
		"<cpu><numa><cell memory='1'/></numa></cpu>" };
	static const char good[] = "<cpu><model>x</model><topology "
				   "cores='2'/><numa><cell memory='1'/></numa></cpu>";
	struct arena a = { 0 };
	struct domain_xml d = read_text(&a, HEAD OS
		"<cpu><topology cores='2'/><numa><cell memory='1'/></numa></cpu>\n" TAIL);
	struct domain_xml none = read_text(&a, HEAD OS TAIL);
	struct err e;
	char *out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc(domain_splice(&d, bytes_of(bad[i]), "", &a, &out, &e), RC_PLACE,
			&e);
	assert_rc(domain_splice(&d, bytes_of(good), "", &a, &out, &e), RC_OK, &e);
	assert_rc(domain_splice(&none, bytes_of(good), "", &a, &out, &e), RC_PLACE, &e);
	arena_destroy(&a);
}

static void one_byte_elsewhere_is_another_definition(void **state)
{
	static const char text[] = HEAD OS CPU TAIL;
	struct arena a = { 0 };
	struct domain_xml d = read_text(&a, text), n = d;
	size_t cpu = (size_t)(strstr(text, CPU) - text);
	size_t machine = (size_t)(strstr(text, "pc-i440fx") - text);

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char *other = arena_text(&a, text);
		bool may = (i >= cpu + 2 && i < cpu + strlen(CPU) - 1) ||
			   (i >= machine && i < machine + strlen("pc-i440fx-7.2"));

		/* the same spans, so that no reading stands between */
		other[i] ^= 1;
		n.text = other;
		n.cpu.data = other + (d.cpu.data - text);
		n.machine.data = other + (d.machine.data - text);
		assert_int_equal(domain_same_besides(&d, &n), may);
	}
	arena_destroy(&a);
}

static void blanks_between_the_elements_of_a_cpu_mean_nothing(void **state)
{
	struct arena a = { 0 };
	struct domain_xml d = read_text(
				  &a, HEAD OS "<cpu a='1'><b/><c>x y</c></cpu>" TAIL),
			  same = read_text(&a, HEAD OS
				  "<cpu a='1'>\n\t<b/>\n <c>x y</c>\n</cpu>" TAIL),
			  other = read_text(
				  &a, HEAD OS "<cpu a='1'><b/><c>x  y</c></cpu>" TAIL);

	(void)state;
	assert_true(domain_same_cpu(&d, &same));
	assert_false(domain_same_cpu(&d, &other));
	arena_destroy(&a);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_definition_says_which_guest_it_is_of),
		cmocka_unit_test(what_is_no_definition_is_refused),
		cmocka_unit_test(nothing_but_the_cpu_changes_in_odd_definitions),
		cmocka_unit_test(what_was_spliced_is_spliced_back),
		cmocka_unit_test(a_domain_without_a_cpu_gets_one_at_its_end),
		cmocka_unit_test(the_machine_changes_with_the_cpu_where_it_is_given),
		cmocka_unit_test(a_hostile_coordinator_gets_nothing_in_but_a_cpu),
		cmocka_unit_test(topology_and_numa_cells_must_stay),
		cmocka_unit_test(one_byte_elsewhere_is_another_definition),
		cmocka_unit_test(blanks_between_the_elements_of_a_cpu_mean_nothing),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
