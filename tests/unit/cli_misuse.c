/* The built cpuherd, called wrongly: one line on standard error, nothing on standard
 * output, and the right exit status.  And called for help: rightly. */
#include "tests/support/shell.h"
#include "tests/support/test.h"

/* CTest runs every unit test in the build folder. */
#define CPUHERD "coordinator/cpuherd"

static struct arena arena;

static struct shell_result shell(const char *line)
{
	return shell_run(&arena, line);
}

static int built(void **state)
{
	(void)state;
	return shell_find(CPUHERD);
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static const struct misuse {
	const char *words;
	int status;
	const char *line;
} misuses[] = {
	{ "", 2, "what is to be done? see cpuherd --help" },
	{ "negotiat", 2, "there is no verb 'negotiat'; see cpuherd --help" },
	{ "--bogus", 2, "there is no verb '--bogus'; see cpuherd --help" },
	{ "plan", 2, "plan: no nodes; name them (node[01-16]) or give --hosts FILE" },
	{ "plan --bogus n1", 2,
		"plan: unknown or unclear option '--bogus'; see cpuherd plan --help" },
	{ "plan -Z n1", 2,
		"plan: unknown or unclear option '-Z'; see cpuherd plan --help" },
	{ "plan --save x n1", 2,
		"plan: it takes no option '--save'; see cpuherd plan --help" },
	{ "negotiate --from x", 2,
		"negotiate: it takes no option '--from'; see cpuherd negotiate --help" },
	{ "plan --port", 2,
		"plan: an argument is missing after '--port'; see cpuherd plan --help" },
	{ "plan --json=yes n1", 2,
		"plan: no argument is taken by '--json=yes'; see cpuherd plan --help" },
	{ "plan --port 65536 n1", 2,
		"plan: --port 65536: a number from 1 to 65535 is needed" },
	{ "plan -F /nonexistent n1", 3, "/nonexistent: No such file or directory" },
	{ "plan -F none -o Host=x n1", 2, "-o 'Host=x': Host belongs into a file" },
	{ "plan -F none -J n1 n1", 3,
		"command line: ProxyJump: n1 would be reached through itself" },
	{ "plan --timeout -1 n1", 2,
		"plan: --timeout -1: a number from 1 to 86400 is needed" },
	{ "plan --user '' n1", 2, "plan: --user needs a NAME, not an empty word" },
	{ "negotiate --target domains n1", 2,
		"negotiate: --target domains: which? --domains all, tag, or their "
		"names" },
	{ "negotiate --domains all n1", 2,
		"negotiate: --domains goes with --target domains" },
	{ "negotiate --target stanza --machine q35 n1", 2,
		"negotiate: --machine goes with --target domains" },
	{ "plan --virt-type xen n1", 2,
		"plan: --virt-type xen: it is kvm, qemu or auto" },
	{ "plan --level-name ../x n1", 2,
		"plan: --level-name ../x: at most 128 letters, digits, '.', '_' and '-' "
		"make a "
		"name" },
	{ "plan --simd mmx n1", 2,
		"plan: --simd mmx: no such kernel, or not on this CPU" },
	{ "plan --from /tmp n1", 2,
		"plan: --from takes its nodes from there; name no others" },
	{ "version n1", 2, "version: takes no nodes" },
	{ "help sailing", 2, "help: nothing is known of 'sailing'; see cpuherd --help" },
	{ "plan 'node[1-'", 3, "'node[1-', column 8: it ends where a number should be" },
	{ "plan n1 -x n2", 3, "n2 names no node of this run" },
	{ "plan n1 -x n1,n2", 3, "'n1,n2', column 4: n2 names no node of this run" },
	{ "plan n1 ^n2", 3, "^n2 names no node of this run" },
	{ "plan n1 --limit n2", 3, "n2 names no node of this run" },
	{ "plan n1 --limit @/nonexistent", 3,
		"'@/nonexistent', column 1: /nonexistent: No such file or directory" },
	{ "plan n1 --limit '!n1'", 2, "plan: every node is left out: none remains" },
	{ "plan ^n1", 2, "plan: no nodes; name them (node[01-16]) or give --hosts FILE" },
	{ "plan n1 --failed ''", 2, "plan: --failed needs a FILE, not an empty word" },
	{ "render --failed x", 2,
		"render: it takes no option '--failed'; see cpuherd render --help" },
	{ "probe n1 --without avx2", 3, "avx2 names no node of this run" },
	{ "plan n1 -x n1", 2, "plan: every node is left out: none remains" },
	{ "plan n1 --without n2", 2,
		"--without n2: it is neither a node of this run nor a feature" },
	{ "plan n1 n2 --without n1,n3", 2,
		"--without n3: it is neither a node of this run nor a feature" },
	{ "plan n1 n2 --without n1,", 2, "--without n1,: an empty word in it" },
	{ "plan n1 --require avx,avx2,", 2, "--require avx,avx2,: an empty word in it" },
	{ "plan n1 avx2 --without avx2", 2,
		"--without avx2: a node and a feature have that name; say --exclude avx2 "
		"for the node or --without feature:avx2 for the feature" },
	{ "plan n1 --without feature:avx22", 2,
		"--without avx22: no feature of that name is known; did you mean avx2?" },
	{ "plan n1 --without sse4_1 --require sse4.1", 2,
		"--without sse4_1 and --require the same: which is it to be?" },
	{ "plan n1 --require avx512q", 2,
		"--require avx512q: no feature of that name is known; did you mean "
		"avx512f, avx512dq?" },
	{ "plan n1 --require zzzzzzzz", 2,
		"--require zzzzzzzz: no feature of that name is known" },
	{ "plan n1 --prefer shortest", 2,
		"plan: --prefer shortest: it is fewest or libvirt" },
	{ "plan n1 --prefer libvirt --model EPYC", 2,
		"plan: --model leaves nothing to --prefer; give one of them" },
	{ "plan --hosts /nonexistent", 3, "/nonexistent: No such file or directory" },
	{ "probe --known-hosts / n1", 3, "/: Is a directory" },
	{ "plan --from /nonexistent", 3, "/nonexistent: No such file or directory" },
};

static void misuse_gets_one_line_and_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++) {
		const struct misuse *m = &misuses[i];
		struct shell_result r = shell(
			arena_format(&arena, CPUHERD " %s", m->words));

		assert_string_equal(
			r.err, arena_format(&arena, "cpuherd: %s\n", m->line));
		assert_string_equal(r.out, "");
		assert_int_equal(r.status, m->status);
	}
}

