/* The whole of `cpuherd prove`, and of negotiate with a vote by trial, against a fleet whose
 * guests misbehave by script. */
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/verb/verb.h"
#include "tests/support/fake_run.h"

static char folder[] = "/tmp/cpuherd-test-prove-XXXXXX";
static char *lock_path, *cpu_path;

static int begin(void **state)
{
	read_facts(state);
	assert_non_null(mkdtemp(folder));
	lock_path = arena_format(&arena, "%s/a.lock", folder);
	cpu_path = arena_format(&arena, "%s/cpu.xml", folder);
	return 0;
}

static int end(void **state)
{
	test_run("rm -rf %s", folder);
	return forget_facts(state);
}

static int fresh(void **state)
{
	all_well(state);
	unlink(lock_path);
	return 0;
}

static enum rc prove(char **out, struct err *e)
{
	return run_verb("prove --quiet --lock none node[01-03]", out, e);
}

static enum rc prove_file(const char *xml, char **out, struct err *e)
{
	test_write_file(cpu_path, xml);
	return run_verb(
		arena_format(&arena, "prove --quiet --cpu %s node[01-03]", cpu_path), out,
		e);
}

static enum rc negotiate(char **out, struct err *e)
{
	return run_verb("negotiate --quiet --vote trial node[01-03]", out, e);
}

static void script(int node, enum fake_trial_way way, const char *feature)
{
	fake_nodes[node].trials[0] = (struct fake_trial){ way, feature };
}

static void script_always(int node, enum fake_trial_way way, const char *feature)
{
	for (int i = 0; i < FAKE_VOTES_MAX; i++)
		fake_nodes[node].trials[i] = (struct fake_trial){ way, feature };
}

/* What the nodes get that agree on a level without cx16. */
static const char *level_without_cx16(void)
{
	struct err e = { 0 };
	char *out;

	assert_rc(run_verb("negotiate --quiet --without cx16 node[01-03]", &out, &e),
		RC_OK, &e);
	return arena_text(&arena, fake_nodes[0].file);
}

static void assert_asked(enum message_tag tag, unsigned times)
{
	for (int i = 0; i < NODES; i++)
		assert_int_equal(fake_nodes[i].asked[tag], times);
}

static void assert_nothing_written(void)
{
	assert_asked(MESSAGE_stage, 0);
	for (int i = 0; i < NODES; i++)
		assert_null(fake_nodes[i].file);
}

/* ---- prove */

static void nodes_that_give_the_same_are_proven(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(prove(&out, &e), RC_OK, &e);
	assert_contains(out, "PROOF");
	assert_contains(out, "equal");
	assert_contains(out, "<model fallback='forbid'>Penryn</model>");
	assert_contains(out, "3 of 3 nodes give a guest the same CPU (Penryn +");
	assert_contains(out, ", kvm): ");
	assert_contains(out, " properties compared");
	assert_asked(MESSAGE_try, 1);
	assert_asked(MESSAGE_propose, 0);
	assert_nothing_written();
}

static void all_guests_have_one_machine_type_and_one_run(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(prove(NULL, &e), RC_OK, &e);
	for (int i = 0; i < NODES; i++) {
		assert_contains(fake_nodes[i].tried_machine, "pc-i440fx-");
		assert_string_equal(
			fake_nodes[i].tried_machine, fake_nodes[0].tried_machine);
		assert_string_equal(fake_nodes[i].tried_run, fake_nodes[0].tried_run);
	}
	assert_int_equal(strspn(fake_nodes[0].tried_run, "0123456789abcdef"),
		strlen(fake_nodes[0].tried_run));
}

/* The facts as they are, and what machine types the node's QEMU has. */
static void put_machines(int node, const char *machines)
{
	struct node_facts *copy = arena_alloc(&arena, 1, sizeof(*copy));

	*copy = facts[node];
	copy->present[BODY_capabilities] = true;
	copy->text[BODY_capabilities] = arena_format(&arena,
		"<capabilities><host><cpu><arch>x86_64</arch></cpu></host><guest>"
		"<os_type>hvm</os_type><arch name='x86_64'>%s</arch></guest>"
		"</capabilities>",
		machines);
	fake_nodes[node].facts = copy;
}

