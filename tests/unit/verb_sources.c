/* Facts that others gathered, in the shapes that their programs print. */
#include "coordinator/verb/sources.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/texts.h"
#include "tests/support/test.h"

static struct arena arena;
static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/cpuherd-sources-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	test_run("rm -rf %s", folder);
	arena_destroy(&arena);
	return 0;
}

static const char *put_file(const char *name, const char *content)
{
	const char *path = arena_format(&arena, "%s/%s", folder, name);

	test_write_file(path, content);
	return path;
}

/* "node01=NODE1 node02!TEXT": names, each with its hostname or what is wrong; a "!TEXT"
 * alone is the error of the whole. */
static const char *read_all(const char *path)
{
	struct sources s = { .arena = &arena };
	const char *text = "";
	struct err e;

	if (sources_add(&s, path, &e) != RC_OK)
		return arena_format(&arena, "!%s", e.text);
	sources_finish(&s);
	for (size_t i = 0; i < s.count; i++)
		text = arena_format(&arena, "%s%s%s%s%s", text, i ? " " : "",
			s.nodes[i].name, s.nodes[i].why ? "!" : "=",
			s.nodes[i].why ? s.nodes[i].why->text : s.nodes[i].own.hostname);
	return text;
}

#define FIRST "# cpuherd facts 2\n"
#define LEAF "cpuid 0x1 0 0x306c3 0 0x7ffafbff 0xbfebfbff\n"

/* The facts of a node as its peer prints them, with this in front of each line. */
static const char *facts_of(const char *prefix, const char *hostname)
{
	return arena_format(&arena,
		"%s# cpuherd facts 2\n%sfact hostname %s\n%ssource host\n%s" LEAF
		"%stext capabilities\n%s| <a: b/>\n%s|\n%send\n",
		prefix, prefix, hostname, prefix, prefix, prefix, prefix, prefix, prefix);
}

static const char *joined(const char *a, const char *b, const char *c)
{
	return arena_format(&arena, "%s%s%s", a, b, c);
}

static const char *with_cr(const char *text)
{
	char *out = arena_alloc(&arena, 2 * strlen(text) + 1, 1), *to = out;

	for (; *text; *to++ = *text++)
		if (*text == '\n')
			*to++ = '\r';
	return out;
}

