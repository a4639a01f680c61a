/* The whole of `cpuherd negotiate`, against a fleet whose nodes misbehave by script.
 * What counts is what the nodes hold in the end, and that the report says so. */
#include <jansson.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/verb/verb.h"
#include "tests/support/fake_run.h"

static enum rc negotiate(char **out, struct err *e)
{
	return run_verb("negotiate --quiet node[01-03]", out, e);
}

static void assert_nothing_written(void)
{
	for (int i = 0; i < NODES; i++) {
		assert_null(fake_nodes[i].file);
		assert_null(fake_nodes[i].staged);
	}
}

/* Nothing was even asked to be written. */
static void assert_not_asked(enum message_tag tag)
{
	for (int i = 0; i < NODES; i++)
		assert_int_equal(fake_nodes[i].asked[tag], 0);
}

/* ---- the good road */

static void three_nodes_end_with_the_same_level(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	for (int i = 0; i < NODES; i++) {
		assert_non_null(fake_nodes[i].file);
		assert_string_equal(fake_nodes[i].file, fake_nodes[0].file);
		assert_true(fake_is_free((size_t)i)); /* it is over */
		assert_int_equal(fake_nodes[i].writes, 1);
	}
	assert_contains(fake_nodes[0].file, "<model fallback='forbid'>Penryn</model>");
	assert_contains(out, fake_nodes[0].file);
	assert_contains(out, "3 nodes agree on Penryn +");
	assert_contains(out, "(kvm): written to /etc/libvirt/cpuherd/baseline.xml");
}

static void a_second_run_finds_all_in_place_and_changes_nothing(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(fake_nodes[i].writes, 1);
	assert_contains(out, ": unchanged in /etc/libvirt/cpuherd/baseline.xml");
}

static void equal_bodies_are_asked_of_one_node_only(void **state)
{
	struct err e = { 0 };
	unsigned sent = 0, bodies = 0;
	char *out;

	(void)state;
	fake_nodes[1].facts = fake_nodes[2].facts = &facts[0];
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	for (int id = 0; id < BODY_COUNT; id++)
		bodies += facts[0].present[id];
	for (int i = 0; i < NODES; i++)
		sent += fake_nodes[i].bodies_sent;
	assert_int_equal(sent, bodies);
}

/* ---- vendors */

static struct node_facts naples;

static void read_naples(void)
{
	read_node("machines/naples-epyc-7601", &naples);
	fake_nodes[1].facts = &naples;
}

static void two_vendors_get_a_level_each_in_the_report_and_none_on_the_nodes(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	read_naples();
	assert_rc(negotiate(&out, &e), RC_LEVEL, &e);
	assert_contains(e.text, "Intel (node01, node03), AMD (node02)");
	assert_contains(out, "\nIntel, 2 of 3 nodes: node01, node03\nPenryn +");
	assert_contains(out, "--without node02\n<cpu");
	assert_contains(out, "\nAMD, 1 of 3 nodes: node02\nEPYC +");
	assert_contains(out, "--without node01,node03\n<cpu");
	assert_not_asked(MESSAGE_propose);
	assert_nothing_written();
}

static void across_vendors_all_vote_and_the_user_is_warned_once(void **state)
{
	struct err e = { 0 };
	const char *warning;
	char *out;

	(void)state;
	read_naples();
	fake_nodes[2].votes[0].feature = "cx16";
	assert_rc(run_verb("negotiate --quiet --cross-vendor node[01-03]", &out, &e),
		RC_OK, &e);
	assert_int_equal(fake_nodes[1].asked[MESSAGE_propose], 2);
	for (int i = 0; i < NODES; i++) {
		assert_non_null(fake_nodes[i].file);
		assert_null(strstr(fake_nodes[i].file, "<vendor>"));
		assert_null(strstr(fake_nodes[i].file, "'require' name='cx16'"));
	}
	warning = strstr(out, "warning (vendor): with KVM a guest sees its host's");
	assert_non_null(warning);
	assert_null(strstr(warning + 1, "warning (vendor)"));
}