static void help_explains_every_verb(void **state)
{
	static const char *const verbs[] = { "negotiate", "plan", "probe", "render",
		"version", "help" };
	struct shell_result r = shell(CPUHERD " --help");

	(void)state;
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	assert_contains(r.out, "Examples:");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		struct shell_result own = shell(
			arena_format(&arena, CPUHERD " %s --help", verbs[i]));

		assert_contains(r.out, arena_format(&arena, "\n  %s ", verbs[i]));
		assert_int_equal(own.status, 0);
		assert_contains(
			own.out, arena_format(&arena, "Usage: cpuherd %s", verbs[i]));
		assert_contains(own.out, "--help");
	}
}

static void json_of_a_failed_run_is_an_object_all_the_same(void **state)
{
	struct shell_result r = shell(CPUHERD " plan --json --from /nonexistent");

	(void)state;
	assert_int_equal(r.status, 3);
	assert_contains(r.out, "\"code\": \"INPUT\"");
	assert_contains(r.err, "cpuherd: /nonexistent: ");
}

/* The wishes are read before there is a catalogue for the run's own features. */
static void json_of_a_run_that_never_began_has_its_wishes(void **state)
{
	static const struct {
		const char *words, *want;
		int status;
	} rows[] = {
		{ "--from /nonexistent --require aes", "\"aes\"", 3 },
		{ "n1 --without aes --require aes", "\"code\": \"USAGE\"", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct shell_result r = shell(
			arena_format(&arena, CPUHERD " plan --json %s", rows[i].words));

		assert_int_equal(r.status, rows[i].status);
		assert_non_null(strstr(r.out, rows[i].want));
	}
}

static void an_output_that_is_full_is_told(void **state)
{
	struct shell_result r = shell("{ " CPUHERD " version >/dev/full; }");

	(void)state;
	assert_int_equal(r.status, 6);
	assert_contains(r.err, "standard output");
}

/* A run of one node that refuses connections. */
#define REFUSED CPUHERD " probe -F none --no-agent --connect-timeout 5 127.0.0.1:1"

static void closed_standard_streams_do_not_become_sockets(void **state)
{
	static const char *const closed[] = { ">&-", "<&-", "2>&-", "<&- >&- 2>&-" };

	(void)state;
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		struct shell_result r = shell(
			arena_format(&arena, "{ " REFUSED " %s; }", closed[i]));

		assert_int_equal(r.status, 10);
	}
}

/* As with `cpuherd -v ... 2>&1 | tee log` and Ctrl-C, which ends tee at once. */
static void a_reader_of_its_output_that_goes_away_does_not_end_a_run(void **state)
{
	struct shell_result r = shell(
		"{ { { sleep 0.2; " REFUSED " -v 2>&1; echo $? >&3; } | true; } 3>&1; }");

	(void)state;
	assert_string_equal(r.out, "10\n");
}

static void the_soft_limit_of_open_files_is_raised(void **state)
{
	struct shell_result r = shell("{ ulimit -Sn 24; " REFUSED " 127.0.0.[2-60]:1; }");

	(void)state;
	assert_int_equal(r.status, 10);
	assert_null(strstr(r.out, "open files"));
	assert_contains(r.out, "127.0.0.60:1: connect to 127.0.0.60 port 1: ");
}

static void a_hard_limit_of_open_files_is_told_before_any_node_is_asked(void **state)
{
	struct shell_result r = shell("( ulimit -n 60; " REFUSED " 127.0.0.[2-60]:1; )");

	(void)state;
	assert_int_equal(r.status, 4);
	assert_contains(r.err, "cpuherd: no connection fits here: ulimit -n is 60 (at "
			       "least 65 are needed)");
}

/* What cannot all be open at once is asked a few at a time. */
static void few_open_files_are_enough_for_many_nodes(void **state)
{
	struct shell_result r = shell("( ulimit -n 70; " REFUSED " 127.0.0.[2-60]:1; )");

	(void)state;
	assert_int_equal(r.status, 10);
	assert_null(strstr(r.out, "open files"));
	assert_contains(r.out, "127.0.0.60:1: connect to 127.0.0.60 port 1: ");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(misuse_gets_one_line_and_its_status),
		cmocka_unit_test(help_explains_every_verb),
		cmocka_unit_test(json_of_a_failed_run_is_an_object_all_the_same),
		cmocka_unit_test(json_of_a_run_that_never_began_has_its_wishes),
		cmocka_unit_test(an_output_that_is_full_is_told),
		cmocka_unit_test(the_soft_limit_of_open_files_is_raised),
		cmocka_unit_test(
			a_hard_limit_of_open_files_is_told_before_any_node_is_asked),
		cmocka_unit_test(few_open_files_are_enough_for_many_nodes),
		cmocka_unit_test(closed_standard_streams_do_not_become_sockets),
		cmocka_unit_test(
			a_reader_of_its_output_that_goes_away_does_not_end_a_run),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, built, forget);
}
