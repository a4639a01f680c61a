/* The built cpuherd, saying levels in other words; and those who read them: Python's
 * readers of INI, YAML and JSON stand for nova, Zuul and KubeVirt. */
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/shell.h"
#include "tests/support/test.h"

/* CTest runs every unit test in the build folder. */
#define CPUHERD "coordinator/cpuherd"
#define CASES TESTS_DIR "/cases/"
#define LEVEL CASES "penryn+sandybridge+haswell/level.xml"

static struct arena arena;

static struct shell_result shell(const char *line)
{
	return shell_run(&arena, line);
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static void a_level_rendered_for_libvirt_is_the_same_file(void **state)
{
	glob_t levels;

	(void)state;
	assert_int_equal(glob(CASES "*/level.xml", 0, NULL, &levels), 0);
	for (size_t i = 0; i < levels.gl_pathc; i++) {
		const char *path = levels.gl_pathv[i];
		struct shell_result r = shell(
			arena_format(&arena, CPUHERD " render %s --virt-type %s", path,
				strstr(path, "tcg") ? "qemu" : "kvm"));

		/* of nodes that gave registers alone it is not known what they add */
		if (!strstr(path, "registers"))
			assert_string_equal(r.err, "");
		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, test_read_file(&arena, path));
	}
	globfree(&levels);
}

static void a_level_comes_from_standard_input_as_well(void **state)
{
	struct shell_result file = shell(CPUHERD " render --as qemu " LEVEL);
	struct shell_result pipe = shell(
		"cat " LEVEL " | " CPUHERD " render --as qemu -");

	(void)state;
	assert_string_equal(pipe.err, "");
	assert_string_equal(pipe.out, file.out);
	assert_contains(pipe.out, "Penryn,vendor=GenuineIntel,");
}

static const struct misuse {
	const char *words;
	int status;
	const char *line;
} misuses[] = {
	{ "render", 2, "render: one FILE with a level, or - for standard input" },
	{ "render a b", 2, "render: one FILE with a level, or - for standard input" },
	{ "render --as vagrant x", 2,
		"render: --as vagrant: it is libvirt, qemu, nova, devstack, zuul, "
		"proxmox, kubevirt, json" },
	{ "render --nova-release queens x", 2,
		"render: --nova-release goes with --as nova, devstack or zuul" },
	{ "render --as qemu --nova-release queens x", 2,
		"render: --nova-release goes with --as nova, devstack or zuul" },
	{ "plan --as qemu --json x", 2,
		"plan: --as prints the level alone, --json a report: one of them" },
	{ "render --from x y", 2,
		"render: it takes no option '--from'; see cpuherd render --help" },
	{ "render /nonexistent", 3, "/nonexistent: No such file or directory" },
	{ "render /", 3, "/: Is a directory" },
	{ "render /dev/null", 3, "/dev/null:1: is not XML: Document is empty" },
	{ "render --as proxmox --level-name a/b x", 2,
		"render: --level-name a/b: at most 128 letters, digits, '.', '_' and '-' "
		"make a name" },
};

static void misuse_gets_one_line_and_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
		struct shell_result r = shell(
			arena_format(&arena, CPUHERD " %s </dev/null", misuses[i].words));

		assert_string_equal(
			r.err, arena_format(&arena, "cpuherd: %s\n", misuses[i].line));
		assert_string_equal(r.out, "");
		assert_int_equal(r.status, misuses[i].status);
	}
	assert_contains(shell(CPUHERD " render --as nova --nova-release kilo x").err,
		"cpuherd: render: --nova-release kilo: it is mitaka, newton, ");
}