/* ---- facts that go wrong */

static void a_body_whose_sender_dies_is_asked_of_the_next(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].facts = &facts[0];
	fake_nodes[0].ways[MESSAGE_ask_bodies] = FAKE_DIES;
	assert_rc(run_verb("probe --quiet node[01-03]", &out, &e), RC_UNREACHABLE, &e);
	assert_int_equal(fake_nodes[1].asked[MESSAGE_ask_bodies], 1);
	assert_contains(out, "node01: the connection was closed");
	assert_contains(out, "node02  Intel(R) Xeon(R) CPU"); /* it has its facts */
}

static void a_body_that_does_not_match_its_digest_fails_its_node(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].ways[MESSAGE_ask_bodies] = FAKE_LIES;
	assert_rc(negotiate(&out, &e), RC_PROTOCOL, &e);
	assert_contains(out, "node02: what it sent as its");
	assert_contains(out, "facts does not match their digest");
	assert_not_asked(MESSAGE_propose);
	assert_nothing_written();
}

static void an_unreachable_node_stops_the_run_and_all_failures_are_told(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[0].unreachable = RC_TIMEOUT;
	fake_nodes[1].unreachable = RC_HOSTKEY;
	fake_nodes[2].unreachable = RC_SSH;
	assert_rc(negotiate(&out, &e), RC_HOSTKEY, &e); /* first of the list of codes */
	assert_contains(e.text, "3 of 3 nodes failed (node01, node02, node03)");
	assert_contains(e.text, "--without NODE");
	assert_contains(out,
		"node01: no way there; see the node's load and the way to it, "
		"--connect-timeout, --timeout");
	assert_contains(out, "node02: no way there; see known_hosts");
	assert_not_asked(MESSAGE_propose);
	assert_nothing_written();
}

/* KVM's answer would do to look ahead, but not to write. */
static void a_node_whose_libvirt_made_no_offer_stops_the_run(void **state)
{
	static struct gap gap = { "offer_kvm", "libvirt went away" };
	struct node_facts without = facts[1];
	struct err e = { 0 };
	char *out;

	(void)state;
	without.present[BODY_offer_kvm] = false;
	without.small.gaps = (struct list){ &gap, 1 };
	fake_nodes[1].facts = &without;
	assert_true(without.present[BODY_kvm] && without.present[BODY_host]);
	assert_rc(negotiate(&out, &e), RC_FACTS, &e);
	assert_contains(out, "node02: no offer for kvm guests: offer_kvm: libvirt went "
			     "away");
	assert_not_asked(MESSAGE_propose);
	assert_nothing_written();
	assert_rc(run_verb("plan --quiet node[01-03]", &out, &e), RC_OK, &e);
	assert_contains(out, "note (offer): from KVM's answer less what QEMU is known to "
			     "hold back, as libvirt was not asked: libvirt went away: "
			     "node02");
}

/* ---- votes */

static void a_no_with_a_feature_takes_it_out_and_a_new_round_agrees(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].votes[0].feature = "cx16";
	fake_nodes[2].votes[1].feature = "sse4.1";
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	assert_int_equal(fake_nodes[0].asked[MESSAGE_propose], 3);
	assert_contains(out, "node02 voted out: cx16");
	assert_contains(out, "node03 voted out: sse4.1");
	assert_null(strstr(fake_nodes[0].file, "'require' name='cx16'"));
	assert_null(strstr(fake_nodes[0].file, "'require' name='sse4.1'"));
	assert_null(strstr(fake_nodes[0].file, "Penryn")); /* it has both */
}

static void a_vote_against_what_is_required_ends_the_run(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].votes[0].feature = "cx16";
	assert_rc(run_verb("negotiate --quiet --require cx16 node[01-03]", &out, &e),
		RC_LEVEL, &e);
	assert_contains(e.text, "cx16 (it was voted out)");
	assert_contains(
		out, "warning (require): cx16 is required: it was voted out: node02\n");
	assert_not_asked(MESSAGE_stage);
	assert_nothing_written();
}

