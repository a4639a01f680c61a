#include <glob.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/cpu/cpuxml.h"
#include "coordinator/render/libvirt.h"
#include "proto/limits.h"
#include "tests/support/test.h"

static struct level_feature features[] = {
	{ "avx2", POLICY_REQUIRE },
	{ "hle", POLICY_DISABLE },
};

static const struct level haswell = {
	.model = "Haswell", .vendor = "Intel", .features = features, .feature_count = 2
};

static void a_level_is_one_cpu_element(void **state)
{
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	struct err e;

	(void)state;
	assert_rc(render_libvirt_cpu(&out, &haswell, &e), RC_OK, &e);
	buf_append(&out, "", 1);
	assert_string_equal((const char *)buf_bytes(&out).data,
		"<cpu mode='custom' match='exact' check='partial'>\n"
		"  <model fallback='forbid'>Haswell</model>\n"
		"  <vendor>Intel</vendor>\n"
		"  <feature policy='require' name='avx2'/>\n"
		"  <feature policy='disable' name='hle'/>\n"
		"</cpu>\n");
	buf_destroy(&out);
}

static void the_width_of_addresses_stands_where_libvirt_writes_it(void **state)
{
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	struct level l = haswell;
	struct err e;

	(void)state;
	l.maxphysaddr = 46;
	assert_rc(render_libvirt_cpu(&out, &l, &e), RC_OK, &e);
	buf_append(&out, "", 1);
	assert_contains((const char *)buf_bytes(&out).data,
		"  <vendor>Intel</vendor>\n"
		"  <maxphysaddr mode='emulate' bits='46'/>\n"
		"  <feature ");
	buf_destroy(&out);
}

static void what_is_written_reads_back(void **state)
{
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	struct level l = haswell;
	struct arena arena = { 0 };
	struct cpuxml_cpu cpu;
	struct err e;

	(void)state;
	l.vendor = "";
	assert_rc(render_libvirt_cpu(&out, &l, &e), RC_OK, &e);
	buf_append(&out, "", 1);
	assert_rc(cpuxml_read_cpu(
			  (const char *)buf_bytes(&out).data, "level", &arena, &cpu, &e),
		RC_OK, &e);
	assert_string_equal(cpu.model, "Haswell");
	assert_string_equal(cpu.vendor, "");
	assert_int_equal(cpu.on.count, 1);
	assert_int_equal(cpu.off.count, 1);
	arena_destroy(&arena);
	buf_destroy(&out);
}

/* libvirt 12: "Zhaoxin CentaurHauls".  Blanks are for vendors of the catalogue alone. */
static void a_vendor_of_the_catalogue_may_have_a_blank(void **state)
{
	struct level l = haswell;
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	struct err e;

	(void)state;
	l.vendor = catalogue_vendor_name("CentaurHauls");
	assert_rc(render_libvirt_cpu(&out, &l, &e), RC_OK, &e);
	buf_append(&out, "", 1);
	assert_contains((const char *)buf_bytes(&out).data,
		"<vendor>Zhaoxin CentaurHauls</vendor>");
	buf_destroy(&out);
	l.vendor = "Zhaoxin Nobody";
	assert_rc(render_libvirt_cpu(&out, &l, &e), RC_INTERNAL, &e);
	buf_destroy(&out);
}

static void nothing_but_names_gets_into_the_xml(void **state)
{
	static struct level_feature evil[] = { { "a'/><x y='", POLICY_REQUIRE } };
	struct level rows[] = { haswell, haswell, haswell };

	(void)state;
	rows[0].model = "Has well";
	rows[1].vendor = "<b>";
	rows[2].features = evil;
	rows[2].feature_count = 1;
	for (size_t i = 0; i < 3; i++) {
		struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
		struct err e;

		assert_rc(render_libvirt_cpu(&out, &rows[i], &e), RC_INTERNAL, &e);
		assert_int_equal(buf_bytes(&out).size, 0);
		buf_destroy(&out);
	}
}

static void a_level_too_long_for_its_place_is_refused(void **state)
{
	struct buf out = buf_with_cap(100);
	struct err e;

	(void)state;
	assert_rc(render_libvirt_cpu(&out, &haswell, &e), RC_LIMIT, &e);
	buf_destroy(&out);
}

/* virsh with its test driver, which lives in the process and needs no daemon. */
static bool virsh_takes(const char *command, const char *path)
{
	char line[4096];
	int status;

	snprintf(line, sizeof(line), "virsh -q -c test:///default %s '%s' >/dev/null",
		command, path);
	status = system(line);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The names of a level as a host CPU: a baseline of one makes libvirt look up the
 * model, the vendor and every feature in its map. */
static char *as_host_cpu(struct arena *arena, const char *level)
{
	struct cpuxml_cpu cpu;
	struct err e;
	char *text;

	assert_rc(cpuxml_read_cpu(level, "level", arena, &cpu, &e), RC_OK, &e);
	text = arena_format(arena,
		"<cpu><arch>x86_64</arch><model>%s</model>"
		"<vendor>%s</vendor>",
		cpu.model, cpu.vendor);
	for (size_t i = 0; i < cpu.on.count + cpu.off.count; i++)
		text = arena_format(arena, "%s<feature name='%s'/>", text,
			i < cpu.on.count ? cpu.on.item[i]
					 : cpu.off.item[i - cpu.on.count]);
	return arena_format(arena, "%s</cpu>", text);
}

static void assert_libvirt_reads(const char *path, const char *scratch)
{
	struct arena arena = { 0 };
	const char *level = test_read_file(&arena, path);

	test_write_file(scratch, as_host_cpu(&arena, level));
	if (!virsh_takes("cpu-baseline", scratch))
		fail_msg("libvirt does not know a name of %s", path);
	test_write_file(scratch,
		arena_format(&arena,
			"<domain type='test'><name>t</name><memory>65536</memory>"
			"<os><type>hvm</type></os>%s</domain>",
			level));
	if (!virsh_takes("define", scratch))
		fail_msg("libvirt cannot read %s as a guest's <cpu>", path);
	arena_destroy(&arena);
}

static void libvirt_itself_reads_the_levels_of_the_cases(void **state)
{
	char scratch[] = "/tmp/cpuherd-render-XXXXXX";
	glob_t levels;

	(void)state;
	if (system("command -v virsh >/dev/null") != 0) {
		print_message("skipped: virsh is not installed\n");
		skip();
	}
	assert_int_equal(glob(TESTS_DIR "/cases/*/level.xml", 0, NULL, &levels), 0);
	assert_true(levels.gl_pathc > 3);
	close(mkstemp(scratch));
	for (size_t i = 0; i < levels.gl_pathc; i++)
		assert_libvirt_reads(levels.gl_pathv[i], scratch);
	unlink(scratch);
	globfree(&levels);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_is_one_cpu_element),
		cmocka_unit_test(the_width_of_addresses_stands_where_libvirt_writes_it),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(a_vendor_of_the_catalogue_may_have_a_blank),
		cmocka_unit_test(nothing_but_names_gets_into_the_xml),
		cmocka_unit_test(a_level_too_long_for_its_place_is_refused),
		cmocka_unit_test(libvirt_itself_reads_the_levels_of_the_cases),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