static void what_a_file_says_besides_is_warned_of(void **state)
{
	struct shell_result r = shell(
		"sed 's|</cpu>|<topology sockets=\"1\"/></cpu>|' " LEVEL " | " CPUHERD
		" render -");

	(void)state;
	assert_int_equal(r.status, 0);
	assert_contains(r.err, "-: not as cpuherd writes it; only model, vendor, ");
	assert_string_equal(r.out, test_read_file(&arena, LEVEL));
	r = shell("printf '<cpu><model>Haswell</model></cpu>' | " CPUHERD " render -");
	assert_contains(r.err, "-: not closed for kvm guests: to some libvirt or QEMU "
			       "Haswell also means abm, arat, ");
	r = shell("printf '<cpu>\\0</cpu>' | " CPUHERD " render -");
	assert_int_equal(r.status, 3);
	assert_string_equal(r.err, "cpuherd: -: it has a NUL byte\n");
}

static void a_format_that_cannot_say_it_prints_nothing(void **state)
{
	struct shell_result r = shell(
		"printf '<cpu><model>Dhyana</model></cpu>' | " CPUHERD
		" render -q --as proxmox -");

	(void)state;
	assert_int_equal(r.status, 27);
	assert_string_equal(r.out, "");
	assert_string_equal(
		r.err, "cpuherd: Proxmox VE takes no reported-model Dhyana\n");
}

static void notes_go_to_standard_error_and_into_the_text(void **state)
{
	struct shell_result r = shell(
		CPUHERD " render --as nova --nova-release pike " LEVEL);

	(void)state;
	assert_int_equal(r.status, 0);
	assert_contains(r.err, "cpuherd: nova pike can say no feature: lost, ");
	assert_contains(r.out, "# Note: nova pike can say no feature: lost, ");
	r = shell(CPUHERD " render -q --as nova --nova-release pike " LEVEL);
	assert_string_equal(r.err, "");
	assert_contains(r.out, "# Note: ");
}

/* ---- plan --as */

static void a_plan_prints_the_level_alone(void **state)
{
	struct shell_result r = shell(
		CPUHERD " plan --from " CASES "penryn+sandybridge+haswell --as libvirt");

	(void)state;
	assert_string_equal(r.err, "");
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, test_read_file(&arena, LEVEL));
	r = shell(CPUHERD " plan --from " CASES
			  "penryn+sandybridge+haswell --as proxmox --level-name gold");
	assert_contains(r.out, "\ncpu-model: gold\n");
	r = shell(CPUHERD " plan --as json --from " CASES
			  "skylake+a-node-without-kvm/node02.facts");
	assert_contains(r.err, "virt type qemu: no node has kvm");
	assert_contains(r.out, "\"virt_type\": \"qemu\"");
}

static void a_plan_that_fails_prints_its_report_on_standard_error(void **state)
{
	struct shell_result r = shell(
		CPUHERD " plan --from " CASES "skylake+a-node-without-kvm --as nova");

	(void)state;
	assert_int_equal(r.status, 20);
	assert_string_equal(r.out, "");
	assert_contains(r.err, "kvm is missing on node02");
	assert_contains(r.err, "NODE");
}

/* ---- those who read it */

static bool has_python(const char *module)
{
	if (system(arena_format(&arena, "python3 -c 'import %s' 2>/dev/null", module)) ==
		0)
		return true;
	print_message("skipped in part: python3 has no %s here\n", module);
	return false;
}

static void read_by_python(const char *options, const char *program)
{
	struct shell_result r = shell(arena_format(&arena,
		CPUHERD " render %s " LEVEL " | python3 -c '%s'", options, program));

	if (r.status != 0)
		fail_msg("%s: %s", options, r.err);
}

static void nova_s_lines_are_ini(void **state)
{
	static const char program[] =
		"import sys, configparser\n"
		"c = configparser.ConfigParser(interpolation=None, strict=True)\n"
		"c.read_file(sys.stdin)\n"
		"l = c[\"libvirt\"]\n"
		"assert c.sections() == [\"libvirt\", \"workarounds\"] and len(l) == 3\n"
		"assert set(c[\"workarounds\"].values()) == {\"True\"}\n"
		"assert l[\"cpu_mode\"] == \"custom\"\n"
		"assert l[\"cpu_models\"] == \"Penryn\"\n"
		"flags = l[\"cpu_model_extra_flags\"].split(\",\")\n"
		"assert all(f[0] in \"+-\" for f in flags), flags\n"
		"assert \"+tsc-deadline\" in flags and len(flags) == 7, flags\n";

	(void)state;
	if (!has_python("configparser"))
		skip();
	read_by_python("--as nova", program);
}

