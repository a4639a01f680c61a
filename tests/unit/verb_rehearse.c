/* The whole of `cpuherd rehearse`, against nodes that lose guests by script.  What counts
 * is that no success is believed that was none, and that no guest is left anywhere. */
#include <jansson.h>

#include "coordinator/verb/verb.h"
#include "tests/support/fake_run.h"

static enum rc rehearse(const char *more, char **out, struct err *e)
{
	return run_verb(
		arena_format(&arena, "rehearse --quiet %s node[01-03]", more), out, e);
}

static void assert_no_guests(void)
{
	for (int i = 0; i < NODES; i++) {
		assert_int_equal(fake_nodes[i].guest_count, 0);
		assert_string_equal(fake_nodes[i].trial_run, "");
	}
}

static void assert_asked(enum message_tag tag, unsigned times)
{
	for (int i = 0; i < NODES; i++)
		assert_int_equal(fake_nodes[i].asked[tag], times);
}

/* ---- the good road */

static void a_ring_takes_every_node_once_as_source_and_once_as_target(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(rehearse("", &out, &e), RC_OK, &e);
	assert_asked(MESSAGE_try, 1);
	assert_asked(MESSAGE_migrate, 1);
	assert_asked(MESSAGE_meet, 1);
	assert_asked(MESSAGE_dismiss, 1);
	assert_no_guests();
	assert_string_equal(fake_nodes[2].sent_to, "qemu+ssh://node01/system");
	assert_contains(out, "3 of 3 migrations of a ring: every guest lives on, with "
			     "the CPU it had (Penryn +");
	assert_contains(out, "kvm); 0.4 to 0.6 s each");
}

static void the_table_has_a_line_for_each_pair(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(rehearse("", &out, &e), RC_OK, &e);
	assert_contains(out, "SOURCE  TARGET  GUEST  TIME   OUTCOME\n"
			     "node01  node02  ran    0.4 s  lives on\n"
			     "node02  node03  ran    0.5 s  lives on\n"
			     "node03  node01  ran    0.6 s  lives on\n");
}

static void all_pairs_are_migrated_between(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(rehearse("--all-pairs", &out, &e), RC_OK, &e);
	assert_asked(MESSAGE_migrate, 2);
	assert_contains(out, "6 of 6 migrations of all pairs: ");
	assert_no_guests();
}

static void a_mere_target_is_prepared_and_others_are_left_alone(void **state)
{
	unsigned tried = 0, sent = 0, ended = 0;
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(rehearse("--sample 1 --seed 3", &out, &e), RC_OK, &e);
	for (int i = 0; i < NODES; i++) {
		tried += fake_nodes[i].asked[MESSAGE_try];
		sent += fake_nodes[i].asked[MESSAGE_migrate];
		ended += fake_nodes[i].asked[MESSAGE_dismiss];
	}
	assert_int_equal(tried, 1);
	assert_int_equal(ended, 2);
	assert_int_equal(sent, 1);
	assert_contains(out, "1 of 1 migrations of a sample (1 of 6 pairs, --seed 3): ");
	assert_no_guests();
}

static void a_seed_of_its_own_is_told(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(rehearse("--sample 2", &out, &e), RC_OK, &e);
	assert_contains(out, "a sample (2 of 6 pairs, --seed ");
}

/* ---- guests that do not run */

static void a_paused_guest_counts_when_that_was_asked_for(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(rehearse("--paused", &out, &e), RC_OK, &e);
	assert_contains(out, "node01  node02  paused  0.4 s  arrived\n");
	assert_contains(out, "every guest arrived, with the CPU it had (paused)");
	assert_null(strstr(out, "warning (paused)"));
}

static void a_node_that_cannot_run_guests_migrates_paused_ones_and_the_report_says_so(
	void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].cannot_run = true;
	assert_rc(rehearse("", &out, &e), RC_OK, &e);
	assert_contains(out, "node02  node03  paused  0.5 s  arrived\n");
	assert_contains(out, "warning (paused): trial guests do not run there (it says "
			     "nothing), so paused ones were migrated: that they live on "
			     "is not shown: node02");
	assert_contains(out, "(2 ran, the others were paused)");
}