/* Each would take its own newest one. */
static void the_machine_type_is_the_newest_that_all_have(void **state)
{
	struct err e = { 0 };

	(void)state;
	put_machines(0, "<machine>pc-i440fx-7.2</machine><machine>pc-i440fx-6.2"
			"</machine><machine>pc-q35-7.2</machine>");
	put_machines(1, "<machine>pc-i440fx-6.2</machine><machine>pc-i440fx-6.1"
			"</machine>");
	put_machines(2, "<machine>pc-i440fx-6.1</machine><machine>pc-i440fx-6.2"
			"</machine><machine>pc-q35-6.2</machine>");
	assert_rc(prove(NULL, &e), RC_OK, &e);
	for (int i = 0; i < NODES; i++)
		assert_string_equal(fake_nodes[i].tried_machine, "pc-i440fx-6.2");
	assert_rc(prove_file("<cpu mode='host-model'/>\n", NULL, &e), RC_OK, &e);
	assert_string_equal(fake_nodes[2].tried_machine, "pc-i440fx-6.2");
}

static void a_feature_that_one_qemu_adds_is_named_with_its_node(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	script(1, TRIAL_ADDS, "adx");
	assert_rc(prove(&out, &e), RC_TRIAL, &e);
	assert_contains(e.text, "1 of 3 nodes failed (node02): not proven");
	assert_contains(out, "CPUID 0x7/0 EBX bit 19 (adx) is 1, the level says 0: "
			     "node02\n");
	assert_contains(out, "node02: its trial guest is not as the level says");
	assert_contains(out, "differs");
	assert_contains(out, "equal");
}

static void a_property_that_differs_is_named_with_its_node(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	script(2, TRIAL_OTHER, "");
	assert_rc(prove(&out, &e), RC_TRIAL, &e);
	assert_contains(out, "l3-cache is false, and not true: node03\n");
}

static void a_feature_that_is_not_given_is_named(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	script(0, TRIAL_LACKS, "cx16");
	script(2, TRIAL_FILTERED, "sse4.1");
	assert_rc(prove(&out, &e), RC_TRIAL, &e);
	assert_contains(e.text, "2 of 3 nodes failed (node01, node03)");
	assert_contains(out, "CPUID 0x1/0 ECX bit 13 (cx16) is 0, the level says 1: "
			     "node01\n");
	assert_contains(
		out, "(sse4.1) is taken away by QEMU, the level says 1: node03\n");
	assert_asked(MESSAGE_try, 1);
}

static void a_guest_that_libvirt_refuses_is_told_in_its_words(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	script(1, TRIAL_REFUSED, "cx16");
	assert_rc(prove(&out, &e), RC_TRIAL, &e);
	assert_contains(out, "refused");
	assert_contains(out,
		"node02: its libvirt refused a guest with this CPU: guest CPU "
		"doesn't match specification");
}

/* Fail closed. */
static void a_guest_that_could_not_be_looked_at_is_not_proven(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	script(1, TRIAL_GAP, "");
	assert_rc(prove(&out, &e), RC_TRIAL, &e);
	assert_contains(out, "node02: not proven: QEMU's view of its guest could not be "
			     "had: the monitor is silent");
}

static void a_node_that_dies_or_fails_has_its_own_error(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].ways[MESSAGE_try] = FAKE_DIES;
	assert_rc(prove(&out, &e), RC_UNREACHABLE, &e);
	assert_contains(out, "node02: the connection was closed");
	all_well(NULL);
	fake_nodes[1].ways[MESSAGE_try] = FAKE_FAILS;
	assert_rc(prove(&out, &e), RC_PLACE, &e);
}