static void what_is_left_out_is_not_even_proposed(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(
		run_verb("negotiate --quiet --without cx16 --without node03 node[01-03]",
			&out, &e),
		RC_OK, &e);
	assert_int_equal(fake_nodes[0].asked[MESSAGE_propose], 1);
	assert_null(strstr(fake_nodes[0].file, "'require' name='cx16'"));
	assert_contains(out, "2 nodes agree on ");
}

static void a_no_that_names_nothing_useful_ends_the_run(void **state)
{
	static const char *const useless[] = { "", "avx512f", "no-such-feature",
		"<evil/>" };
	struct err e = { 0 };
	char *out;

	for (size_t i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
		all_well(state);
		fake_nodes[1].votes[0].feature = useless[i];
		assert_rc(negotiate(&out, &e), RC_VOTE, &e);
		assert_contains(out, "node02: voted no");
		assert_int_equal(fake_nodes[0].asked[MESSAGE_propose], 1);
		assert_not_asked(MESSAGE_stage);
		assert_nothing_written();
	}
}

/* One broken or hostile node must not talk a whole fleet down to a 486. */
static void a_no_to_what_every_guest_needs_ends_the_run(void **state)
{
	static const char *const needed[] = { "lm", "sse2", "fpu" };
	struct err e = { 0 };
	char *out;

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		all_well(state);
		fake_nodes[1].votes[0].feature = needed[i];
		assert_rc(negotiate(&out, &e), RC_VOTE, &e);
		assert_contains(out, "without which no x86_64 guest runs");
		assert_contains(out, needed[i]);
		assert_nothing_written();
	}
}

static void a_vote_on_another_proposal_is_no_vote(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[0].ways[MESSAGE_propose] = FAKE_LIES;
	assert_rc(negotiate(&out, &e), RC_PROTOCOL, &e);
	assert_contains(out, "node01: voted on proposal 2, not on 1");
	assert_nothing_written();
}

/* ---- writing */

static void a_dry_run_shows_what_would_be_written_and_writes_nothing(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].file = (char *)"<cpu/>\n";
	assert_rc(
		run_verb("negotiate --quiet --dry-run node[01-03]", &out, &e), RC_OK, &e);
	assert_not_asked(MESSAGE_stage);
	assert_null(fake_nodes[0].file);
	assert_string_equal(fake_nodes[1].file, "<cpu/>\n");
	assert_contains(out, "\nnode01, node03:\n--- /dev/null\n"
			     "+++ /etc/libvirt/cpuherd/baseline.xml\n@@ -0,0 +1,");
	assert_contains(out, "\nnode02:\n--- /etc/libvirt/cpuherd/baseline.xml\n");
	assert_contains(out, "\n-<cpu/>\n+<cpu mode='custom'");
	assert_contains(out, "dry run, nothing was written to");
}

static void what_somebody_else_wrote_is_shown_and_not_overwritten(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].file = (char *)"<cpu mode='theirs'/>\n";
	fake_nodes[1].foreign = true;
	assert_rc(negotiate(&out, &e), RC_CONFLICT, &e);
	assert_contains(out, "\nnode02: /etc/libvirt/cpuherd/baseline.xml is not as "
			     "cpuherd left it: ");
	assert_contains(out, "\nnode02:\n--- /etc/libvirt/cpuherd/baseline.xml\n");
	assert_contains(out, "\n-<cpu mode='theirs'/>\n+<cpu mode='custom'");
	assert_null(strstr(out, "+++ /etc/libvirt/cpuherd/baseline.xml\n@@ -0,0"));
	assert_not_asked(MESSAGE_stage);
	assert_rc(
		run_verb("negotiate --quiet --replace node[01-03]", &out, &e), RC_OK, &e);
	assert_null(strstr(out, "<cpu mode='theirs'/>"));
	assert_string_equal(fake_nodes[1].file, fake_nodes[0].file);
}

