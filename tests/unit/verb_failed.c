/* --failed FILE: who is in it after a run, and what becomes of the file. */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/fake_run.h"
#include "tests/support/nodes.h"

#define FOLDER "unit_verb_failed.d"
#define LIST FOLDER "/list"

static int all_well_with_list(void **state)
{
	test_run("rm -rf " FOLDER " && mkdir " FOLDER);
	test_write_file(LIST, "of yesterday\n");
	return all_well(state);
}

static int no_trace(void **state)
{
	(void)state;
	test_run("rm -rf " FOLDER);
	return 0;
}

static enum rc run(const char *words, struct err *e)
{
	return run_verb(words, NULL, e);
}

#define RUN(verb) verb " --quiet --failed " LIST " root@node01:22 node02 node03"

/* The file holds this, nothing is beside it, and the nodes in it are read back. */
static void assert_list(const char *text, const char *nodes)
{
	char *found = test_read_file(&arena, LIST);

	if (text)
		assert_string_equal(found, text);
	if (nodes)
		assert_string_equal(nodes_of_file(&arena, found, strlen(found)), nodes);
	test_run("test \"$(ls -A " FOLDER ")\" = list");
}

static void a_run_that_went_well_leaves_an_empty_file(void **state)
{
	static const char *const runs[] = { RUN("probe"), RUN("plan"), RUN("negotiate") };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct err e = { 0 };

		test_write_file(LIST, "of yesterday\n");
		assert_rc(run(runs[i], &e), RC_OK, &e);
		assert_list("", "");
	}
}

static void who_failed_is_in_it_with_the_reason(void **state)
{
	struct err e = { 0 };

	(void)state;
	fake_nodes[0].unreachable = RC_TIMEOUT;
	fake_nodes[2].ways[MESSAGE_ask_facts] = FAKE_FAILS;
	assert_int_not_equal(run(RUN("negotiate"), &e), RC_OK);
	assert_list(NULL, "root@node01:22 node03");
	assert_contains(test_read_file(&arena, LIST), "root@node01:22  # TIMEOUT: ");
	assert_contains(test_read_file(&arena, LIST), "\nnode03  # ");
}

/* A node without an outcome of its own must not pass for one that is done. */
static void after_an_interrupt_all_that_is_not_done_has_failed(void **state)
{
	static const enum message_tag phases[] = { MESSAGE_ask_facts, MESSAGE_propose,
		MESSAGE_look, MESSAGE_commit };
	struct err e = { 0 };

	(void)state;
	for (size_t p = 0; p < sizeof(phases) / sizeof(phases[0]); p++) {
		all_well_with_list(NULL);
		fake_nodes[1].interrupt_at = (int)phases[p];
		assert_rc(run(RUN("negotiate"), &e), RC_INTERRUPTED, &e);
		assert_list(NULL, "root@node01:22 node02 node03");
	}
	all_well_with_list(NULL);
	fake_nodes[1].interrupt_at = MESSAGE_ask_facts;
	assert_rc(run(RUN("probe"), &e), RC_INTERRUPTED, &e);
	assert_list(NULL, "root@node01:22 node02 node03");
}

/* No level: a run may fail where no node has. */
static void a_run_may_fail_where_no_node_did(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(run(RUN("plan --require avx2"), &e), RC_LEVEL, &e);
	assert_list("", "");
}

static void where_the_nodes_are_not_known_the_file_stays(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(run("plan --quiet --failed " LIST " node[1-", &e), RC_INPUT, &e);
	assert_list("of yesterday\n", NULL);
	assert_rc(run("plan --quiet --failed " LIST " n1 --limit n2", &e), RC_INPUT, &e);
	assert_list("of yesterday\n", NULL);
}

static void a_list_that_cannot_be_written_is_told_and_the_run_keeps_its_own_trouble(
	void **state)
{
	static const char *const places[] = { FOLDER "/no/list", FOLDER "/list/x", FOLDER,
		"/dev/full" };
	struct err e = { 0 };

	(void)state;
	fake_nodes[0].unreachable = RC_AUTH;
	for (int i = 0; i < 4; i++) {
		char *words = arena_format(
			&arena, "probe --quiet --failed %s node01 node02", places[i]);

		assert_rc(run(words, &e), RC_AUTH, &e);
	}
	fake_nodes[0].unreachable = RC_OK;
	for (int i = 0; i < 3; i++) { /* an empty list fits into /dev/full */
		char *words = arena_format(
			&arena, "probe --quiet --failed %s node01 node02", places[i]);

		assert_rc(run(words, &e), RC_OUTPUT, &e);
		assert_contains(e.text, places[i]);
		assert_contains(e.text, "the run itself: 2 nodes");
	}
	assert_list("of yesterday\n", NULL);
}

static void links_modes_and_devices_stay_what_they_are(void **state)
{
	struct stat st;
	struct err e = { 0 };

	(void)state;
	fake_nodes[0].unreachable = RC_AUTH;
	test_run("chmod 640 " LIST " && ln -s list " FOLDER "/link");
	assert_rc(run("probe --quiet --failed " FOLDER "/link node01 node02", &e),
		RC_AUTH, &e);
	assert_int_equal(lstat(FOLDER "/link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(FOLDER "/link"), 0);
	assert_list(NULL, "node01");
	assert_int_equal(stat(LIST, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_rc(run("probe --quiet --failed /dev/null node01 node02", &e), RC_AUTH, &e);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));

	assert_int_equal(unlink(LIST), 0);
	umask(027);
	assert_rc(run("probe --quiet --failed " LIST " node01 node02", &e), RC_AUTH, &e);
	assert_int_equal(stat(LIST, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	umask(022);
}

/* The loop that the file is for. */
static void the_next_run_takes_it_as_hosts_or_as_limit(void **state)
{
	struct err e = { 0 };

	(void)state;
	fake_nodes[1].unreachable = RC_AUTH;
	assert_rc(run(RUN("probe"), &e), RC_AUTH, &e);
	assert_list(NULL, "node02");
	assert_rc(run("probe --quiet --hosts " LIST " --failed " LIST, &e), RC_AUTH, &e);
	assert_list(NULL, "node02");
	assert_rc(run(RUN("probe --limit @" LIST), &e), RC_AUTH, &e);
	assert_list(NULL, "node02");
	fake_nodes[1].unreachable = RC_OK;
	assert_rc(run(RUN("probe --limit @" LIST), &e), RC_OK, &e);
	assert_list("", "");
	assert_rc(run(RUN("probe --limit @" LIST), &e), RC_INPUT, &e);
	assert_contains(e.text, "names no node");
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, all_well_with_list, no_trace)
	const struct CMUnitTest tests[] = {
		CASE(a_run_that_went_well_leaves_an_empty_file),
		CASE(who_failed_is_in_it_with_the_reason),
		CASE(after_an_interrupt_all_that_is_not_done_has_failed),
		CASE(a_run_may_fail_where_no_node_did),
		CASE(where_the_nodes_are_not_known_the_file_stays),
		CASE(a_list_that_cannot_be_written_is_told_and_the_run_keeps_its_own_trouble),
		CASE(links_modes_and_devices_stay_what_they_are),
		CASE(the_next_run_takes_it_as_hosts_or_as_limit),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, read_facts, forget_facts);
}