static void what_is_left_behind_is_told_and_no_failure(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	script(0, TRIAL_LEFT, "");
	script(2, TRIAL_LEFT, "");
	assert_rc(prove(&out, &e), RC_OK, &e);
	assert_contains(out, "note (left): a trial guest left behind: "
			     "/var/log/libvirt/qemu/cpuherd-trial.log: node01, node03\n");
}

static void wishes_make_the_level_as_in_plan(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(run_verb("prove --quiet --lock none --without cx16 node[01-03]", &out,
			  &e),
		RC_OK, &e);
	assert_contains(out, level_without_cx16());
	assert_rc(run_verb("prove --quiet --lock none --require avx512f node[01-03]",
			  &out, &e),
		RC_LEVEL, &e);
	assert_asked(MESSAGE_try, 1); /* of the first run */
}

/* ---- of a file */

static void any_cpu_can_be_tried_and_needs_to_be_equal_alone(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(prove_file("<cpu mode='host-model'/>\n", &out, &e), RC_OK, &e);
	assert_contains(out, "\n<cpu mode='host-model'/>\n");
	assert_contains(out, "/cpu.xml, kvm): ");
	assert_contains(fake_nodes[1].tried_machine, "pc-i440fx-");
	all_well(NULL);
	script(1, TRIAL_ADDS, "adx");
	assert_rc(prove_file("<cpu mode='host-model'/>\n", &out, &e), RC_TRIAL, &e);
	assert_contains(out, "(adx) is 1, and not 0: node02\n");
}

static void a_nodes_line_has_the_first_of_its_differences(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	for (int i = 0; i < NODES; i++)
		script(i, i == 1 ? TRIAL_ADDS : TRIAL_OTHER, "adx");
	assert_rc(prove(&out, &e), RC_TRIAL, &e);
	assert_contains(out,
		"node02: its trial guest is not as the level says: CPUID 0x7/0 "
		"EBX bit 19 (adx) is 1, not 0, and 1 more; see ");
}

static void a_file_that_is_no_cpu_is_refused_before_any_guest(void **state)
{
	struct err e = { 0 };
	char *many = arena_alloc(&arena, 300 * 1024, 1);

	(void)state;
	assert_rc(prove_file("<domain><cpu/></domain>\n", NULL, &e), RC_INPUT, &e);
	assert_contains(e.text, "/cpu.xml");
	assert_rc(prove_file("<cpu><model>Penryn</model><topology sockets='1' cores='2' "
			     "threads='1'/></cpu>\n",
			  NULL, &e),
		RC_INPUT, &e);
	assert_contains(e.text, "<topology>");
	memset(many, ' ', 300 * 1024 - 1);
	assert_rc(prove_file(many, NULL, &e), RC_INPUT, &e);
	assert_rc(run_verb("prove --quiet --cpu /nowhere/cpu.xml node01", NULL, &e),
		RC_INPUT, &e);
	assert_asked(MESSAGE_try, 0);
}

