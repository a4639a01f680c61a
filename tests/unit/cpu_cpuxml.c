#include <libxml/xmlerror.h>
#include <libxml/xmlmemory.h>
#include <stdlib.h>

#include "coordinator/cpu/cpuxml.h"
#include "proto/limits.h"
#include "tests/support/test.h"

#define DOMCAPS \
	"<domainCapabilities><path>/usr/bin/qemu</path><domain>kvm</domain>" \
	"<machine>pc-i440fx-7.2</machine><arch>x86_64</arch><cpu>" \
	"<mode name='host-passthrough' supported='yes'/>" \
	"<mode name='host-model' supported='yes'><model " \
	"fallback='forbid'>Haswell</model>" \
	"<vendor>Intel</vendor><feature policy='require' name='vme'/>" \
	"<feature policy='disable' name='hle'/></mode>" \
	"<mode name='custom' supported='yes'><model usable='yes'>qemu64</model>" \
	"<model usable='no'>EPYC</model></mode></cpu></domainCapabilities>"

static void domain_capabilities_are_read(void **state)
{
	struct arena arena = { 0 };
	struct cpuxml_domcaps d;
	struct err e;

	(void)state;
	assert_rc(cpuxml_read_domcaps(DOMCAPS, "d", &arena, &d, &e), RC_OK, &e);
	assert_string_equal(d.emulator, "/usr/bin/qemu");
	assert_string_equal(d.virt, "kvm");
	assert_string_equal(d.machine, "pc-i440fx-7.2");
	assert_string_equal(d.arch, "x86_64");
	assert_true(d.has_host_model);
	assert_string_equal(d.host_model.model, "Haswell");
	assert_string_equal(d.host_model.vendor, "Intel");
	assert_string_equal(d.host_model.on.item[0], "vme");
	assert_string_equal(d.host_model.off.item[0], "hle");
	assert_int_equal(d.models.count, 2);
	assert_string_equal(d.models.item[1], "EPYC");
	arena_destroy(&arena);
}

static void a_mode_that_is_not_supported_does_not_count(void **state)
{
	struct arena arena = { 0 };
	struct cpuxml_domcaps d;
	struct err e;

	(void)state;
	assert_rc(cpuxml_read_domcaps(
			  "<domainCapabilities><cpu><mode name='host-model' "
			  "supported='no'/><mode name='custom' supported='no'>"
			  "<model>EPYC</model></mode></cpu></domainCapabilities>",
			  "d", &arena, &d, &e),
		RC_OK, &e);
	assert_false(d.has_host_model);
	assert_int_equal(d.models.count, 0);
	assert_string_equal(d.machine, "");
	assert_string_equal(d.host_model.model, "");
	arena_destroy(&arena);
}

static void each_policy_counts_for_its_side(void **state)
{
	struct arena arena = { 0 };
	struct cpuxml_cpu c;
	struct err e;

	(void)state;
	assert_rc(cpuxml_read_cpu("<cpu><model>EPYC</model><feature name='a' "
				  "policy='require'/><feature name='b' policy='force'/>"
				  "<feature name='c'/><feature name='d' "
				  "policy='disable'/><feature name='e' policy='forbid'/>"
				  "<feature name='f' policy='optional'/></cpu>",
			  "c", &arena, &c, &e),
		RC_OK, &e);
	assert_int_equal(c.on.count, 3);
	assert_int_equal(c.off.count, 2);
	assert_string_equal(c.vendor, "");
	arena_destroy(&arena);
}

static void the_host_cpu_is_read(void **state)
{
	struct arena arena = { 0 };
	struct cpuxml_host h;
	struct err e;

	(void)state;
	assert_rc(cpuxml_read_host("<capabilities><host><cpu><arch>x86_64</arch>"
				   "<model>EPYC</model><vendor>AMD</vendor></cpu></host>"
				   "<guest/></capabilities>",
			  "h", &arena, &h, &e),
		RC_OK, &e);
	assert_string_equal(h.model, "EPYC");
	assert_string_equal(h.vendor, "AMD");
	arena_destroy(&arena);
}

