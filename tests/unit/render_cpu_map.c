/* A level as a model of libvirt's cpu_map, and the index that names it. */
#include <glob.h>
#include <stdlib.h>

#include "coordinator/render/cpu_map.h"
#include "proto/limits.h"
#include "tests/support/test.h"

static const char small_index[] = "<cpus>\n"
				  "  <arch name='x86'>\n"
				  "    <include filename='x86_features.xml'/>\n"
				  "\n"
				  "    <!-- models -->\n"
				  "    <group name='Hygon CPU models'>\n"
				  "      <include filename='x86_Dhyana.xml'/>\n"
				  "    </group>\n"
				  "  </arch>\n"
				  "\n"
				  "  <arch name='arm'>\n"
				  "    <include filename='arm_Falkor.xml'/>\n"
				  "  </arch>\n"
				  "</cpus>\n";

/* The index with the model; NULL with *e where there is none. */
static char *with_model(
	struct arena *arena, const char *index, const char *name, struct err *e)
{
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	char *text = NULL;

	if (cpu_map_render_index(&out, bytes_of(index), name, e) == RC_OK)
		text = arena_text_n(arena, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

/* ---- the model */

static void a_model_says_all_its_features_and_is_never_picked(void **state)
{
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	struct level l = { .model = "Penryn", .vendor = "Intel" };
	struct bitset said = { { 0 } };
	struct arena arena = { 0 };
	struct catalogue *c;
	struct err e;

	(void)state;
	c = catalogue_new(&arena, &e);
	bitset_add(&said, (size_t)catalogue_find_row("sse4.1"));
	bitset_add(&said, (size_t)catalogue_find_row("avx"));
	assert_rc(
		cpu_map_render_model(&out, c, &l, &said, "herd", &arena, &e), RC_OK, &e);
	buf_append(&out, "", 1);
	assert_string_equal((const char *)buf_bytes(&out).data,
		"<cpus>\n"
		"  <model name='herd'>\n"
		"    <decode host='off' guest='off'/>\n"
		"    <vendor name='Intel'/>\n"
		"    <feature name='avx'/>\n"
		"    <feature name='sse4.1'/>\n"
		"  </model>\n"
		"</cpus>\n");
	buf_destroy(&out);
	arena_destroy(&arena);
}

static void a_name_that_means_something_to_libvirt_or_qemu_is_refused(void **state)
{
	static const char *const taken[] = { "Haswell", "qemu64", "EPYC-Rome", "host",
		"max", "base", "Denverton", "Haswell-v1" };
	static const char *const odd[] = { "", "a b", "a'b", "../x", "-x", ".x", "a/b",
		"<x>" };
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		assert_rc(cpu_map_check_name(taken[i], &e), RC_TARGET, &e);
		assert_contains(e.text, "--level-name");
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_rc(cpu_map_check_name(odd[i], &e), RC_TARGET, &e);
	assert_rc(cpu_map_check_name("baseline", &e), RC_OK, &e);
}

/* ---- the index */

static void the_models_file_comes_last_of_those_for_x86(void **state)
{
	struct arena arena = { 0 };
	struct err e;

	(void)state;
	assert_string_equal(with_model(&arena, small_index, "herd", &e),
		"<cpus>\n"
		"  <arch name='x86'>\n"
		"    <include filename='x86_features.xml'/>\n"
		"\n"
		"    <!-- models -->\n"
		"    <group name='Hygon CPU models'>\n"
		"      <include filename='x86_Dhyana.xml'/>\n"
		"    </group>\n"
		"    <include filename='cpuherd_herd.xml'/>\n"
		"  </arch>\n"
		"\n"
		"  <arch name='arm'>\n"
		"    <include filename='arm_Falkor.xml'/>\n"
		"  </arch>\n"
		"</cpus>\n");
	arena_destroy(&arena);
}

/* One line more, every other byte equal, and the second time nothing. */
static void assert_one_line_more(struct arena *arena, const char *index)
{
	static const char line[] = "    <include filename='cpuherd_herd.xml'/>\n";
	struct err e;
	char *once = with_model(arena, index, "herd", &e), *at;

	assert_non_null(once);
	at = strstr(once, line);
	assert_non_null(at);
	assert_string_equal(with_model(arena, once, "herd", &e), once);
	assert_int_equal(strlen(once), strlen(index) + sizeof(line) - 1);
	assert_memory_equal(once, index, (size_t)(at - once));
	assert_string_equal(at + sizeof(line) - 1, index + (at - once));
	assert_memory_equal(at + sizeof(line) - 1, "  </arch>\n", 10);
	assert_null(strstr(at + sizeof(line), "x86_"));
	assert_non_null(strstr(with_model(arena, once, "other", &e), line));
}

static void only_one_line_is_added_to_the_index_of_any_libvirt(void **state)
{
	const char *roots = getenv("HOME") ? getenv("HOME") : "";
	struct arena arena = { 0 };
	glob_t found = { 0 };

	(void)state;
	assert_one_line_more(&arena, small_index);
	(void)glob("/usr/share/libvirt/cpu_map/index.xml", 0, NULL, &found);
	(void)glob(
		arena_format(&arena,
			"%s/.cache/cpuherd/roots/*/usr/share/libvirt/cpu_map/index.xml",
			roots),
		GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		assert_one_line_more(&arena, test_read_file(&arena, found.gl_pathv[i]));
	print_message("%zu indexes of installed libvirts\n", found.gl_pathc);
	globfree(&found);
	arena_destroy(&arena);
}

static void an_index_of_another_shape_is_not_guessed_at(void **state)
{
	static const char *const odd[] = {
		"",
		"<cpus>\n</cpus>\n",
		"<cpus>\n  <arch name='arm'>\n  </arch>\n</cpus>\n",
		"<cpus>\n  <arch name='x86'>\n</cpus>\n",
		"<cpus>\n  <arch name='x86'>\n  </arch>\n",
		"<cpus>\n  <arch name='x86'>\n  </arch>\n  <arch name='x86'>\n  "
		"</arch>\n</cpus>\n",
		"<cpus>\n  <arch name='x86'></arch>\n</cpus>\n",
		"<cpus>\n  <arch name='x86'>\n    <!-- two\n lines -->\n  "
		"</arch>\n</cpus>\n",
		"<cpus>\n  <arch name='x86'>\n    <include filename='a.xml'/> <x/>\n  "
		"</arch>\n</cpus>\n",
		"<cpus>\n  <arch name='x86'>\n    <include filename='a.xml\"/>\n  "
		"</arch>\n</cpus>\n",
		"<!DOCTYPE cpus>\n<cpus>\n  <arch name='x86'>\n  </arch>\n</cpus>\n",
		"<cpus>\n  <include filename='a.xml'/>\n  <arch name='x86'>\n  "
		"</arch>\n</cpus>\n",
		"<cpus>\n  <arch name='x86'>\n    <group name='a'>\n  </arch>\n</cpus>\n",
		"</cpus>\n",
		"<cpus>\n  <arch name='x86'>\n    <!-- a --> <include "
		"filename='a.xml'/>\n"
		"  </arch>\n</cpus>\n",
		"<cpus>\n  <arch name='x86'>\n    <!-- a --> <!-- b -->\n"
		"  </arch>\n</cpus>\n",
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct err e = { 0 };

		assert_null(with_model(&arena, odd[i], "herd", &e));
		assert_rc(e.code, RC_TARGET, &e);
		assert_contains(e.text, "not laid out");
	}
	arena_destroy(&arena);
}

/* Cut anywhere, an index is refused: nothing is added to half a list. */
static void an_index_that_is_cut_short_is_refused(void **state)
{
	size_t whole = strlen(small_index) - 1; /* the last newline may be missing */
	struct arena arena = { 0 };
	struct err e;

	(void)state;
	for (size_t size = 0; size < whole; size++)
		assert_null(with_model(
			&arena, arena_text_n(&arena, small_index, size), "herd", &e));
	assert_non_null(
		with_model(&arena, arena_text_n(&arena, small_index, whole), "herd", &e));
	arena_destroy(&arena);
}

static void a_model_of_that_name_from_elsewhere_is_refused(void **state)
{
	struct arena arena = { 0 };
	struct err e;

	(void)state;
	assert_null(with_model(&arena,
		"<cpus>\n  <arch name='x86'>\n    <include filename='x86_herd.xml'/>\n"
		"  </arch>\n</cpus>\n",
		"herd", &e));
	assert_rc(e.code, RC_TARGET, &e);
	assert_contains(e.text, "--level-name");
	assert_null(with_model(&arena,
		"<cpus>\n  <arch name='x86'>\n  </arch>\n  <arch name='arm'>\n"
		"    <include filename='cpuherd_herd.xml'/>\n  </arch>\n</cpus>\n",
		"herd", &e));
	assert_contains(e.text, "line 5");
	arena_destroy(&arena);
}

static void a_line_in_a_comment_is_no_include(void **state)
{
	struct arena arena = { 0 };
	struct err e;

	(void)state;
	assert_non_null(
		strstr(with_model(&arena,
			       "<cpus>\n  <arch name='x86'>\n"
			       "    <!-- <include filename='cpuherd_herd.xml'/> -->\n"
			       "  </arch>\n</cpus>\n",
			       "herd", &e),
			"-->\n    <include filename='cpuherd_herd.xml'/>\n"));
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_model_says_all_its_features_and_is_never_picked),
		cmocka_unit_test(
			a_name_that_means_something_to_libvirt_or_qemu_is_refused),
		cmocka_unit_test(the_models_file_comes_last_of_those_for_x86),
		cmocka_unit_test(only_one_line_is_added_to_the_index_of_any_libvirt),
		cmocka_unit_test(an_index_of_another_shape_is_not_guessed_at),
		cmocka_unit_test(an_index_that_is_cut_short_is_refused),
		cmocka_unit_test(a_model_of_that_name_from_elsewhere_is_refused),
		cmocka_unit_test(a_line_in_a_comment_is_no_include),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