static void a_paused_guest_with_another_cpu_has_failed(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].arrival = FAKE_ARRIVES_CHANGED;
	assert_rc(rehearse("--paused", &out, &e), RC_REHEARSAL, &e);
	assert_contains(out, "node01 -> node02: CPUID 0x7/0 EBX: 0x200 before, 0x80200 "
			     "after (adx)");
}

/* ---- what libvirt refuses */

static void a_refusal_fails_its_pair_alone_with_words_and_cause(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].sends_badly = "operation failed: guest CPU doesn't match "
				    "specification: missing features: avx2";
	assert_rc(rehearse("", &out, &e), RC_REHEARSAL, &e);
	assert_string_equal(e.text, "1 of 3 migrations failed: node02 -> node03");
	assert_contains(out, "node02  node03  ran    0.5 s  failed\n");
	assert_contains(out,
		"\nnode02 -> node03: libvirt did not migrate it: operation failed: guest "
		"CPU doesn't match specification: missing features: avx2\n"
		"  likely cause: QEMU of the target cannot give a guest all of its CPU: "
		"avx2; cpuherd negotiate");
	assert_contains(out, "2 of 3 migrations of a ring went well");
	assert_no_guests();
}

static void failures_that_say_the_same_are_told_once(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	for (int i = 0; i < NODES; i++)
		fake_nodes[i].sends_badly = "Host key verification failed.";
	assert_rc(rehearse("", &out, &e), RC_REHEARSAL, &e);
	assert_contains(out, "\nnode01 -> node02, node02 -> node03, node03 -> node01: "
			     "libvirt did not migrate it: Host key");
	assert_null(strstr(strstr(out, "likely cause") + 1, "likely cause"));
	fake_nodes[1].sends_badly = "something else";
	assert_rc(rehearse("", &out, &e), RC_REHEARSAL, &e);
	assert_contains(out, "\nnode01 -> node02: libvirt did not migrate it: Host key");
	assert_contains(out, "\nnode02 -> node03: libvirt did not migrate it: something");
}

static void a_guest_that_does_not_start_fails_its_pair_and_not_the_one_to_it(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].starts_badly = "no memory";
	assert_rc(rehearse("", &out, &e), RC_REHEARSAL, &e);
	assert_contains(out, "node02 -> node03: libvirt of node02 did not start the "
			     "trial guest: no memory");
	assert_contains(out, "node01  node02  ran    0.4 s  lives on\n");
	assert_int_equal(fake_nodes[1].asked[MESSAGE_migrate], 0);
	assert_no_guests();
}

/* ---- what libvirt calls a success */

static void assert_not_believed(enum fake_arrival arrival, const char *why)
{
	struct err e = { 0 };
	char *out;

	fake_nodes[2].arrival = arrival;
	assert_rc(rehearse("", &out, &e), RC_REHEARSAL, &e);
	assert_string_equal(e.text, "1 of 3 migrations failed: node02 -> node03");
	assert_contains(out, why);
	assert_no_guests();
}

static void a_guest_that_did_not_arrive_is_a_failure(void **state)
{
	(void)state;
	assert_not_believed(FAKE_ARRIVES_NOT, "libvirt says that it went well, and "
					      "node03 has no such guest: it rebooted "
					      "or ended there");
}

static void a_guest_that_died_is_a_failure(void **state)
{
	(void)state;
	assert_not_believed(FAKE_ARRIVES_DEAD,
		"libvirt says that it went well, and the guest does not live on: it does "
		"not count (paused)");
}

static void a_guest_that_rebooted_is_a_failure(void **state)
{
	(void)state;
	assert_not_believed(FAKE_ARRIVES_ANEW,
		"the guest began anew: it had counted to 100, and then to 7");
}