static void a_reason_of_libxml2_is_one_line_without_its_end(void **state)
{
	struct arena arena = { 0 };
	struct cpuxml_cpu c;
	struct err e;

	(void)state;
	assert_int_equal(
		cpuxml_read_cpu("<cpu>&x;</cpu>", "c", &arena, &c, &e), RC_FACTS);
	assert_string_equal(e.text, "c:1: is not XML: Entity 'x' not defined");
	arena_destroy(&arena);
}

static void a_vendor_may_be_two_words(void **state)
{
	struct arena arena = { 0 };
	struct cpuxml_cpu c;
	struct err e;

	(void)state;
	assert_rc(cpuxml_read_cpu("<cpu><vendor>Zhaoxin CentaurHauls</vendor></cpu>", "c",
			  &arena, &c, &e),
		RC_OK, &e);
	assert_string_equal(c.vendor, "Zhaoxin CentaurHauls");
	arena_destroy(&arena);
}

static void hostile_texts_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *xml, *reason;
	} rows[] = {
		{ "", "is not XML" },
		{ "<cpu>", "is not XML" },
		{ "<cpu/><cpu/>", "is not XML" },
		{ "<domain/>", "is a <domain>, not a <cpu>" },
		{ "<!DOCTYPE cpu [<!ENTITY a 'b'>]><cpu>&a;</cpu>", "document type" },
		{ "<!DOCTYPE cpu SYSTEM 'file:///etc/passwd'><cpu/>", "document type" },
		{ "<cpu><model>a b</model></cpu>", "not the name of a model: 'a b'" },
		{ "<cpu><model></model></cpu>", "not the name of a model" },
		{ "<cpu><model>../x</model></cpu>", "not the name of a model" },
		{ "<cpu><vendor>&lt;b/></vendor></cpu>", "not the name of a vendor" },
		{ "<cpu><vendor> Intel</vendor></cpu>", "not the name of a vendor" },
		{ "<cpu><vendor>A  B</vendor></cpu>", "not the name of a vendor" },
		{ "<cpu><vendor>A\nB</vendor></cpu>", "not the name of a vendor" },
		{ "<cpu><vendor>Intel </vendor></cpu>", "not the name of a vendor" },
		{ "<cpu><vendor> </vendor></cpu>", "not the name of a vendor" },
		{ "<cpu><feature policy='require'/></cpu>", "not the name of a feature" },
		{ "<cpu><feature name='&#27;[2J'/></cpu>", "is not XML" },
		{ "<cpu><feature name='x&#x9b;2J'/></cpu>", "not the name of a feature" },
		{ "<cpu><feature name='avx' policy='maybe'/></cpu>",
			"avx has policy 'maybe'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena = { 0 };
		struct cpuxml_cpu c;
		struct err e;

		assert_rc(cpuxml_read_cpu(rows[i].xml, "offer_kvm", &arena, &c, &e),
			RC_FACTS, &e);
		assert_contains(e.text, "offer_kvm");
		assert_contains(e.text, rows[i].reason);
		arena_destroy(&arena);
	}
}

static void a_path_that_could_harm_a_terminal_is_refused(void **state)
{
	static const char *const bad[] = { "qemu", "/a\xc2\x9b", "/a\nb" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct arena arena = { 0 };
		struct cpuxml_domcaps d;
		struct err e;

		assert_rc(
			cpuxml_read_domcaps(arena_format(&arena,
						    "<domainCapabilities><path>%s</path>"
						    "</domainCapabilities>",
						    bad[i]),
				"d", &arena, &d, &e),
			RC_FACTS, &e);
		assert_contains(e.text, "not a path");
		arena_destroy(&arena);
	}
}

static void every_cut_of_a_text_is_an_error_not_a_crash(void **state)
{
	(void)state;
	for (size_t n = 0; n < strlen(DOMCAPS); n++) {
		struct arena arena = { 0 };
		struct cpuxml_domcaps d;
		struct err e;

		assert_rc(cpuxml_read_domcaps(
				  arena_text_n(&arena, DOMCAPS, n), "d", &arena, &d, &e),
			RC_FACTS, &e);
		arena_destroy(&arena);
	}
}

