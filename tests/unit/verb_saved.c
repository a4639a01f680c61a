/* Saved facts: what --save writes and --from reads. */
#include "coordinator/verb/saved.h"
#include "coordinator/verb/sources.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/dump.h"
#include "tests/support/test.h"

static struct arena arena;
static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/cpuherd-saved-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	assert_int_equal(system(arena_format(&arena, "rm -rf %s", folder)), 0);
	arena_destroy(&arena);
	return 0;
}

static const char text[] =
	"source host\n"
	"cpuid 0x00000001 0x00000000 0x000306c3 0x0 0x7ffafbff 0xbfebfbff\n";

static void put_file(const char *name, const char *content)
{
	test_write_file(arena_format(&arena, "%s/%s", folder, name), content);
}

/* The nodes of the folder (or file), joined by blanks; an error as "!text". */
static char *list(const char *path)
{
	struct sources sources = { .arena = &arena };
	struct err e;
	char *names = arena_text(&arena, "");

	if (sources_add(&sources, path, &e) != RC_OK) {
		assert_int_equal(e.code, RC_INPUT);
		return arena_format(&arena, "!%s", e.text);
	}
	sources_finish(&sources);
	for (size_t i = 0; i < sources.count; i++)
		names = arena_format(
			&arena, "%s%s%s", names, i ? " " : "", sources.nodes[i].name);
	return names;
}

static const struct source_node *read_node(const char *name)
{
	struct sources *sources = arena_alloc(&arena, 1, sizeof(*sources));
	const struct source_node *node;
	struct err e;

	sources->arena = &arena;
	assert_rc(sources_add(sources, folder, &e), RC_OK, &e);
	sources_finish(sources);
	node = sources_find(sources, name);
	assert_non_null(node);
	return node;
}

static struct node_facts read_facts(const char *name)
{
	const struct source_node *node = read_node(name);

	if (node->why)
		fail_msg("%s", node->why->text);
	return source_facts(node);
}

static void a_folder_gives_its_facts_files_by_name(void **state)
{
	(void)state;
	put_file("n2.facts", text);
	put_file("n1.txt", text);
	put_file("README.md", "no facts");
	put_file(".hidden.facts", "no facts");
	assert_string_equal(list(folder), "n1 n2");
	assert_string_equal(list(arena_format(&arena, "%s/n2.facts", folder)), "n2");
}

static void folders_that_mean_nothing_clear_are_refused(void **state)
{
	(void)state;
	assert_string_equal(list(folder), arena_format(&arena,
						  "!%s: no *.facts or *.txt file in it, "
						  "nor one that begins as facts do",
						  folder));
	put_file("n1.facts", text);
	put_file("n1.txt", text);
	assert_contains(list(folder), "n1.txt: there are two files of node n1");
	assert_string_equal(
		list("/nonexistent"), "!/nonexistent: No such file or directory");
}

static void a_name_that_is_no_nodes_name_is_refused(void **state)
{
	(void)state;
	put_file("a b.facts", text);
	assert_contains(list(folder), "the name of a facts file is its node's");
}

static void two_nodes_never_share_a_file(void **state)
{
	struct inventory files = { 0 };
	struct err e;

	(void)state;
	assert_rc(saved_claim(&files, "a:1", &arena, &e), RC_OK, &e);
	assert_rc(saved_claim(&files, "a", &arena, &e), RC_OK, &e);
	assert_rc(saved_claim(&files, "a-1", &arena, &e), RC_INPUT, &e);
	assert_contains(
		e.text, "a-1: the facts of another node of this run go to a-1.facts");
}

static void a_bad_line_is_named_with_file_and_line(void **state)
{
	(void)state;
	put_file("n1.facts", "source host\ncpuid nonsense\n");
	put_file("n2.facts", text);
	assert_contains(read_node("n1")->why->text, "/n1.facts:2: ");
	assert_null(read_node("n2")->why);
}

static void what_is_saved_reads_back_the_same(void **state)
{
	struct node_facts facts, again;
	struct buf first = buf_with_cap(1 << 20), second = buf_with_cap(1 << 20);
	struct err e;

	(void)state;
	put_file("n1.txt", text);
	facts = read_facts("n1");
	assert_rc(saved_write(folder, "n2", &facts, &e), RC_OK, &e);
	again = read_facts("n2");
	assert_rc(dump_write(&first, &facts, &e), RC_OK, &e);
	assert_rc(dump_write(&second, &again, &e), RC_OK, &e);
	assert_int_equal(buf_bytes(&first).size, buf_bytes(&second).size);
	assert_memory_equal(
		buf_bytes(&first).data, buf_bytes(&second).data, buf_bytes(&first).size);
	buf_destroy(&first);
	buf_destroy(&second);
}

/* A node's name may hold what a path must not. */
static void any_nodes_name_becomes_a_file_that_from_takes(void **state)
{
	static const char *const names[] = { "[::1]:2222", "127.0.0.1:22",
		"[fe80::1%eth0]" };
	struct node_facts facts;
	struct err e;

	(void)state;
	put_file("x.facts", text);
	facts = read_facts("x");
	for (size_t i = 0; i < 3; i++)
		assert_rc(saved_write(folder, names[i], &facts, &e), RC_OK, &e);
	assert_string_equal(list(folder), "127.0.0.1-22 _--1_-2222 _fe80--1_eth0_ x");
}

/* The old file stays whole, and nothing is left beside it. */
static void a_write_that_fails_leaves_no_trace(void **state)
{
	struct node_facts facts;
	struct err e;

	(void)state;
	put_file("n1.facts", text);
	facts = read_facts("n1");
	/* a folder stands where the file belongs: rename fails, for root as well */
	assert_int_equal(mkdir(arena_format(&arena, "%s/n2.facts", folder), 0700), 0);
	assert_rc(saved_write(folder, "n2", &facts, &e), RC_OUTPUT, &e);
	assert_contains(e.text, "/n2.facts: Is a directory");
	assert_int_equal(
		access(arena_format(&arena, "%s/n2.facts.new", folder), F_OK), -1);
}

static void the_folder_is_made_where_it_is_missing(void **state)
{
	char *deep = arena_format(&arena, "%s/new", folder);
	struct err e;

	(void)state;
	assert_rc(saved_make_folder(deep, &e), RC_OK, &e);
	assert_rc(saved_make_folder(deep, &e), RC_OK, &e);
	put_file("file", "");
	deep = arena_format(&arena, "%s/file", folder);
	assert_rc(saved_make_folder(deep, &e), RC_OUTPUT, &e);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		CASE(a_folder_gives_its_facts_files_by_name),
		CASE(folders_that_mean_nothing_clear_are_refused),
		CASE(a_name_that_is_no_nodes_name_is_refused),
		CASE(two_nodes_never_share_a_file),
		CASE(a_bad_line_is_named_with_file_and_line),
		CASE(what_is_saved_reads_back_the_same),
		CASE(any_nodes_name_becomes_a_file_that_from_takes),
		CASE(a_write_that_fails_leaves_no_trace),
		CASE(the_folder_is_made_where_it_is_missing),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