static void a_guest_that_lives_on_with_another_cpu_is_a_failure(void **state)
{
	(void)state;
	assert_not_believed(FAKE_ARRIVES_CHANGED,
		"node02 -> node03: CPUID 0x7/0 EBX: 0x200 before, 0x80200 after (adx)");
}

/* KVM of the target shows it what QEMU does not know of. */
static void a_guest_that_reads_another_cpu_is_a_failure_whatever_qemu_says(void **state)
{
	(void)state;
	assert_not_believed(FAKE_ARRIVES_CHANGED_INSIDE,
		"node02 -> node03: CPUID 0x7/0 EBX: 0x200 before, 0x80200 after (adx)");
}

/* ---- nodes that go away */

static void a_node_that_dies_fails_its_pairs_and_all_others_are_cleaned(void **state)
{
	static const enum message_tag tags[] = { MESSAGE_try, MESSAGE_migrate,
		MESSAGE_meet };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct err e = { 0 };
		char *out;

		all_well(state);
		fake_nodes[1].ways[tags[i]] = FAKE_DIES;
		assert_rc(rehearse("", &out, &e), RC_REHEARSAL, &e);
		assert_contains(out, "node02: the connection was closed");
		assert_contains(out, "node03  node01  ran    0.6 s  lives on\n");
		assert_int_equal(fake_nodes[0].asked[MESSAGE_dismiss], 1);
		assert_int_equal(fake_nodes[2].asked[MESSAGE_dismiss], 1);
		assert_int_equal(fake_nodes[0].guest_count, 0);
		assert_int_equal(fake_nodes[2].guest_count, 0);
	}
}

static void a_node_whose_peer_says_a_failure_is_cleaned_as_well(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].ways[MESSAGE_migrate] = FAKE_FAILS;
	assert_rc(rehearse("", &out, &e), RC_REHEARSAL, &e);
	assert_contains(out, "node02 -> node03: node02: No space left on device");
	assert_int_equal(fake_nodes[1].asked[MESSAGE_dismiss], 1);
	assert_no_guests();
}

static void an_interrupt_ends_the_run_and_all_its_guests(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[0].interrupt_at = MESSAGE_migrate;
	assert_rc(rehearse("--all-pairs", &out, &e), RC_INTERRUPTED, &e);
	assert_no_guests();
	assert_asked(MESSAGE_dismiss, 1); /* of two steps */
	assert_contains(out, "it was not begun");
}

static void what_is_left_on_a_node_is_told(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].leaves = "/var/log/libvirt/qemu/cpuherd-00-g1.log";
	assert_rc(rehearse("--all-pairs", &out, &e), RC_OK, &e);
	assert_contains(out, "note (left): not removed: "
			     "/var/log/libvirt/qemu/cpuherd-00-g1.log: node02");
}

/* ---- what cannot be */

static void leaves_nothing_the_second_time(size_t node, enum message_tag tag)
{
	if (tag == MESSAGE_dismiss && fake_nodes[node].asked[tag] == 1)
		fake_nodes[node].leaves = NULL;
}

static void what_an_earlier_step_left_is_told_as_well(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].leaves = "/var/log/libvirt/qemu/cpuherd-00-g1.log";
	fake_hook = leaves_nothing_the_second_time;
	assert_rc(rehearse("--all-pairs", &out, &e), RC_OK, &e);
	assert_contains(out, "cpuherd-00-g1.log: node02");
}

static void one_node_alone_is_refused_before_it_is_asked(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(run_verb("rehearse --quiet node01", NULL, &e), RC_USAGE, &e);
	assert_contains(e.text, "two nodes");
	assert_asked(MESSAGE_ask_facts, 0);
}