static void a_check_tells_by_its_exit_status_whether_anything_would_be_written(
	void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].file = (char *)"<cpu/>\n";
	assert_rc(run_verb("negotiate --quiet --check node[01-03]", &out, &e), RC_DIFFERS,
		&e);
	assert_string_equal(
		e.text, "3 of 3 nodes would be changed (node01, node02, node03)");
	assert_not_asked(MESSAGE_stage);
	assert_contains(out, "\n-<cpu/>\n+<cpu mode='custom'");
	assert_contains(out, "dry run, nothing was written to");
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	assert_rc(run_verb("negotiate --quiet --check node[01-03]", &out, &e), RC_OK, &e);
	assert_contains(out, "dry run, unchanged in /etc/libvirt/cpuherd/baseline.xml");
	fake_nodes[2].file = NULL;
	assert_rc(run_verb("negotiate --quiet --check node[01-03]", &out, &e), RC_DIFFERS,
		&e);
	assert_string_equal(e.text, "1 of 3 nodes would be changed (node03)");
	assert_null(fake_nodes[2].file);
}

/* One that can be reached again is asked what it did, so there is no doubt. */
static void each_node_that_fails_or_dies_in_each_phase_leaves_all_as_before(void **state)
{
	static const enum message_tag phases[] = { MESSAGE_look, MESSAGE_stage,
		MESSAGE_commit, MESSAGE_verify };
	static const enum fake_way ways[] = { FAKE_FAILS, FAKE_DIES, FAKE_DIES_AFTER,
		FAKE_IS_KILLED, FAKE_IS_KILLED_AFTER };
	struct err e = { 0 };
	char *out;

	for (size_t p = 0; p < 4; p++)
		for (int w = 0; w < 5; w++)
			for (int i = 0; i < NODES; i++) {
				all_well(state);
				fake_nodes[i].ways[phases[p]] = ways[w];
				assert_rc(negotiate(&out, &e),
					ways[w] == FAKE_FAILS ? RC_PLACE : RC_UNREACHABLE,
					&e);
				assert_nothing_written();
				assert_not_asked(MESSAGE_keep);
			}
}

static void a_node_that_stays_away_after_commit_is_named(void **state)
{
	static const enum message_tag phases[] = { MESSAGE_commit, MESSAGE_verify };
	struct err e = { 0 };
	char *out;

	for (size_t p = 0; p < 2; p++)
		for (int i = 0; i < NODES; i++) {
			all_well(state);
			fake_nodes[i].ways[phases[p]] = FAKE_DIES;
			fake_nodes[i].stays_away = true;
			assert_rc(negotiate(&out, &e), RC_PARTIAL, &e);
			assert_contains(e.text, "cpuherd rollback run-");
			assert_contains(
				e.text, arena_format(&arena, ": node%02d;", i + 1));
			assert_nothing_written();
		}
}

static void a_node_that_dies_after_commit_is_told_what_its_peer_does(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[2].ways[MESSAGE_verify] = FAKE_DIES;
	fake_nodes[2].stays_away = true;
	assert_rc(negotiate(&out, &e), RC_PARTIAL, &e);
	assert_contains(out, "node03: verify failed after it may have written: its peer "
			     "puts back what was there when the connection ends, unless "
			     "it was killed");
	assert_contains(out, "unsure");
	assert_contains(out, "reverted");
}

