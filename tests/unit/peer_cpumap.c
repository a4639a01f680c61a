/* Nothing gets into a node's cpu_map that its libvirt has not read before.
 *
 * The judgements need root and an installed libvirt, and are skipped without: they
 * mount in a child's namespace.  What is judged is a copy below a folder of our own; the
 * machine's map is never written. */
#include <dirent.h>
#include <dlfcn.h>

#include "peer/cpumap.h"
#include "peer/cpumap_child.h"
#include "tests/unit/peer_node.h"

static const char model[] = "<cpus>\n"
			    "  <model name='herd'>\n"
			    "    <decode host='off' guest='off'/>\n"
			    "    <vendor name='Intel'/>\n"
			    "    <feature name='avx'/>\n"
			    "    <feature name='fpu'/>\n"
			    "  </model>\n"
			    "</cpus>\n";

/* ---- texts */

static bool is_model(const char *text)
{
	struct arena arena = { 0 };
	struct texts features;
	const char *why;
	bool is = cpumap_is_model(bytes_of(text), "herd", &features, &why, &arena);

	arena_destroy(&arena);
	return is;
}

static void a_model_is_features_and_nothing_else(void **state)
{
	static const char *const odd[][2] = {
		{ "<cpus>\n", "" },
		{ "<cpus>\n",
			"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/shadow'>]>\n" },
		{ "'herd'", "'other'" },
		{ "    <decode host='off' guest='off'/>\n", "" },
		{ "guest='off'", "guest='on'" },
		{ "host='off'", "host='on'" },
		{ "name='avx'", "name='a vx'" },
		{ "name='avx'", "name='a&amp;b'" },
		{ "name='avx'", "name=''" },
		{ "    <feature name='avx'/>\n", "    <model name='Haswell'/>\n" },
		{ "    <feature name='avx'/>\n", "    <vendor name='AMD'/>\n" },
		{ "Intel", "In'tel" },
		{ "</cpus>\n", "</cpus>" },
		{ "</cpus>\n", "</cpus>\n\n" },
		{ "  </model>\n", "" },
		{ "  </model>\n", "  <feature name='b' removed='yes'/>\n" },
	};
	struct arena arena = { 0 };

	(void)state;
	assert_true(is_model(model));
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		const char *at = strstr(model, odd[i][0]);

		assert_false(is_model(arena_format(&arena, "%.*s%s%s", (int)(at - model),
			model, odd[i][1], at + strlen(odd[i][0]))));
	}
	for (size_t size = 0; size + 1 < sizeof(model); size++)
		assert_false(is_model(arena_text_n(&arena, model, size)));
	arena_destroy(&arena);
}

