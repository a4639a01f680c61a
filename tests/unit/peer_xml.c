#include <stdlib.h>

#include "peer/libvirt.h"
#include "peer/xml.h"
#include "tests/support/test.h"

static const char domcaps[] =
	"<?xml version='1.0'?>\n"
	"<!-- <cpu> in a comment -->\n"
	"<domainCapabilities>\n"
	"  <path>/usr/bin/qemu &amp; co</path>\n"
	"  <arch>x86_64</arch>\n"
	"  <vcpu max='255'/>\n"
	"  <os><cpu>not this one</cpu></os>\n"
	"  <cpu>\n"
	"    <mode name='host-passthrough' supported='yes'><x/></mode>\n"
	"    <mode name=\"host-model\" supported='yes'>\n"
	"      <model fallback='forbid'>EPYC</model>\n"
	"      <feature policy='disable' name='a>b'/>\n"
	"    </mode>\n"
	"  </cpu>\n"
	"</domainCapabilities>\n";

static void assert_span(struct xml_span span, const char *expected)
{
	assert_int_equal(span.size, strlen(expected));
	assert_memory_equal(span.data, expected, span.size);
}

static void an_element_is_found_by_its_path_not_by_its_name_alone(void **state)
{
	struct arena arena = { 0 };
	struct xml_element found;

	(void)state;
	assert_true(xml_path(xml_whole(domcaps), "domainCapabilities/path", &found));
	assert_string_equal(xml_text(&arena, &found), "/usr/bin/qemu & co");
	assert_true(xml_path(xml_whole(domcaps), "domainCapabilities/os/cpu", &found));
	assert_span(found.inner, "not this one");
	assert_span(found.outer, "<cpu>not this one</cpu>");
	assert_true(xml_path(xml_whole(domcaps), "domainCapabilities/cpu", &found));
	assert_true(found.inner.size > 100);
	assert_false(xml_path(xml_whole(domcaps), "domainCapabilities/model", &found));
	assert_false(xml_path(xml_whole(domcaps), "cpu", &found));
	arena_destroy(&arena);
}

static void an_empty_element_has_nothing_inside_and_keeps_its_attributes(void **state)
{
	struct xml_element found;

	(void)state;
	assert_true(xml_path(xml_whole(domcaps), "domainCapabilities/vcpu", &found));
	assert_int_equal(found.inner.size, 0);
	assert_true(xml_attribute_is(&found, "max", "255"));
	assert_false(xml_attribute_is(&found, "max", "25"));
	assert_false(xml_attribute_is(&found, "min", "255"));
}

static void the_host_model_becomes_one_custom_cpu(void **state)
{
	struct arena arena = { 0 };
	const char *why;
	struct err e;
	char *cpu;

	(void)state;
	assert_rc(libvirt_host_model(domcaps, &arena, &cpu, &why, &e), RC_OK, &e);
	assert_string_equal(cpu, "<cpu mode='custom' match='exact'>\n"
				 "      <model fallback='forbid'>EPYC</model>\n"
				 "      <feature policy='disable' name='a>b'/>\n"
				 "    </cpu>");
	arena_destroy(&arena);
}

static void a_virt_type_without_host_model_says_so(void **state)
{
	struct arena arena = { 0 };
	const char *why = NULL;
	struct err e;
	char *cpu;

	(void)state;
	assert_rc(libvirt_host_model("<domainCapabilities><cpu><mode name='host-model' "
				     "supported='no'/></cpu></domainCapabilities>",
			  &arena, &cpu, &why, &e),
		RC_OK, &e);
	assert_null(cpu);
	assert_non_null(strstr(why, "does not support host-model"));
	assert_rc(libvirt_host_model("", &arena, &cpu, &why, &e), RC_OK, &e);
	assert_null(cpu);
	assert_non_null(strstr(why, "name no host-model"));
	arena_destroy(&arena);
}

static void host_uuid_and_numa_topology_leave_the_capabilities(void **state)
{
	struct arena arena = { 0 };
	char *stripped, *uuid;
	struct err e;

	(void)state;
	assert_rc(
		libvirt_strip_capabilities(
			"<capabilities><host><uuid>1-2</uuid><cpu><topology cores='2'/>"
			"</cpu><topology><cells/></topology></host><guest><uuid>3</uuid>"
			"</guest></capabilities>",
			&arena, &stripped, &uuid, &e),
		RC_OK, &e);
	assert_string_equal(uuid, "1-2");
	assert_string_equal(stripped,
		"<capabilities><host><cpu><topology cores='2'/></cpu></host>"
		"<guest><uuid>3</uuid></guest></capabilities>");
	arena_destroy(&arena);
}

static void text_that_is_not_well_nested_is_not_found(void **state)
{
	static const char *const bad[] = { "", "<", "<a", "<a>", "<a><b></a>", "<a></b>",
		"<a x='1></a>", "</a>", "<!DOCTYPE a []><a></a>", "<!DOCTYPE a/><a></a>",
		"<!-- <a></a>", "<>", "<a <b></a>", "<![CDATA[<a></a>", "<!--><a></a>",
		"<!---><a></a>", "<?><a></a>", "<a b='<'></a>" };
	struct xml_element found;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (xml_child(xml_whole(bad[i]), "a", &found))
			fail_msg("found in %s", bad[i]);
}