static void a_node_that_loses_the_decision_is_brought_forward_again(void **state)
{
	static const enum message_tag phases[] = { MESSAGE_keep, MESSAGE_forget };
	static const enum fake_way ways[] = { FAKE_DIES, FAKE_DIES_AFTER, FAKE_IS_KILLED,
		FAKE_IS_KILLED_AFTER };
	struct err e = { 0 };
	char *out;

	for (size_t p = 0; p < 2; p++)
		for (int w = 0; w < 4; w++)
			for (int i = 0; i < NODES; i++) {
				/* in a session of its own the second time is well */
				all_well(state);
				fake_nodes[i].ways[phases[p]] = ways[w];
				fake_nodes[i].once = true;
				assert_rc(negotiate(&out, &e), RC_OK, &e);
				for (int k = 0; k < NODES; k++) {
					assert_true(fake_is_free((size_t)k));
					assert_string_equal(
						fake_nodes[k].file, fake_nodes[0].file);
				}
			}
}

static void a_node_that_is_gone_when_it_is_decided_is_named_and_nobody_forgets(
	void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].ways[MESSAGE_keep] = FAKE_DIES;
	fake_nodes[1].stays_away = true;
	assert_rc(negotiate(&out, &e), RC_PARTIAL, &e);
	assert_contains(e.text, "nobody can tell: node02; when they can be reached: "
				"cpuherd resume run-");
	assert_contains(e.text, "or cpuherd rollback run-");
	assert_int_equal(fake_nodes[0].state, RUN_STATE_kept);
	assert_int_equal(fake_nodes[2].state, RUN_STATE_kept);
	assert_not_asked(MESSAGE_forget);
}

static void a_node_that_refuses_the_decision_reverts_all(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].ways[MESSAGE_keep] = FAKE_FAILS;
	assert_rc(negotiate(&out, &e), RC_PLACE, &e);
	assert_nothing_written();
	for (size_t i = 0; i < NODES; i++)
		assert_true(fake_is_free(i));
}

static void a_node_that_cannot_forget_is_told_of(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].ways[MESSAGE_forget] = FAKE_FAILS;
	assert_rc(negotiate(&out, &e), RC_PARTIAL, &e);
	assert_contains(e.text, "every node holds the level, but some have not dropped "
				"the way back: node02; when they can be reached: "
				"cpuherd resume run-");
	assert_string_equal(fake_nodes[1].file, fake_nodes[0].file);
	assert_contains(out, "node02: it holds the new content, and still has the way");
}

static void what_a_peer_could_not_put_back_is_told_in_its_words(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].ways[MESSAGE_verify] = FAKE_LIES;
	fake_nodes[1].ways[MESSAGE_revert] = FAKE_FAILS;
	assert_rc(negotiate(&out, &e), RC_PARTIAL, &e);
	assert_contains(out, "node02: it could not be put back");
	assert_null(strstr(out, "its peer puts back"));
}

static void what_cannot_be_read_back_is_reverted_everywhere(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].ways[MESSAGE_verify] = FAKE_LIES;
	assert_rc(negotiate(&out, &e), RC_CONFLICT, &e);
	assert_contains(out, "what is there is not what was written");
	assert_nothing_written();
	all_well(state);
	fake_nodes[1].rejects = true;
	assert_rc(negotiate(&out, &e), RC_VOTE, &e);
	assert_contains(
		out, "the node does not accept what was written: unknown CPU feature");
	assert_nothing_written();
}

static void a_file_that_changes_between_look_and_stage_is_a_conflict(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[0].changes_after_look = true;
	assert_rc(negotiate(&out, &e), RC_CONFLICT, &e);
	assert_string_equal(fake_nodes[0].file, "somebody else's\n");
	assert_contains(out,
		"what has changed since the nodes were looked at:\n\nnode01:\n"
		"--- /dev/null\n+++ /etc/libvirt/cpuherd/baseline.xml\n"
		"@@ -0,0 +1,1 @@\n+somebody else's\n");
	assert_null(strstr(out, "+<cpu mode"));
	assert_null(fake_nodes[1].file);
	assert_null(fake_nodes[1].staged);
}

