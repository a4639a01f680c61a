/* Runs that were interrupted: whatever the moment, resume or rollback brings all nodes to
 * one of two states, and leaves nothing behind. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "coordinator/apply/journal.h"
#include "coordinator/verb/verb.h"
#include "tests/support/fake_run.h"

#define NEGOTIATE "negotiate --quiet node[01-03]"
#define OLD "<cpu mode='old'/>\n"

/* ---- where the coordinator stops */

static struct {
	enum message_tag tag;
	unsigned after; /* so many of these requests were carried */
	bool power_goes;
} stop;

static void stop_there(size_t node, enum message_tag tag)
{
	static unsigned seen;

	(void)node;
	if (tag == stop.tag && seen++ == stop.after)
		fake_coordinator_dies(stop.power_goes);
}

/* The journal file that is there; NULL: none is. */
static char *journal_path(void)
{
	char *runs = arena_format(&arena, "%s/cpuherd/runs", state_folder());
	struct texts names = { 0 };
	struct err e;

	assert_rc(journal_list(runs, &names, &arena, &e), RC_OK, &e);
	assert_true(names.count <= 1);
	return names.count ? arena_format(&arena, "%s/%s.journal", runs, names.item[0])
			   : NULL;
}

static void assert_all(const char *content)
{
	for (int i = 0; i < NODES; i++) {
		assert_true(fake_is_free((size_t)i));
		if (content)
			assert_string_equal(fake_nodes[i].file, content);
		else
			assert_null(fake_nodes[i].file);
	}
	assert_null(journal_path());
}

/* Two of the nodes have an old file. */
static void begin(void **state)
{
	all_well(state);
	fake_nodes[0].file = fake_nodes[1].file = fake_nodes[2].file = (char *)OLD;
}

static void stop_run(void **state, enum message_tag tag, unsigned after, bool power_goes)
{
	begin(state);
	stop.tag = tag;
	stop.after = after;
	stop.power_goes = power_goes;
	fake_hook = stop_there;
	assert_int_equal(run_verb_apart(NEGOTIATE), FAKE_DIED);
	assert_non_null(journal_path());
	fake_fleet_behave();
}

static void assert_all_new(void)
{
	assert_true(strcmp(fake_nodes[0].file, OLD) != 0);
	assert_all(fake_nodes[0].file);
}

static const enum message_tag tags[] = { MESSAGE_stage, MESSAGE_commit, MESSAGE_verify,
	MESSAGE_keep, MESSAGE_forget };

enum { TAGS = sizeof(tags) / sizeof(tags[0]) };

#define EACH_STOP(t, after, power) \
	for (size_t t = 0; t < TAGS; t++) \
		for (unsigned after = 0; after < NODES; after++) \
			for (int power = 0; power < 2; power++)

static void resume_brings_every_interrupted_run_to_its_end(void **state)
{
	struct err e = { 0 };
	char *out;

	EACH_STOP(t, after, power)
	{
		stop_run(state, tags[t], after, power);
		assert_rc(run_verb("resume --quiet", &out, &e), RC_OK, &e);
		assert_all_new();
		assert_contains(out, "3 nodes hold the level");
		assert_contains(
			out, "note (lock): resume writes no lock: give the command");
	}
}

static void rollback_puts_every_run_back_that_has_not_begun_to_forget(void **state)
{
	struct err e = { 0 };
	char *out;

	EACH_STOP(t, after, power)
	{
		stop_run(state, tags[t], after, power);
		if (tags[t] == MESSAGE_forget) {
			assert_rc(run_verb("rollback --quiet", &out, &e), RC_USAGE, &e);
			assert_contains(e.text, "it can only go forward: cpuherd resume");
			assert_rc(run_verb("resume --quiet", &out, &e), RC_OK, &e);
			assert_all_new();
			continue;
		}
		assert_rc(run_verb("rollback --quiet", &out, &e), RC_OK, &e);
		assert_all(OLD);
		assert_contains(out, "3 nodes as before the run");
	}
}