/* In memory of exactly that size, so that the sanitizer sees a byte too far. */
static void every_prefix_of_a_text_is_survived(void **state)
{
	size_t whole = strlen(domcaps);

	(void)state;
	for (size_t n = 0; n < whole; n++) {
		char *prefix = malloc(n + 1);
		struct xml_element found;

		assert_non_null(prefix);
		memcpy(prefix, domcaps, n);
		prefix[n] = '\0';
		/* without its last '>' (and newline) the root has no end */
		if (n < whole - 1)
			assert_false(xml_child(
				xml_whole(prefix), "domainCapabilities", &found));
		free(prefix);
	}
}

static void nesting_beyond_the_cap_is_not_found(void **state)
{
	char text[3 * 80 + 4 * 80 + 1] = "";
	struct xml_element found;

	(void)state;
	for (int depth = 1; depth <= 80; depth++) {
		text[0] = '\0';
		for (int i = 0; i < depth; i++)
			strcat(text, "<a>");
		for (int i = 0; i < depth; i++)
			strcat(text, "</a>");
		assert_int_equal(xml_child(xml_whole(text), "a", &found), depth <= 64);
	}
}

static void an_entity_that_is_not_predefined_gives_no_text(void **state)
{
	struct arena arena = { 0 };
	struct xml_element found;

	(void)state;
	assert_true(xml_child(xml_whole("<a>&evil;</a>"), "a", &found));
	assert_null(xml_text(&arena, &found));
	assert_true(xml_child(xml_whole("<a>x<b/></a>"), "a", &found));
	assert_null(xml_text(&arena, &found));
	arena_destroy(&arena);
}

/* ---- libvirt's messages, as libvirt 9.0 prints them */

static void the_features_that_libvirt_names_are_found(void **state)
{
	static const struct {
		const char *message;
		size_t count;
		const char *first, *last;
	} cases[] = {
		{ "the CPU is incompatible with host CPU: Host CPU does not provide "
		  "required features: pni, sse4.1, avx512-vpopcntdq",
			3, "pni", "avx512-vpopcntdq" },
		{ "the CPU is incompatible with host CPU: Host CPU provides forbidden "
		  "features: umip",
			1, "umip", "umip" },
		{ "internal error: Unknown CPU feature nosuchthing", 1, "nosuchthing",
			"nosuchthing" },
		{ "die CPU ist inkompatibel: Dem Host fehlen: pni, avx", 2, "pni",
			"avx" },
		{ "internal error: Unknown CPU model nosuchmodel", 0, NULL, NULL },
		{ "the CPU is incompatible with host CPU: host CPU vendor does not match "
		  "required CPU vendor Intel",
			0, NULL, NULL },
		{ "features: <b>, x", 1, "x", "x" },
		{ "", 0, NULL, NULL },
		{ "ends with a colon: ", 0, NULL, NULL },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct texts found;
		struct err e;

		assert_rc(libvirt_find_features(cases[i].message, &arena, &found, &e),
			RC_OK, &e);
		assert_int_equal(found.count, cases[i].count);
		if (!found.count)
			continue;
		assert_string_equal(found.item[0], cases[i].first);
		assert_string_equal(found.item[found.count - 1], cases[i].last);
	}
	arena_destroy(&arena);
}

static void only_the_nodes_own_qemu_driver_may_be_named(void **state)
{
	static const char *const refused[] = { "", "qemu", "qemu:///system?x",
		"test:///default", "qemu+ext:///system?command=/bin/sh",
		"qemu+ssh://elsewhere/system", "QEMU:///system", "qemu:///systemx",
		"qemu:///embed?root=/" };

	(void)state;
	assert_true(libvirt_uri_is_allowed("qemu:///system"));
	assert_true(libvirt_uri_is_allowed("qemu:///session"));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_false(libvirt_uri_is_allowed(refused[i]));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(an_element_is_found_by_its_path_not_by_its_name_alone),
		cmocka_unit_test(
			an_empty_element_has_nothing_inside_and_keeps_its_attributes),
		cmocka_unit_test(the_host_model_becomes_one_custom_cpu),
		cmocka_unit_test(a_virt_type_without_host_model_says_so),
		cmocka_unit_test(host_uuid_and_numa_topology_leave_the_capabilities),
		cmocka_unit_test(text_that_is_not_well_nested_is_not_found),
		cmocka_unit_test(every_prefix_of_a_text_is_survived),
		cmocka_unit_test(nesting_beyond_the_cap_is_not_found),
		cmocka_unit_test(an_entity_that_is_not_predefined_gives_no_text),
		cmocka_unit_test(the_features_that_libvirt_names_are_found),
		cmocka_unit_test(only_the_nodes_own_qemu_driver_may_be_named),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