static void yaml_and_json_are_what_they_should_be(void **state)
{
	static const char zuul[] =
		"import sys, yaml\n"
		"d = yaml.safe_load(sys.stdin)\n"
		"v = d[\"vars\"]\n"
		"assert d[\"group-vars\"][\"subnode\"] == v\n"
		"assert v[\"devstack_localrc\"][\"LIBVIRT_CPU_MODEL\"] == \"Penryn\"\n"
		"o = v[\"devstack_local_conf\"][\"post-config\"][\"$NOVA_CPU_CONF\"]\n"
		"assert \"+x2apic\" in o[\"libvirt\"][\"cpu_model_extra_flags\"]\n";
	static const char kubevirt[] =
		"import sys, yaml\n"
		"c = yaml.safe_load(sys.stdin)[\"domain\"][\"cpu\"]\n"
		"assert c[\"model\"] == \"Penryn\"\n"
		"f = {x[\"name\"]: x[\"policy\"] for x in c[\"features\"]}\n"
		"assert len(f) == 7 and set(f.values()) == {\"require\"}, f\n";
	static const char json[] =
		"import sys, json\n"
		"d = json.load(sys.stdin)\n"
		"assert d[\"schema\"] == \"cpuherd-level/1\" and d[\"model\"] == "
		"\"Penryn\"\n"
		"assert set(d[\"require\"]) <= set(d[\"features\"])\n"
		"assert d[\"features\"] == sorted(d[\"features\"])\n"
		"assert d[\"disable\"] == [] and d[\"maxphysaddr\"] == 36\n";

	(void)state;
	if (has_python("json"))
		read_by_python("--as json", json);
	if (!has_python("yaml"))
		return;
	read_by_python("--as zuul", zuul);
	read_by_python("--as kubevirt", kubevirt);
}

/* Sections and properties as PVE::SectionConfig splits them, and the patterns of
 * qemu-server's CPUConfig.pm for flags and phys-bits. */
static void proxmox_s_section_follows_its_patterns(void **state)
{
	static const char program[] =
		"import sys, re\n"
		"lines = [l for l in sys.stdin.read().splitlines() if l[0] != \"#\"]\n"
		"assert re.fullmatch(r\"(\\S+):\\s*(\\S+)\\s*\", lines[0]), lines[0]\n"
		"p = dict(re.fullmatch(r\"\\s+(\\S+)(?:\\s+(.*\\S))?\\s*\", l).groups()\n"
		"         for l in lines[1:])\n"
		"flag = r\"[+-][a-zA-Z0-9\\-_\\.]+\"\n"
		"assert re.fullmatch(flag + \"(;\" + flag + \")*\", p[\"flags\"]), p\n"
		"assert p[\"reported-model\"] == \"Penryn\" and p[\"phys-bits\"] == "
		"\"36\", p\n";

	(void)state;
	if (!has_python("re"))
		skip();
	read_by_python("--as proxmox", program);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_rendered_for_libvirt_is_the_same_file),
		cmocka_unit_test(a_level_comes_from_standard_input_as_well),
		cmocka_unit_test(misuse_gets_one_line_and_its_status),
		cmocka_unit_test(what_a_file_says_besides_is_warned_of),
		cmocka_unit_test(a_format_that_cannot_say_it_prints_nothing),
		cmocka_unit_test(notes_go_to_standard_error_and_into_the_text),
		cmocka_unit_test(a_plan_prints_the_level_alone),
		cmocka_unit_test(a_plan_that_fails_prints_its_report_on_standard_error),
		cmocka_unit_test(nova_s_lines_are_ini),
		cmocka_unit_test(yaml_and_json_are_what_they_should_be),
		cmocka_unit_test(proxmox_s_section_follows_its_patterns),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, forget);
}