/* The second coordinator is killed as well, wherever it is. */
static void a_resume_that_is_interrupted_itself_can_be_finished_either_way(void **state)
{
	static const enum message_tag seconds[] = { MESSAGE_recover, MESSAGE_stage,
		MESSAGE_commit, MESSAGE_verify, MESSAGE_keep, MESSAGE_forget,
		MESSAGE_revert };
	struct err e = { 0 };

	EACH_STOP(t, after, power)
	{
		for (size_t s = 0; s < 7; s++) {
			bool back = seconds[s] == MESSAGE_revert;

			if (after != 1)
				continue;
			stop_run(state, tags[t], after, power);
			if (back && tags[t] == MESSAGE_forget)
				continue;
			stop.tag = seconds[s];
			stop.after = 1;
			fake_hook = stop_there;
			run_verb_apart(back ? "rollback --quiet" : "resume --quiet");
			fake_fleet_behave();
			if (journal_path() &&
				run_verb("rollback --quiet", NULL, &e) != RC_OK)
				assert_rc(
					run_verb("resume --quiet", NULL, &e), RC_OK, &e);
			assert_all(fake_nodes[0].file);
		}
	}
}

static void a_run_that_was_reverting_is_not_resumed_forward(void **state)
{
	struct err e = { 0 };
	char *out;

	begin(state);
	fake_nodes[2].ways[MESSAGE_verify] = FAKE_FAILS;
	stop.tag = MESSAGE_revert;
	stop.after = 1;
	stop.power_goes = true;
	fake_hook = stop_there;
	assert_int_equal(run_verb_apart(NEGOTIATE), FAKE_DIED);
	fake_fleet_behave();
	assert_rc(run_verb("resume --quiet", &out, &e), RC_OK, &e);
	assert_all(OLD);
}

/* ---- sessions that cannot be held */

/* Then a killed coordinator leaves what it did to the journals. */
static void where_sessions_are_not_held_nodes_wait_for_the_next_coordinator(void **state)
{
	struct err e = { 0 };

	EACH_STOP(t, after, power)
	{
		begin(state);
		stop.tag = tags[t];
		stop.after = after;
		stop.power_goes = power;
		fake_hook = stop_there;
		fake_holds_few = true;
		assert_int_equal(run_verb_apart(NEGOTIATE), FAKE_DIED);
		if (tags[t] == MESSAGE_verify)
			assert_int_equal(fake_nodes[0].state, RUN_STATE_committed);
		fake_fleet_behave();
		if (tags[t] != MESSAGE_forget && !power) {
			assert_rc(run_verb("rollback --quiet", NULL, &e), RC_OK, &e);
			assert_all(OLD);
		} else {
			assert_rc(run_verb("resume --quiet", NULL, &e), RC_OK, &e);
			assert_all_new();
		}
	}
}

/* ---- nodes that are away */

static void what_was_decided_waits_for_a_node_that_is_away(void **state)
{
	struct err e = { 0 };
	char *out;

	for (int back = 0; back < 2; back++) {
		begin(state);
		fake_nodes[1].ways[MESSAGE_keep] = FAKE_IS_KILLED;
		fake_nodes[1].stays_away = true;
		assert_rc(run_verb(NEGOTIATE, &out, &e), RC_PARTIAL, &e);
		assert_rc(run_verb("resume --quiet", &out, &e), RC_PARTIAL, &e);
		assert_contains(e.text, "node02");
		assert_int_equal(fake_nodes[0].state, RUN_STATE_kept);
		fake_fleet_behave();
		assert_rc(
			run_verb(back ? "rollback --quiet" : "resume --quiet", &out, &e),
			RC_OK, &e);
		if (back)
			assert_all(OLD);
		else
			assert_all_new();
	}
}

static void a_rollback_is_done_for_those_that_it_reached(void **state)
{
	struct err e = { 0 };
	char *out;

	begin(state);
	fake_nodes[1].ways[MESSAGE_verify] = FAKE_IS_KILLED;
	fake_nodes[1].stays_away = true;
	assert_rc(run_verb(NEGOTIATE, &out, &e), RC_PARTIAL, &e);
	fake_fleet_behave();
	fake_nodes[1].unreachable = RC_UNREACHABLE;
	/* the others are free for another run */
	assert_rc(run_verb("negotiate --quiet node01 node03", &out, &e), RC_OK, &e);
	assert_rc(run_verb(NEGOTIATE, &out, &e), RC_CONFLICT, &e);
	assert_contains(e.text, "node02: run run-");
	assert_contains(e.text, "is unfinished there: cpuherd resume run-");
	assert_int_equal(fake_nodes[0].asked[MESSAGE_ask_facts], 1);
	fake_fleet_behave();
	fake_nodes[0].unreachable = RC_UNREACHABLE; /* and it is not asked again */
	assert_rc(run_verb("rollback --quiet", &out, &e), RC_OK, &e);
	assert_string_equal(fake_nodes[1].file, OLD);
	assert_null(journal_path());
}

