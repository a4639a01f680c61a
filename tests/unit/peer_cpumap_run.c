/* Runs that write libvirt's cpu_map: from staging to the way back, and coordinators that
 * would break it.  Needs root and an installed libvirt, skipped without; the map is a copy
 * below a folder of our own. */
#include <dlfcn.h>

#include "peer/cpumap_child.h"
#include "tests/unit/peer_run.h"

static const char model[] = "<cpus>\n"
			    "  <model name='herd'>\n"
			    "    <decode host='off' guest='off'/>\n"
			    "    <feature name='fpu'/>\n"
			    "  </model>\n"
			    "</cpus>\n";

struct map_rig {
	struct rig t;
	const char *before; /* of each file: name, inode, owner, mode, content */
	struct change change[2];
};

static bool can_run(void)
{
	void *library = dlopen("libvirt.so.0", RTLD_LAZY);

	if (geteuid() == 0 && access(CPUMAP_FOLDER "/index.xml", R_OK) == 0 && library)
		return true;
	print_message("skipped: root and an installed libvirt are needed\n");
	return false;
}

static const char *map_state(struct rig *t)
{
	test_run("cd %s" CPUMAP_FOLDER " && { stat -c '%%n %%i %%u %%a' * .* | sort; "
		 "sha256sum *; } >%s/listed",
		t->root, t->root);
	return test_read_file(&t->arena, real_path(t, "/listed"));
}

static const char *map_text(struct rig *t, const char *file)
{
	return test_read_file(&t->arena,
		arena_format(&t->arena, "%s" CPUMAP_FOLDER "/%s", t->root, file));
}

static const char *with_line(struct rig *t, const char *line)
{
	const char *index = map_text(t, "index.xml"), *at = strstr(index, "  </arch>");

	return arena_format(&t->arena, "%.*s%s%s", (int)(at - index), index, line, at);
}

static void want(struct map_rig *m, size_t i, enum place place, const char *text)
{
	struct spot spot = { place, "herd" };
	struct found found;

	assert_rc(change_file.look(&m->t.run.ground, &spot, &m->t.arena, &found, &m->t.e),
		RC_OK, &m->t.e);
	m->change[i] = (struct change){ place, "herd", bytes_of(text), found.digest, "" };
}

static void map_open(struct map_rig *m)
{
	rig_open(&m->t);
	assert_int_equal(mkdir(real_path(&m->t, "/usr"), 0755), 0);
	assert_int_equal(mkdir(real_path(&m->t, "/usr/share"), 0755), 0);
	assert_int_equal(mkdir(real_path(&m->t, "/usr/share/libvirt"), 0755), 0);
	test_run("cp -r " CPUMAP_FOLDER " %s/usr/share/libvirt/", m->t.root);
	m->before = map_state(&m->t);
	want(m, 0, PLACE_cpu_map, model);
	want(m, 1, PLACE_cpu_map_index,
		with_line(&m->t, "    <include filename='cpuherd_herd.xml'/>\n"));
}

static enum rc stage(struct map_rig *m, size_t from, size_t count)
{
	return stage_changes(&m->t, "r1", m->change + from, count);
}

static void a_map_is_written_read_and_put_back_to_the_byte(void **state)
{
	struct map_rig m;
	const struct reading *reading;

	(void)state;
	if (!can_run())
		return;
	map_open(&m);
	assert_ok(&m.t, stage(&m, 0, 2));
	assert_ok(&m.t, commit_run(&m.t, "r1"));
	assert_string_equal(map_text(&m.t, "cpuherd_herd.xml"), model);
	assert_contains(map_text(&m.t, "index.xml"), "cpuherd_herd.xml");
	assert_ok(&m.t, run_verify(&m.t.run, "r1", &m.t.arena, &m.t.verified, &m.t.e));
	reading = m.t.verified.changes.item;
	for (size_t i = 0; i < 2; i++)
		if (!reading[i].accepted)
			fail_msg("%s: %s", reading[i].path, reading[i].reason);
	assert_ok(&m.t, revert_run(&m.t, "r1"));
	assert_string_equal(map_state(&m.t), m.before);
	rig_close(&m.t);
}

/* What no coordinator of ours would send: the node says no, and nothing stays. */
static void a_malformed_map_never_gets_into_the_folder(void **state)
{
	static const struct {
		const char *model, *line;
	} cases[] = {
		{ "<cpus>\n  <model name='herd'>\n    <feature name='fpu'/>\n  "
		  "</model>\n</cpus>\n",
			"    <include filename='cpuherd_herd.xml'/>\n" },
		{ "<cpus>\n  <model name='herd'>\n"
		  "    <decode host='off' guest='off'/>\n"
		  "    <feature name='nonsense'/>\n  </model>\n</cpus>\n",
			"    <include filename='cpuherd_herd.xml'/>\n" },
		{ "", "    <include filename='cpuherd_herd.xml'/>\n" },
		{ model, "    <include filename='nothing.xml'/>\n" },
		{ model, "    <include filename='../../../../etc/passwd'/>\n" },
		{ model, "    <include\n" },
		{ model, "" },
	};

	(void)state;
	if (!can_run())
		return;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct map_rig m;

		map_open(&m);
		m.change[0].content = bytes_of(cases[i].model);
		m.change[1].content = bytes_of(with_line(&m.t, cases[i].line));
		if (stage(&m, 0, 2) != RC_VOTE)
			fail_msg("case %zu: %s", i, m.t.e.text);
		assert_string_equal(map_state(&m.t), m.before);
		rig_close(&m.t);
	}
}

static void one_file_of_the_two_alone_is_refused(void **state)
{
	static const enum rc wanted[] = { RC_VOTE, RC_TARGET };

	(void)state;
	if (!can_run())
		return;
	for (size_t i = 0; i < 2; i++) {
		struct map_rig m;

		map_open(&m);
		assert_rc(stage(&m, i, 1), wanted[i], &m.t.e);
		assert_string_equal(map_state(&m.t), m.before);
		rig_close(&m.t);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_is_written_read_and_put_back_to_the_byte),
		cmocka_unit_test(a_malformed_map_never_gets_into_the_folder),
		cmocka_unit_test(one_file_of_the_two_alone_is_refused),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