static void the_index_may_gain_one_line_only(void **state)
{
	static const char old[] = "a\n  </arch>\nb\n";
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{ "a\n  </arch>\nb\n", true },
		{ "a\n    <include filename='cpuherd_herd.xml'/>\n  </arch>\nb\n", true },
		{ "<include filename='cpuherd_herd.xml'/>\na\n  </arch>\nb\n", true },
		{ "a\n    <include filename='cpuherd_other.xml'/>\n  </arch>\nb\n",
			false },
		{ "a\n    <include filename='../../../etc/shadow'/>\n  </arch>\nb\n",
			false },
		{ "a\n    <include filename='cpuherd_herd.xml'/>\n  </arch>\nc\n",
			false },
		{ "a\n    <include filename='cpuherd_herd.xml'/>\n", false },
		{ "a\n    <include filename='cpuherd_herd.xml'/><x/>\n  </arch>\nb\n",
			false },
		{ "a\n    <include filename='cpuherd_herd.xml'/>\n  </arch>\nb\nc\n",
			false },
		{ "a\n", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (cpumap_is_index(bytes_of(cases[i].text), bytes_of(old), "herd") !=
			cases[i].is)
			fail_msg("%s", cases[i].text);
}

/* ---- judgements */

struct bench {
	struct node node;
	struct change wanted[2]; /* model, index */
	struct change_ground ground;
	struct change_state state[2];
	struct change_verdict verdict;
};

static void skip_unless_it_can_be_judged(void)
{
	void *library = dlopen("libvirt.so.0", RTLD_LAZY);

	if (geteuid() == 0 && access(CPUMAP_FOLDER "/index.xml", R_OK) == 0 && library)
		return;
	print_message("root and an installed libvirt are needed\n");
	skip();
}

static char *map_path(struct bench *b, const char *file)
{
	return real_path(
		&b->node, arena_format(&b->node.arena, CPUMAP_FOLDER "/%s", file));
}

static const char *map_file(struct bench *b, const char *file)
{
	return test_read_file(&b->node.arena, map_path(b, file));
}

/* The index with the include where it belongs. */
static const char *index_with(struct bench *b, const char *file)
{
	const char *old = map_file(b, "index.xml"), *at = strstr(old, "  </arch>");

	return arena_format(&b->node.arena, "%.*s    <include filename='%s'/>\n%s",
		(int)(at - old), old, file, at);
}

static void want(struct bench *b, const char *model_text, const char *index_text)
{
	b->wanted[0] = (struct change){
		.place = PLACE_cpu_map, .name = "herd", .content = bytes_of(model_text)
	};
	b->wanted[1] = (struct change){ .place = PLACE_cpu_map_index,
		.name = "herd",
		.content = bytes_of(index_text) };
	b->ground = (struct change_ground){ .world = &b->node.world,
		.uri = "qemu:///system",
		.wanted = b->wanted,
		.count = 2 };
	for (size_t i = 0; i < 2; i++)
		b->state[i] = (struct change_state){
			.place = b->wanted[i].place, .name = "herd", .index = i
		};
}

static void bench_open(struct bench *b)
{
	skip_unless_it_can_be_judged();
	node_open(&b->node);
	make_folder(&b->node, "/usr");
	make_folder(&b->node, "/usr/share");
	make_folder(&b->node, "/usr/share/libvirt");
	test_run("cp -r " CPUMAP_FOLDER " %s/usr/share/libvirt/", b->node.root);
	want(b, model, index_with(b, "cpuherd_herd.xml"));
}

static enum rc judge(struct bench *b, size_t which, bool written)
{
	change_judge_fn *const judges[] = { cpumap_judge_model, cpumap_judge_index };
	const struct change_judging j = { &b->ground, &b->state[which],
		b->wanted[which].content, written, &b->node.arena };

	return judges[which](&j, &b->verdict, &b->node.e);
}

static void assert_refused(struct bench *b, const char *part)
{
	assert_rc(judge(b, 1, false), RC_OK, &b->node.e);
	assert_false(b->verdict.accepted);
	assert_contains(b->verdict.reason, part);
}

static void what_libvirt_can_read_is_accepted(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	for (size_t i = 0; i < 2; i++) {
		assert_rc(judge(&b, i, false), RC_OK, &b.node.e);
		if (!b.verdict.accepted)
			fail_msg("%s", b.verdict.reason);
	}
	/* nothing was written anywhere */
	assert_int_not_equal(access(map_path(&b, "cpuherd_herd.xml"), F_OK), 0);
	assert_int_not_equal(access(CPUMAP_FOLDER "/cpuherd_herd.xml", F_OK), 0);
	node_close(&b.node);
}

static void what_was_written_is_read_from_where_it_is(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	test_write_file(map_path(&b, "cpuherd_herd.xml"), model);
	test_write_file(map_path(&b, "index.xml"), index_with(&b, "cpuherd_herd.xml"));
	b.ground.wanted = NULL; /* as after a crash */
	b.ground.count = 0;
	for (size_t i = 0; i < 2; i++) {
		assert_rc(judge(&b, i, true), RC_OK, &b.node.e);
		if (!b.verdict.accepted)
			fail_msg("%s", b.verdict.reason);
	}
	/* somebody else's hand in the other file */
	test_write_file(map_path(&b, "cpuherd_herd.xml"), "<cpus/>\n");
	assert_rc(judge(&b, 1, true), RC_OK, &b.node.e);
	assert_false(b.verdict.accepted);
	node_close(&b.node);
}

static void a_feature_that_the_map_lacks_never_reaches_it(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	want(&b,
		"<cpus>\n  <model name='herd'>\n    <decode host='off' guest='off'/>\n"
		"    <feature name='nonsense'/>\n  </model>\n</cpus>\n",
		index_with(&b, "cpuherd_herd.xml"));
	assert_refused(&b, "nonsense");
	node_close(&b.node);
}

static void a_model_without_decode_and_a_foreign_include_are_refused(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	want(&b,
		"<cpus>\n  <model name='herd'>\n    <feature name='fpu'/>\n"
		"  </model>\n</cpus>\n",
		index_with(&b, "cpuherd_herd.xml"));
	assert_refused(&b, "not a model");
	want(&b, model, index_with(&b, "nothing.xml"));
	assert_refused(&b, "more than the line");
	want(&b, model, index_with(&b, "../../../../etc/shadow"));
	assert_refused(&b, "more than the line");
	node_close(&b.node);
}

/* The include alone, without the file that it names. */
static void a_dangling_include_is_refused(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	b.ground.wanted = &b.wanted[1];
	b.ground.count = 1;
	assert_rc(judge(&b, 1, false), RC_TARGET, &b.node.e);
	assert_contains(b.node.e.text, "cpuherd_herd.xml is not there");
	node_close(&b.node);
}

static void a_model_that_nothing_includes_is_refused(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	b.ground.count = 1; /* the model's file alone */
	assert_rc(judge(&b, 0, false), RC_OK, &b.node.e);
	assert_false(b.verdict.accepted);
	assert_contains(b.verdict.reason, "finds no model herd");
	node_close(&b.node);
}

static void an_include_in_the_wrong_list_is_refused(void **state)
{
	struct bench b;
	const char *old, *at;

	(void)state;
	bench_open(&b);
	old = map_file(&b, "index.xml");
	at = strstr(old, "  <arch name='x86'>\n") + strlen("  <arch name='x86'>\n");
	want(&b, model,
		arena_format(&b.node.arena,
			"%.*s    <include filename='cpuherd_herd.xml'/>\n%s",
			(int)(at - old), old, at)); /* before the features */
	assert_refused(&b, "cannot read its cpu_map");
	node_close(&b.node);
}

/* A map with another name for the bit of avx: libvirt says that one of the model. */
static void a_model_that_means_something_else_to_libvirt_is_refused(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	test_run("sed -i \"s|.*<feature name='avx'>|<feature name='twin'><cpuid "
		 "eax_in='0x01' ecx='0x10000000'/></feature>\\n&|\" %s",
		map_path(&b, "x86_features.xml"));
	assert_refused(&b, "lacks avx");
	node_close(&b.node);
}

static void a_map_that_is_broken_already_is_told_so(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	test_write_file(
		map_path(&b, "x86_Penryn.xml"), "<cpus><model name='Penryn'/></cpus>");
	assert_refused(&b, "that is there now");
	node_close(&b.node);
}

static void who_may_not_mount_is_refused(void **state)
{
	struct bench b;
	pid_t child;
	int status;

	(void)state;
	bench_open(&b);
	test_run("chmod -R go+rX %s", b.node.root);
	child = fork();
	if (child == 0) {
		enum rc rc = setresuid(65534, 65534, 65534) == 0 ? judge(&b, 1, false)
								 : RC_INTERNAL;

		_exit(rc == RC_TARGET && strstr(b.node.e.text, "--become") ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	node_close(&b.node);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_is_features_and_nothing_else),
		cmocka_unit_test(the_index_may_gain_one_line_only),
		cmocka_unit_test(what_libvirt_can_read_is_accepted),
		cmocka_unit_test(what_was_written_is_read_from_where_it_is),
		cmocka_unit_test(a_feature_that_the_map_lacks_never_reaches_it),
		cmocka_unit_test(
			a_model_without_decode_and_a_foreign_include_are_refused),
		cmocka_unit_test(a_dangling_include_is_refused),
		cmocka_unit_test(a_model_that_nothing_includes_is_refused),
		cmocka_unit_test(an_include_in_the_wrong_list_is_refused),
		cmocka_unit_test(a_model_that_means_something_else_to_libvirt_is_refused),
		cmocka_unit_test(a_map_that_is_broken_already_is_told_so),
		cmocka_unit_test(who_may_not_mount_is_refused),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