static void sessions_that_cannot_be_held_are_refused_with_the_way_out(void **state)
{
	struct err e = { 0 };

	(void)state;
	fake_holds_few = true;
	assert_rc(rehearse("", NULL, &e), RC_LIMIT, &e);
	assert_contains(e.text, "--sample");
	assert_asked(MESSAGE_try, 0);
	assert_rc(rehearse("--sample 1", NULL, &e), RC_OK, &e);
	/* whichever pairs these are */
	assert_rc(rehearse("--sample 5", NULL, &e), RC_LIMIT, &e);
}

static void a_node_without_facts_ends_the_run_before_any_guest(void **state)
{
	struct err e = { 0 };

	(void)state;
	fake_nodes[1].unreachable = RC_UNREACHABLE;
	assert_rc(rehearse("", NULL, &e), RC_UNREACHABLE, &e);
	assert_asked(MESSAGE_try, 0);
}

/* ---- how targets are reached */

/* The names that nodes give themselves: node02 has this one. */
static void name_themselves(const char *second)
{
	static const char *own[NODES];

	for (int i = 0; i < NODES; i++) {
		const char *other = i == 1 ? second : "node01-mgmt";

		own[i] = second ? facts[i].small.hostname : own[i];
		facts[i].small.hostname = second ? other : own[i];
	}
}

static void the_uri_is_as_the_cluster_has_it(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(rehearse("--migrate-uri qemu+tls://%s.example:16514/system", NULL, &e),
		RC_OK, &e);
	assert_string_equal(
		fake_nodes[0].sent_to, "qemu+tls://node02.example:16514/system");
	name_themselves("node02-mgmt");
	assert_rc(run_verb("rehearse --quiet --migrate-uri qemu+tcp://%h/system "
			   "node[01-02]",
			  NULL, &e),
		RC_OK, &e);
	assert_string_equal(fake_nodes[0].sent_to, "qemu+tcp://node02-mgmt/system");
	name_themselves(NULL);
	assert_rc(rehearse("--connect qemu:///session", NULL, &e), RC_OK, &e);
	assert_string_equal(fake_nodes[0].sent_to, "qemu+ssh://node02/session");
}

static void a_name_that_is_none_goes_to_nobody(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	name_themselves("x/system?command=/bin/sh");
	assert_rc(rehearse("--migrate-uri qemu+tcp://%h/system", &out, &e), RC_REHEARSAL,
		&e);
	name_themselves(NULL);
	assert_string_equal(fake_nodes[0].sent_to, "");
	assert_contains(out, "is no name under which another node reaches this one");
	assert_no_guests();
}