static void a_node_that_another_run_holds_has_no_difference_to_show(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].state = RUN_STATE_staged;
	snprintf(fake_nodes[1].run, sizeof(fake_nodes[1].run), "run-9");
	assert_rc(negotiate(&out, &e), RC_CONFLICT, &e);
	assert_contains(out, "node02: another run is unfinished here");
	assert_null(strstr(out, "what has changed"));
}

static void an_old_file_comes_back_when_another_node_fails(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[0].file = (char *)"<cpu mode='old'/>\n";
	fake_nodes[2].ways[MESSAGE_commit] = FAKE_FAILS;
	assert_rc(negotiate(&out, &e), RC_PLACE, &e);
	assert_int_equal(fake_nodes[0].writes, 1);
	assert_string_equal(fake_nodes[0].file, "<cpu mode='old'/>\n");
	assert_null(fake_nodes[1].file);
}

static void a_revert_that_fails_is_named(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[1].ways[MESSAGE_verify] = FAKE_FAILS;
	fake_nodes[0].ways[MESSAGE_revert] = FAKE_FAILS;
	assert_rc(negotiate(&out, &e), RC_PARTIAL, &e);
	assert_contains(e.text, "node01");
	assert_null(fake_nodes[1].file);
	assert_null(fake_nodes[2].file);
}

static void an_interrupt_before_the_push_says_that_nothing_was_written(void **state)
{
	static const enum message_tag asked[] = { MESSAGE_ask_facts, MESSAGE_look };
	struct err e = { 0 };
	char *out;

	for (size_t i = 0; i < 2; i++) {
		all_well(state);
		fake_nodes[1].interrupt_at = (int)asked[i];
		assert_rc(negotiate(&out, &e), RC_INTERRUPTED, &e);
		assert_contains(e.text, ": nothing was written");
		assert_nothing_written();
	}
}

/* The nodes are written, the report is lost: the last line must not read like "nothing
 * was changed". */
static void a_report_that_gets_lost_leaves_word_of_what_was_done(void **state)
{
	int full = open("/dev/full", O_WRONLY), saved = dup(STDOUT_FILENO);
	char verb[] = "negotiate", quiet[] = "--quiet", nodes[] = "node[01-03]";
	char *argv[] = { verb, quiet, nodes, NULL };
	struct options options;
	struct err e = { 0 };
	enum rc rc;

	(void)state;
	assert_rc(options_parse(&options, verb_find(argv[0]), 3, argv, &arena, &e), RC_OK,
		&e);
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	rc = negotiate_main(&options, &e);
	dup2(saved, STDOUT_FILENO);
	clearerr(stdout);
	close(saved);
	close(full);
	assert_rc(rc, RC_OUTPUT, &e);
	assert_contains(e.text, "No space left");
	assert_contains(e.text, "3 nodes agree on Penryn +");
	assert_contains(e.text, "written to /etc/libvirt/cpuherd/baseline.xml");
}

static void an_interrupt_reverts_all_and_ends_with_130(void **state)
{
	static const enum message_tag phases[] = { MESSAGE_ask_facts, MESSAGE_propose,
		MESSAGE_look, MESSAGE_stage, MESSAGE_commit, MESSAGE_verify };
	struct err e = { 0 };
	char *out;

	for (size_t p = 0; p < sizeof(phases) / sizeof(phases[0]); p++) {
		all_well(state);
		fake_nodes[1].interrupt_at = (int)phases[p];
		assert_rc(negotiate(&out, &e), RC_INTERRUPTED, &e);
		assert_int_equal(rc_exit_status(e.code), 130);
		assert_nothing_written();
	}
	all_well(state); /* the point of no return: forward */
	fake_nodes[1].interrupt_at = MESSAGE_keep;
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	assert_string_equal(fake_nodes[2].file, fake_nodes[0].file);
}

/* ---- JSON */