static void assert_usage(const char *words, const char *why)
{
	char *argv[16], *line = arena_text(&arena, words);
	struct options options;
	struct err e = { 0 };
	int argc = 0;

	for (char *w = strtok(line, " "); w && argc < 15; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	assert_rc(options_parse(&options, verb_find(argv[0]), argc, argv, &arena, &e),
		RC_USAGE, &e);
	assert_contains(e.text, why);
}

static void what_does_not_go_together_is_refused(void **state)
{
	(void)state;
	assert_usage("prove --cpu f --require aes node01", "--require is about a level");
	assert_usage("prove --cpu f --lock g node01", "--lock is about a level");
	assert_usage("negotiate --vote maybe node01", "it is compare or trial");
	assert_usage(
		"negotiate --vote compare --prove node01", "--prove is --vote trial");
	assert_usage("plan --prove node01", "it takes no option");
}

/* ---- of a lock */

static void agree(void)
{
	struct err e = { 0 };

	assert_rc(run_verb(arena_format(&arena,
				   "negotiate --quiet --without cx16 --lock %s "
				   "node[01-03]",
				   lock_path),
			  NULL, &e),
		RC_OK, &e);
}

static enum rc prove_lock(const char *words, char **out, struct err *e)
{
	return run_verb(
		arena_format(&arena, "prove --quiet --lock %s %s", lock_path, words), out,
		e);
}

static void the_level_of_the_lock_is_tried_on_its_nodes(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	assert_rc(prove_lock("", &out, &e), RC_OK, &e);
	assert_contains(out, "3 of 3 nodes give");
	assert_contains(out, fake_nodes[0].file);
	assert_rc(prove_lock("node[02-03]", &out, &e), RC_OK, &e);
	assert_contains(out, "2 of 2 nodes give");
	assert_int_equal(fake_nodes[0].asked[MESSAGE_try], 1);
	script_always(2, TRIAL_LACKS, "sse4.1");
	assert_rc(prove_lock("", &out, &e), RC_TRIAL, &e);
	assert_contains(out, "(sse4.1) is 0, the level says 1: node03\n");
}

static void a_lock_that_was_named_has_all_nodes_and_the_wishes(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(prove_lock("node[01-03]", NULL, &e), RC_INPUT, &e);
	assert_contains(e.text, "there is no such lock");
	agree();
	assert_rc(prove_lock("node[01-04]", NULL, &e), RC_USAGE, &e);
	assert_contains(e.text, "node04 is not in");
	assert_rc(prove_lock("--require cx16 node[01-03]", NULL, &e), RC_LEVEL, &e);
	assert_asked(MESSAGE_try, 0);
}

/* The lock that is there by chance. */
static void a_lock_of_other_nodes_is_passed_over(void **state)
{
	char *here = getcwd(NULL, 0);
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	assert_int_equal(chdir(folder), 0);
	test_run("cp %s cpuherd.lock", lock_path);
	fake_nodes[3].facts = &facts[0];
	assert_rc(run_verb("prove --quiet node[01-04]", &out, &e), RC_OK, &e);
	assert_contains(out, "4 of 4 nodes give");
	assert_null(strstr(out, fake_nodes[0].file)); /* of plan, not of the lock */
	assert_rc(run_verb("prove --quiet node[01-03]", &out, &e), RC_OK, &e);
	assert_contains(out, fake_nodes[0].file);
	test_run("rm cpuherd.lock");
	assert_int_equal(chdir(here), 0);
	free(here);
}

/* ---- negotiate */

static void a_vote_by_trial_writes_what_was_proven(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	assert_asked(MESSAGE_propose, 1);
	assert_asked(MESSAGE_try, 1);
	assert_contains(out, "PROOF");
	assert_contains(out, "written to");
	assert_non_null(fake_nodes[2].file);
}

static void without_it_no_guest_is_started(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(run_verb("negotiate --quiet --vote compare node[01-03]", &out, &e),
		RC_OK, &e);
	assert_asked(MESSAGE_try, 0);
	assert_null(strstr(out, "PROOF"));
}

static void assert_healed(enum fake_trial_way way)
{
	struct err e = { 0 };
	const char *wanted = level_without_cx16();
	char *out;

	all_well(NULL);
	script(1, way, "cx16");
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	assert_asked(MESSAGE_try, 2);
	assert_asked(MESSAGE_propose, 2); /* both rounds again */
	assert_contains(out, "node02 voted out: cx16\n");
	assert_null(strstr(out, "what the trial guests show differently"));
	for (int i = 0; i < NODES; i++)
		assert_string_equal(fake_nodes[i].file, wanted);
}

static void a_feature_that_a_guest_does_not_get_leaves_the_level(void **state)
{
	(void)state;
	assert_healed(TRIAL_LACKS);
	assert_healed(TRIAL_FILTERED);
	assert_healed(TRIAL_REFUSED);
}

static void two_trials_in_a_row_take_a_feature_each(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	script(1, TRIAL_LACKS, "cx16");
	fake_nodes[2].trials[1] = (struct fake_trial){ TRIAL_FILTERED, "sse4.1" };
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	assert_asked(MESSAGE_try, 3);
	assert_contains(out, "node02 voted out: cx16\n");
	assert_contains(out, "node03 voted out: sse4.1\n");
}

static void assert_not_cured(enum fake_trial_way way, const char *feature)
{
	struct err e = { 0 };
	char *out;

	all_well(NULL);
	script_always(1, way, feature);
	assert_rc(negotiate(&out, &e), RC_TRIAL, &e);
	assert_contains(e.text, "(node02): nothing was written");
	assert_asked(MESSAGE_try, 1);
	assert_nothing_written();
}

static void what_no_level_can_cure_stops_the_run(void **state)
{
	(void)state;
	assert_not_cured(TRIAL_ADDS, "adx");
	assert_not_cured(TRIAL_OTHER, "");
	assert_not_cured(TRIAL_GAP, "");
	assert_not_cured(TRIAL_REFUSED, "");
	assert_not_cured(TRIAL_REFUSED, "avx512f"); /* not in the level */
}

static void a_guest_without_what_every_guest_needs_ends_the_run(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	script(1, TRIAL_LACKS, "sse2");
	assert_rc(negotiate(&out, &e), RC_VOTE, &e);
	assert_contains(out, "voted no to sse2, without which no x86_64 guest runs: its "
			     "guest has not got it");
	assert_nothing_written();
}

static void a_dry_run_proves_and_writes_nothing(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(run_verb("negotiate --quiet --dry-run --prove node[01-03]", &out, &e),
		RC_OK, &e);
	assert_asked(MESSAGE_try, 1);
	assert_nothing_written();
}

static void a_locked_level_is_tried_as_it_is(void **state)
{
	const char *words = arena_format(
		&arena, "negotiate --quiet --prove --lock %s node[01-03]", lock_path);
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	assert_rc(run_verb(words, &out, &e), RC_OK, &e);
	assert_asked(MESSAGE_try, 1);
	script_always(1, TRIAL_LACKS, "sse4.1");
	assert_rc(run_verb(words, &out, &e), RC_TRIAL, &e);
	assert_contains(out, "(sse4.1) is 0, the level says 1: node02\n");
	assert_asked(MESSAGE_try, 2);
}

#define CASE(name) cmocka_unit_test_setup(name, fresh)

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		CASE(nodes_that_give_the_same_are_proven),
		CASE(all_guests_have_one_machine_type_and_one_run),
		CASE(the_machine_type_is_the_newest_that_all_have),
		CASE(a_feature_that_one_qemu_adds_is_named_with_its_node),
		CASE(a_property_that_differs_is_named_with_its_node),
		CASE(a_feature_that_is_not_given_is_named),
		CASE(a_guest_that_libvirt_refuses_is_told_in_its_words),
		CASE(a_guest_that_could_not_be_looked_at_is_not_proven),
		CASE(a_node_that_dies_or_fails_has_its_own_error),
		CASE(what_is_left_behind_is_told_and_no_failure),
		CASE(wishes_make_the_level_as_in_plan),
		CASE(any_cpu_can_be_tried_and_needs_to_be_equal_alone),
		CASE(a_nodes_line_has_the_first_of_its_differences),
		CASE(a_file_that_is_no_cpu_is_refused_before_any_guest),
		CASE(what_does_not_go_together_is_refused),
		CASE(the_level_of_the_lock_is_tried_on_its_nodes),
		CASE(a_lock_that_was_named_has_all_nodes_and_the_wishes),
		CASE(a_lock_of_other_nodes_is_passed_over),
		CASE(a_vote_by_trial_writes_what_was_proven),
		CASE(without_it_no_guest_is_started),
		CASE(a_feature_that_a_guest_does_not_get_leaves_the_level),
		CASE(two_trials_in_a_row_take_a_feature_each),
		CASE(what_no_level_can_cure_stops_the_run),
		CASE(a_guest_without_what_every_guest_needs_ends_the_run),
		CASE(a_dry_run_proves_and_writes_nothing),
		CASE(a_locked_level_is_tried_as_it_is),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, begin, end);
}