static void assert_refused(const char *words, const char *why)
{
	char *argv[8], *line = arena_text(&arena, words);
	struct options o;
	struct err e = { 0 };
	int argc = 0;

	for (char *w = strtok(line, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	assert_rc(options_parse(&o, verb_find("rehearse"), argc, argv, &arena, &e),
		RC_USAGE, &e);
	assert_contains(e.text, why);
}

static void options_that_do_not_go_together_are_refused(void **state)
{
	(void)state;
	assert_refused("rehearse --all-pairs --sample 3 n[1-3]", "one of them");
	assert_refused("rehearse --seed 3 n[1-3]", "--seed goes with --sample");
	assert_refused("rehearse --tunnelled --migrate-tls n[1-3]", "--migrate-tls");
	assert_refused("rehearse --migrate-uri qemu+tcp://n2/system n[1-3]",
		"every target would be the same");
	assert_refused("rehearse --migrate-data tcp://%p n[1-3]", "only %s, %h and %%");
	assert_refused("rehearse --migrate-listen % n[1-3]", "only %s, %h and %%");
	assert_refused("rehearse --migrate-uri foo://%s/system n[1-3]",
		"--migrate-uri foo://%s/system: of a target called node: ");
	assert_refused("rehearse --migrate-uri qemu+ssh://%s/system?command=x n[1-3]",
		"\"command\" of a URI to migrate to is not accepted");
	assert_refused("rehearse --migrate-data rdma://%s n[1-3]", "rdma");
	assert_refused("rehearse --migrate-listen %s:80 n[1-3]", "address to listen on");
}

/* ---- evidence */

static json_t *evidence_read(const char *path)
{
	json_error_t error;
	json_t *object = json_load_file(path, JSON_REJECT_DUPLICATES, &error);

	assert_non_null(object);
	return object;
}

static void the_evidence_of_a_run_is_there_however_it_ended(void **state)
{
	const char *path = arena_format(&arena, "%s/evidence.json", state_folder());
	const char *words = arena_format(&arena, "--evidence %s", path);
	struct err e = { 0 };
	json_t *object;

	(void)state;
	test_run("mkdir -p %s", state_folder());
	assert_rc(rehearse(words, NULL, &e), RC_OK, &e);
	object = evidence_read(path);
	assert_int_equal(json_array_size(json_object_get(object, "migrations")), 3);
	assert_non_null(json_object_get(json_object_get(object, "evidence"), "samples"));
	json_decref(object);
	fake_nodes[1].unreachable = RC_UNREACHABLE;
	assert_rc(rehearse(words, NULL, &e), RC_UNREACHABLE, &e);
	object = evidence_read(path);
	assert_int_equal(json_integer_value(json_object_get(object, "exit_status")),
		rc_exit_status(RC_UNREACHABLE));
	json_decref(object);
}

static void evidence_that_cannot_be_written_is_an_error_before_any_node_is_asked(
	void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(rehearse("--evidence /nonexistent/evidence.json", NULL, &e), RC_OUTPUT,
		&e);
	assert_contains(e.text, "--evidence /nonexistent/evidence.json");
	assert_contains(e.text, "no node was asked");
	assert_asked(MESSAGE_ask_facts, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup(name, all_well)
		CASE(a_ring_takes_every_node_once_as_source_and_once_as_target),
		CASE(the_table_has_a_line_for_each_pair),
		CASE(all_pairs_are_migrated_between),
		CASE(a_mere_target_is_prepared_and_others_are_left_alone),
		CASE(a_seed_of_its_own_is_told),
		CASE(a_paused_guest_counts_when_that_was_asked_for),
		CASE(a_node_that_cannot_run_guests_migrates_paused_ones_and_the_report_says_so),
		CASE(a_paused_guest_with_another_cpu_has_failed),
		CASE(a_refusal_fails_its_pair_alone_with_words_and_cause),
		CASE(failures_that_say_the_same_are_told_once),
		CASE(a_guest_that_does_not_start_fails_its_pair_and_not_the_one_to_it),
		CASE(a_guest_that_did_not_arrive_is_a_failure),
		CASE(a_guest_that_died_is_a_failure),
		CASE(a_guest_that_rebooted_is_a_failure),
		CASE(a_guest_that_lives_on_with_another_cpu_is_a_failure),
		CASE(a_guest_that_reads_another_cpu_is_a_failure_whatever_qemu_says),
		CASE(a_node_that_dies_fails_its_pairs_and_all_others_are_cleaned),
		CASE(a_node_whose_peer_says_a_failure_is_cleaned_as_well),
		CASE(an_interrupt_ends_the_run_and_all_its_guests),
		CASE(what_is_left_on_a_node_is_told),
		CASE(what_an_earlier_step_left_is_told_as_well),
		CASE(one_node_alone_is_refused_before_it_is_asked),
		CASE(sessions_that_cannot_be_held_are_refused_with_the_way_out),
		CASE(a_node_without_facts_ends_the_run_before_any_guest),
		CASE(the_uri_is_as_the_cluster_has_it),
		CASE(a_name_that_is_none_goes_to_nobody),
		CASE(options_that_do_not_go_together_are_refused),
		CASE(the_evidence_of_a_run_is_there_however_it_ended),
		CASE(evidence_that_cannot_be_written_is_an_error_before_any_node_is_asked),
#undef CASE
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, read_facts, forget_facts);
}