static void too_many_names_and_bytes_are_refused(void **state)
{
	struct arena arena = { 0 };
	struct buf b = buf_with_cap(2 * LIMIT_BODY_BYTES);
	struct cpuxml_cpu c;
	struct err e;

	(void)state;
	buf_append_text(&b, "<cpu>");
	for (int i = 0; i <= LIMIT_LIST_ITEMS; i++)
		buf_format(&b, "<feature name='f%d'/>", i);
	buf_append(&b, "</cpu>", sizeof("</cpu>"));
	assert_rc(cpuxml_read_cpu((const char *)buf_bytes(&b).data, "c", &arena, &c, &e),
		RC_LIMIT, &e);
	assert_contains(e.text, "LIMIT_LIST_ITEMS");
	buf_destroy(&b);
	for (int i = 0; i < LIMIT_BODY_BYTES / 8 + 1; i++)
		buf_append_text(&b, "<cpu/>  ");
	buf_append(&b, "", 1);
	assert_rc(cpuxml_read_cpu((const char *)buf_bytes(&b).data, "c", &arena, &c, &e),
		RC_LIMIT, &e);
	assert_contains(e.text, "LIMIT_BODY_BYTES");
	buf_destroy(&b);
	arena_destroy(&arena);
}

/* ---- short of memory */

static size_t allocations_left; /* of libxml2, before each fails */

static bool may_allocate(void)
{
	return allocations_left && allocations_left--;
}

static void *failing_malloc(size_t size)
{
	return may_allocate() ? malloc(size) : NULL;
}

static void *failing_realloc(void *p, size_t size)
{
	return may_allocate() ? realloc(p, size) : NULL;
}

static char *failing_strdup(const char *s)
{
	return may_allocate() ? strdup(s) : NULL;
}

static void say_nothing(void *context, const char *fmt, ...)
{
	(void)context;
	(void)fmt;
}

static bool same_texts(const struct texts *a, const struct texts *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = strcmp(a->item[i], b->item[i]) == 0;
	return same;
}

static bool same_cpu(const struct cpuxml_cpu *a, const struct cpuxml_cpu *b)
{
	return strcmp(a->model, b->model) == 0 && strcmp(a->vendor, b->vendor) == 0 &&
	       same_texts(&a->on, &b->on) && same_texts(&a->off, &b->off) &&
	       a->maxphysaddr == b->maxphysaddr;
}

/* A policy that was lost would turn a disable into a require. */
static void short_of_memory_it_says_so_and_reads_nothing_else(void **state)
{
	static const char xml[] =
		"<cpu><model>Haswell</model><vendor>Intel</vendor>"
		"<maxphysaddr mode='emulate' bits='40'/>"
		"<feature policy='disable' name='hle'/><feature policy='require' "
		"name='a-name-that-is-longer-than-the-room-for-a-text-in-a-node'/></cpu>";
	struct cpuxml_cpu whole, part;
	struct arena arena = { 0 };
	enum rc rc = RC_MEMORY;
	struct err e;

	(void)state;
	assert_rc(cpuxml_read_cpu(xml, "c", &arena, &whole, &e), RC_OK, &e);
	xmlSetGenericErrorFunc(NULL, say_nothing);
	assert_int_equal(
		xmlMemSetup(free, failing_malloc, failing_realloc, failing_strdup), 0);
	for (size_t n = 0; rc != RC_OK && n < 10000; n++) {
		allocations_left = n;
		rc = cpuxml_read_cpu(xml, "c", &arena, &part, &e);
		if (rc != RC_OK)
			assert_rc(rc, RC_MEMORY, &e);
	}
	xmlMemSetup(free, malloc, realloc, strdup);
	xmlSetGenericErrorFunc(NULL, NULL);
	assert_rc(rc, RC_OK, &e);
	assert_true(same_cpu(&whole, &part));
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domain_capabilities_are_read),
		cmocka_unit_test(a_mode_that_is_not_supported_does_not_count),
		cmocka_unit_test(each_policy_counts_for_its_side),
		cmocka_unit_test(the_host_cpu_is_read),
		cmocka_unit_test(a_reason_of_libxml2_is_one_line_without_its_end),
		cmocka_unit_test(a_vendor_may_be_two_words),
		cmocka_unit_test(hostile_texts_are_refused_with_a_reason),
		cmocka_unit_test(a_path_that_could_harm_a_terminal_is_refused),
		cmocka_unit_test(every_cut_of_a_text_is_an_error_not_a_crash),
		cmocka_unit_test(too_many_names_and_bytes_are_refused),
		cmocka_unit_test(short_of_memory_it_says_so_and_reads_nothing_else),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