static void json_is_one_object_on_success_and_on_failure(void **state)
{
	struct err e = { 0 };
	json_error_t error;
	json_t *object;
	char *out;

	for (int fails = 0; fails < 2; fails++) {
		all_well(state);
		fake_nodes[2].ways[MESSAGE_stage] = fails ? FAKE_FAILS : FAKE_WELL;
		assert_rc(run_verb("negotiate --json node[01-03]", &out, &e),
			fails ? RC_PLACE : RC_OK, &e);
		object = json_loads(out, JSON_REJECT_DUPLICATES, &error);
		assert_non_null(object);
		assert_string_equal(json_string_value(json_object_get(object, "schema")),
			"cpuherd/2");
		assert_int_equal(json_is_true(json_object_get(object, "ok")), !fails);
		assert_int_equal(
			json_integer_value(json_object_get(object, "exit_status")),
			fails ? 25 : 0);
		assert_int_equal(json_array_size(json_object_get(object, "nodes")), 3);
		json_decref(object);
	}
}

static void equal_runs_print_equal_bytes(void **state)
{
	struct err e = { 0 };
	char *first, *second;

	assert_rc(run_verb("negotiate --json node[01-03]", &first, &e), RC_OK, &e);
	all_well(state);
	assert_rc(run_verb("negotiate --json node[01-03]", &second, &e), RC_OK, &e);
	assert_string_equal(first, second);
}

#define CASE(name) cmocka_unit_test_setup(name, all_well)

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		CASE(three_nodes_end_with_the_same_level),
		CASE(a_second_run_finds_all_in_place_and_changes_nothing),
		CASE(equal_bodies_are_asked_of_one_node_only),
		CASE(two_vendors_get_a_level_each_in_the_report_and_none_on_the_nodes),
		CASE(across_vendors_all_vote_and_the_user_is_warned_once),
		CASE(a_body_whose_sender_dies_is_asked_of_the_next),
		CASE(a_body_that_does_not_match_its_digest_fails_its_node),
		CASE(an_unreachable_node_stops_the_run_and_all_failures_are_told),
		CASE(a_node_whose_libvirt_made_no_offer_stops_the_run),
		CASE(a_no_with_a_feature_takes_it_out_and_a_new_round_agrees),
		CASE(a_vote_against_what_is_required_ends_the_run),
		CASE(what_is_left_out_is_not_even_proposed),
		CASE(a_no_that_names_nothing_useful_ends_the_run),
		CASE(a_no_to_what_every_guest_needs_ends_the_run),
		CASE(a_vote_on_another_proposal_is_no_vote),
		CASE(a_dry_run_shows_what_would_be_written_and_writes_nothing),
		CASE(what_somebody_else_wrote_is_shown_and_not_overwritten),
		CASE(a_check_tells_by_its_exit_status_whether_anything_would_be_written),
		CASE(each_node_that_fails_or_dies_in_each_phase_leaves_all_as_before),
		CASE(a_node_that_stays_away_after_commit_is_named),
		CASE(a_node_that_dies_after_commit_is_told_what_its_peer_does),
		CASE(a_node_that_loses_the_decision_is_brought_forward_again),
		CASE(a_node_that_is_gone_when_it_is_decided_is_named_and_nobody_forgets),
		CASE(a_node_that_refuses_the_decision_reverts_all),
		CASE(a_node_that_cannot_forget_is_told_of),
		CASE(what_a_peer_could_not_put_back_is_told_in_its_words),
		CASE(what_cannot_be_read_back_is_reverted_everywhere),
		CASE(a_file_that_changes_between_look_and_stage_is_a_conflict),
		CASE(a_node_that_another_run_holds_has_no_difference_to_show),
		CASE(an_old_file_comes_back_when_another_node_fails),
		CASE(a_revert_that_fails_is_named),
		CASE(an_interrupt_before_the_push_says_that_nothing_was_written),
		CASE(a_report_that_gets_lost_leaves_word_of_what_was_done),
		CASE(an_interrupt_reverts_all_and_ends_with_130),
		CASE(json_is_one_object_on_success_and_on_failure),
		CASE(equal_runs_print_equal_bytes),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, read_facts, forget_facts);
}