static void what_engines_print_is_read_as_it_is(void **state)
{
	const char *a = facts_of("", "A"), *b = facts_of("", "B");
	const struct {
		const char *what, *text, *wanted;
	} forms[] = {
		{ "one behind the other", joined(a, b, ""), "A=A B=B" },
		{ "clush, pdsh", joined(facts_of("n1: ", "A"), facts_of("n2: ", "B"), ""),
			"n1=A n2=B" },
		{ "srun --label",
			joined(facts_of(" 0: ", "A"), facts_of("11: ", "B"), ""),
			"A=A B=B" },
		{ "kubectl logs --prefix",
			joined(facts_of("[pod/x-1/peer] ", "A"),
				facts_of("[pod/x-2/peer] ", "B"), ""),
			"A=A B=B" },
		{ "clush -b",
			arena_format(&arena,
				"---------------\nn[1-2] (2)\n---------------\n%s"
				"---------------\nn7\n---------------\n%s",
				a, b),
			"n1=A n2=A n7=B" },
		{ "ansible",
			arena_format(&arena,
				"n1 | CHANGED | rc=0 >>\n%s\nn2 | SUCCESS | rc=0 "
				">>\n%s\n",
				a, b),
			"n1=A n2=B" },
		{ "ansible's raw, through a terminal",
			arena_format(
				&arena, "n1 | CHANGED | rc=0 >>\r\n%s\r\n", with_cr(a)),
			"n1=A" },
		{ "names with ports",
			joined(facts_of("[::1]:22: ", "A"), facts_of("h:22: ", "B"), ""),
			"_--1_-22=A h-22=B" },
		{ "the same twice",
			joined(facts_of("n1: ", "A"), facts_of("n1: ", "A"), ""),
			"n1=A" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		print_message("  %s\n", forms[i].what);
		assert_string_equal(
			read_all(put_file("gathered", forms[i].text)), forms[i].wanted);
	}
}

/* pdsh and clush print a line as it comes. */
static void lines_of_many_nodes_may_be_mixed(void **state)
{
	char *a = arena_text(&arena, facts_of("n1: ", "A")), *as = NULL;
	char *b = arena_text(&arena, facts_of("n2: ", "B")), *bs = NULL;
	char *one = strtok_r(a, "\n", &as), *two = strtok_r(b, "\n", &bs);
	const char *text = "";

	(void)state;
	while (one || two) {
		text = arena_format(&arena, "%s%s%s%s%s", text, one ? one : "",
			one ? "\n" : "", two ? two : "", two ? "\n" : "");
		one = one ? strtok_r(NULL, "\n", &as) : NULL;
		two = two ? strtok_r(NULL, "\n", &bs) : NULL;
	}
	assert_string_equal(read_all(put_file("gathered", text)), "n1=A n2=B");
}

static void a_file_of_one_node_is_called_as_the_node(void **state)
{
	(void)state;
	put_file("n1.facts", facts_of("", "A"));
	put_file("n2.example.org", facts_of("", "B")); /* clush --outdir */
	put_file("README.md", "# nothing\n");
	put_file("hosts", "n1\n");
	assert_string_equal(read_all(folder), "n1=A n2.example.org=B");
}

/* A disk was full: that node can be left out, and the others are read. */
static void an_empty_file_of_a_folder_is_the_trouble_of_its_node(void **state)
{
	(void)state;
	put_file("n1.facts", facts_of("", "A"));
	put_file("n2.facts", "");
	assert_string_equal(read_all(folder),
		arena_format(&arena, "n1=A n2!%s/n2.facts: it is empty", folder));
}

/* srun --output has standard error in it as well. */
static void an_error_in_a_node_s_file_is_not_a_node_of_its_own(void **state)
{
	const char *got;

	(void)state;
	put_file("n1.facts", facts_of("", "A"));
	put_file("n2.facts", "bash: line 1: cpuherd-peer: command not found\n");
	put_file("n3.facts", "bash: line 1: cpuherd-peer: command not found\n");
	got = read_all(folder);
	assert_contains(got, "n1=A n2!");
	assert_contains(got, "n2.facts (bash):1: no line of a dump begins with");
	assert_contains(got, " n3!");
}

static void a_pipe_in_a_folder_is_not_waited_for(void **state)
{
	(void)state;
	put_file("n1.facts", facts_of("", "A"));
	test_run("mkfifo %s/n2.facts", folder);
	assert_string_equal(read_all(folder),
		arena_format(&arena, "!%s/n2.facts: it is no file", folder));
}

static void a_comment_with_a_colon_is_no_name_of_a_node(void **state)
{
	(void)state;
	put_file("n1.facts",
		joined("#note: by hand\n# more: of it\n", facts_of("", "A"), ""));
	assert_string_equal(read_all(folder), "n1=A");
}

static void what_is_wrong_with_one_node_is_its_own(void **state)
{
	const char *cut = FIRST "fact hostname B\nsource host\n" LEAF;
	const char *good = facts_of("", "A");
	const struct {
		const char *text, *says;
	} cases[] = {
		{ joined(good, cut, ""), "A=A B!" },
		{ arena_format(&arena,
			  "n1 | CHANGED | rc=0 >>\n%s\nn2 | UNREACHABLE! => {\n"
			  "    \"msg\": \"no route: x\",\n    \"unreachable\": true\n}\n",
			  good),
			"n1=A n2!" },
		{ arena_format(&arena,
			  "n2 | FAILED | rc=127 >>\nsh: no such file\nn1 | CHANGED | "
			  "rc=0 "
			  ">>\n%s",
			  good),
			"there are no facts: ansible says FAILED" },
		{ arena_format(&arena,
			  "n2 | CHANGED => {\n    \"stdout\": \"# cpuherd facts 2\"\n}\n"
			  "n1 | CHANGED | rc=0 >>\n%s",
			  good),
			"n2!" },
		{ arena_format(&arena, "%sn2: # cpuherd facts 2\nn2: source host\n",
			  facts_of("n1: ", "A")),
			"(n2): the facts are cut short" },
		/* of before 2: alone it is read, among others nobody knows */
		{ arena_format(&arena, "%sn2: # cpuherd facts 1\nn2: source host\n",
			  facts_of("n1: ", "A")),
			"(n2): it has no `end`" },
		{ arena_format(&arena, "%sn2: %sn2: cpuid x\nn2: end\n",
			  facts_of("n1: ", "A"), FIRST),
			"(n2):2: cpuid needs" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got = read_all(put_file("gathered", cases[i].text));

		print_message("  %s\n", got);
		if (i == 0)
			assert_string_equal(got,
				arena_format(&arena,
					"!%s/gathered (text 2): the facts are cut short: "
					"their last line, `end`, is missing",
					folder));
		else
			assert_contains(got, cases[i].says);
		if (i > 0)
			assert_contains(got, "n1=A");
	}
}

static void a_file_that_says_nothing_clear_is_refused(void **state)
{
	const char *a = facts_of("n1: ", "A"), *b = facts_of("n1: ", "A");
	const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "it is empty" },
		{ "\n\n", "no facts are in it" },
		{ arena_format(
			  &arena, "%ssource host\nend\n%s", FIRST, facts_of("", "B")),
			"nothing says whose facts these are" },
		{ joined(a, "n1: fact kernel 6\n", ""),
			"gathered:9: a line behind the end of a node's facts" },
		{ joined(a, "n1: # cpuherd facts 2\nn1: source host\nn1: end\n", ""),
			"node n1 is there twice, and its facts differ: " },
		{ joined("n1: # cpuherd facts 2\nn1: fact tsc_khz 5\nn1: end\n",
			  "n1: # cpuherd facts 2\nn1: fact tsc_khz 6\nn1: end\n", ""),
			"node n1 is there twice, and its facts differ: " },
		{ joined(a, "fact kernel 6\n", ""), "(text 2): it has no `end`" },
		{ facts_of("", "../x"), "gathered=" },
		{ joined(facts_of("", "../x"), facts_of("", "y"), ""),
			"'../x' is no node's name" },
		{ joined(facts_of("n[1-: ", "A"), b, ""), "(n[1-): " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_contains(
			read_all(put_file("gathered", cases[i].text)), cases[i].says);
}

static void no_line_is_longer_than_its_limit(void **state)
{
	char *line = arena_alloc(&arena, 3 * 1024 * 1024, 1);

	(void)state;
	memset(line, 'x', 3 * 1024 * 1024 - 1);
	assert_contains(
		read_all(put_file("gathered", line)), "gathered:1: a line of more");
}

/* One struct for all, whatever each says of itself. */
static void equal_facts_are_kept_once(void **state)
{
	struct sources s = { .arena = &arena };
	struct err e;

	(void)state;
	put_file("n1.facts", facts_of("", "A"));
	put_file("n2.facts", facts_of("", "B"));
	put_file("n3.facts", joined("# by hand\n", with_cr(facts_of("", "C")), ""));
	assert_rc(sources_add(&s, folder, &e), RC_OK, &e);
	sources_finish(&s);
	assert_ptr_equal(s.nodes[0].facts, s.nodes[1].facts);
	assert_int_equal(intern_compare(s.nodes[0].facts, s.nodes[2].facts), 0);
	assert_ptr_equal(s.nodes[0].facts->text[BODY_capabilities],
		s.nodes[2].facts->text[BODY_capabilities]);
	assert_string_equal(source_facts(&s.nodes[1]).small.hostname, "B");
	assert_string_equal(source_facts(&s.nodes[2]).small.hostname, "C");
}

static size_t memory_held(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Of a hundred thousand nodes that differ in a kernel each had its body several times. */
static void a_body_of_many_is_held_once_whatever_else_differs(void **state)
{
	enum { NODES = 40, BODY_BYTES = 200 * 1024 };
	struct sources s = { .arena = &arena };
	char *line = arena_alloc(&arena, BODY_BYTES + 1, 1);
	const char *path = arena_format(&arena, "%s/many", folder);
	FILE *f = fopen(path, "we");
	struct err e;
	size_t before;

	(void)state;
	if (memory_held() == 0) {
		print_message("SKIP: malloc does not tell what is held\n");
		skip();
	}
	assert_non_null(f);
	memset(line, 'x', BODY_BYTES);
	for (int i = 0; i < NODES; i++)
		fprintf(f,
			"n%d: " FIRST "n%d: fact kernel %d\nn%d: text capabilities\n"
			"n%d: | %s\nn%d: end\n",
			i, i, i, i, i, line, i);
	assert_int_equal(fclose(f), 0);
	before = memory_held();
	assert_rc(sources_add(&s, path, &e), RC_OK, &e);
	assert_int_equal(s.count, NODES);
	print_message("  %zu KiB\n", (memory_held() - before) / 1024);
	assert_true(memory_held() - before < (size_t)NODES * BODY_BYTES * 3 / 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		CASE(what_engines_print_is_read_as_it_is),
		CASE(lines_of_many_nodes_may_be_mixed),
		CASE(a_file_of_one_node_is_called_as_the_node),
		CASE(an_empty_file_of_a_folder_is_the_trouble_of_its_node),
		CASE(an_error_in_a_node_s_file_is_not_a_node_of_its_own),
		CASE(a_pipe_in_a_folder_is_not_waited_for),
		CASE(a_comment_with_a_colon_is_no_name_of_a_node),
		CASE(what_is_wrong_with_one_node_is_its_own),
		CASE(a_file_that_says_nothing_clear_is_refused),
		CASE(no_line_is_longer_than_its_limit),
		CASE(equal_facts_are_kept_once),
		CASE(a_body_of_many_is_held_once_whatever_else_differs),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