/* ---- which run */

static void without_a_run_there_is_nothing_to_do(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(run_verb("resume --quiet", NULL, &e), RC_USAGE, &e);
	assert_contains(e.text, "resume: there is no unfinished run in ");
	assert_rc(run_verb("rollback --quiet run-1", NULL, &e), RC_USAGE, &e);
	assert_contains(e.text, "has no journal of run-1");
}

static void a_run_that_is_under_way_is_left_alone(void **state)
{
	struct err e = { 0 };
	int fd;

	stop_run(state, MESSAGE_keep, 1, false);
	fd = open(journal_path(), O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	assert_rc(run_verb("resume --quiet", NULL, &e), RC_CONFLICT, &e);
	assert_contains(e.text, "is under way: ");
	assert_contains(e.text, ", process ");
	assert_rc(run_verb("rollback --quiet", NULL, &e), RC_CONFLICT, &e);
	assert_int_equal(fake_nodes[0].asked[MESSAGE_recover], 0);
	close(fd);
	assert_rc(run_verb("rollback --quiet", NULL, &e), RC_OK, &e);
	assert_all(OLD);
}

static void of_a_run_that_asked_no_node_it_is_said_how_to_be_sure(void **state)
{
	static const char *const verbs_of[] = { "resume --quiet", "rollback --quiet" };
	struct err e = { 0 };

	for (size_t i = 0; i < 2; i++) {
		stop_run(state, MESSAGE_stage, 0, true);
		/* the plan alone: no phase was entered */
		test_run("sed -i '/staging/,$d' %s", journal_path());
		assert_rc(run_verb(verbs_of[i], NULL, &e), RC_UNKNOWN, &e);
		assert_contains(e.text, "ends before a node was asked to write: every "
					"node should be as it was");
		assert_contains(e.text, "--on NODES asks them");
		assert_int_equal(fake_nodes[0].asked[MESSAGE_recover], 0);
		assert_all(OLD);
	}
}

static void of_several_runs_one_must_be_named(void **state)
{
	struct err e = { 0 };
	char *first;

	stop_run(state, MESSAGE_keep, 1, true);
	first = journal_path();
	test_run("cp %s %s/cpuherd/runs/run-2.journal", first, state_folder());
	assert_rc(run_verb("resume --quiet", NULL, &e), RC_USAGE, &e);
	assert_contains(e.text, "resume: 2 runs are unfinished; say which: run-");
	assert_rc(run_verb("resume --quiet run-2", NULL, &e), RC_INPUT, &e);
	assert_contains(e.text, "run-2.journal: it is the journal of run-");
}

/* ---- without the journal */

static void nodes_are_asked_for_their_own_journals(void **state)
{
	struct err e = { 0 };
	char *name, *out;

	stop_run(state, MESSAGE_verify, 1, true);
	name = arena_text(&arena, fake_nodes[0].run);
	out = arena_format(&arena, "rollback --quiet --on node[01-03] %s", name);
	assert_rc(run_verb(out, NULL, &e), RC_USAGE, &e); /* it is here */
	test_run("rm %s", journal_path());
	assert_rc(run_verb(out, NULL, &e), RC_OK, &e);
	assert_all(OLD);
	assert_rc(run_verb("rollback --quiet --on node[01-03] run-mistyped", NULL, &e),
		RC_USAGE, &e);
	assert_contains(e.text, "none of these nodes has run-mistyped");
	assert_rc(run_verb("rollback --quiet --on node01", NULL, &e), RC_USAGE, &e);
}

static void what_is_kept_is_put_back_by_replace_alone(void **state)
{
	struct err e = { 0 };
	char *name;

	stop_run(state, MESSAGE_keep, 2, true);
	name = arena_text(&arena, fake_nodes[0].run);
	test_run("rm %s", journal_path());
	assert_rc(run_verb(arena_format(
				   &arena, "rollback --quiet --on node[01-03] %s", name),
			  NULL, &e),
		RC_CONFLICT, &e);
	assert_contains(e.text, "node01, node02: run-");
	assert_contains(e.text, "give --replace");
	assert_int_equal(fake_nodes[0].state, RUN_STATE_kept);
	assert_int_equal(fake_nodes[1].state, RUN_STATE_kept);
	assert_rc(
		run_verb(arena_format(&arena,
				 "rollback --quiet --replace --on node[01-03] %s", name),
			NULL, &e),
		RC_OK, &e);
	assert_all(OLD);
}

/* ---- a journal that cannot be written */

static void files_must_be_empty(size_t node, enum message_tag tag)
{
	struct rlimit none = { 0, RLIM_INFINITY };

	(void)node;
	if (tag == MESSAGE_look)
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
}

static void a_run_that_cannot_be_written_down_does_not_begin(void **state)
{
	struct err e = { 0 };

	begin(state);
	assert_rc(run_verb("negotiate --quiet --journal-dir /dev/null/runs node[01-03]",
			  NULL, &e),
		RC_INPUT, &e);
	assert_contains(e.text, "/dev/null/runs: Not a directory");
	signal(SIGXFSZ, SIG_IGN);
	fake_hook = files_must_be_empty;
	assert_int_equal(run_verb_apart(NEGOTIATE), rc_exit_status(RC_OUTPUT));
	assert_int_equal(fake_nodes[0].asked[MESSAGE_look], 1);
	assert_int_equal(fake_nodes[0].asked[MESSAGE_stage], 0);
	assert_all(OLD);
}

static enum message_tag full_at;

/* The disk is full from the first of these requests on. */
static void disk_fills(size_t node, enum message_tag tag)
{
	char *path = tag == full_at && node == 0 ? journal_path() : NULL;
	struct rlimit limit = { 0, RLIM_INFINITY };

	if (!path)
		return;
	limit.rlim_cur = strlen(test_read_file(&arena, path));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void what_cannot_be_written_down_is_not_done(void **state)
{
	static const struct {
		enum message_tag at;
		enum rc rc;
		bool holds;
	} rows[] = { { MESSAGE_stage, RC_OUTPUT, false },
		{ MESSAGE_verify, RC_OUTPUT, false },
		{ MESSAGE_keep, RC_PARTIAL, true } };

	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < 3; i++) {
		struct err e = { 0 };

		begin(state);
		full_at = rows[i].at;
		fake_hook = disk_fills;
		assert_int_equal(run_verb_apart(NEGOTIATE), rc_exit_status(rows[i].rc));
		for (int k = 0; k < NODES; k++)
			assert_int_equal(
				strcmp(fake_nodes[k].file, OLD) != 0, rows[i].holds);
		if (!rows[i].holds)
			assert_all(OLD);
		fake_fleet_behave();
		if (rows[i].holds)
			assert_rc(run_verb("resume --quiet", NULL, &e), RC_OK, &e);
	}
	assert_all_new();
}

#define CASE(name) cmocka_unit_test_setup(name, all_well)

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		CASE(resume_brings_every_interrupted_run_to_its_end),
		CASE(rollback_puts_every_run_back_that_has_not_begun_to_forget),
		CASE(a_resume_that_is_interrupted_itself_can_be_finished_either_way),
		CASE(a_run_that_was_reverting_is_not_resumed_forward),
		CASE(where_sessions_are_not_held_nodes_wait_for_the_next_coordinator),
		CASE(what_was_decided_waits_for_a_node_that_is_away),
		CASE(a_rollback_is_done_for_those_that_it_reached),
		CASE(without_a_run_there_is_nothing_to_do),
		CASE(a_run_that_is_under_way_is_left_alone),
		CASE(of_a_run_that_asked_no_node_it_is_said_how_to_be_sure),
		CASE(of_several_runs_one_must_be_named),
		CASE(nodes_are_asked_for_their_own_journals),
		CASE(what_is_kept_is_put_back_by_replace_alone),
		CASE(a_run_that_cannot_be_written_down_does_not_begin),
		CASE(what_cannot_be_written_down_is_not_done),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, read_facts, forget_facts);
}
