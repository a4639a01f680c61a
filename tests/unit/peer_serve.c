#include "proto/limits.h"
#include "tests/unit/peer_talk.h"

/* ---- the dialogue as it should be */

static void a_whole_run_is_answered_message_by_message(void **state)
{
	struct spot spot = { PLACE_stanza, "lab" };
	struct look look = { { &spot, 1 } };
	const struct reading *reading;
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say(&t, MESSAGE_look, &look);
	say_stage(&t, new_text);
	say_run(&t, MESSAGE_commit);
	say_run(&t, MESSAGE_verify);
	say_run(&t, MESSAGE_keep);
	say(&t, MESSAGE_look, &look);
	say_bye(&t);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	assert_int_equal(((const struct welcome *)hear(&t, MESSAGE_welcome))->version,
		PROTOCOL_VERSION);
	assert_false(hear_found(&t)->exists);
	assert_string_equal(hear_staging(&t)->path, path);
	assert_true(((const struct committed *)hear(&t, MESSAGE_committed))->changed);
	reading = hear_reading(&t);
	assert_true(reading->accepted);
	assert_memory_equal(reading->content.data, new_text, strlen(new_text));
	assert_true(((const struct kept *)hear(&t, MESSAGE_kept))->changed);
	assert_true(hear_found(&t)->exists);
	hear_nothing_more(&t);
	assert_true(is_written(&t));
	close_talk(&t);
}

/* What is there is cpuherd's own from the end of the run on, until somebody edits it. */
static void look_tells_whose_a_file_is(void **state)
{
	struct spot spot = { PLACE_stanza, "lab" };
	struct look look = { { &spot, 1 } };
	struct recover recover = { "" };
	const struct recovered *recovered;
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say_stage(&t, new_text);
	say_run(&t, MESSAGE_commit);
	say_run(&t, MESSAGE_keep);
	say(&t, MESSAGE_look, &look);
	say(&t, MESSAGE_recover, &recover);
	say_run(&t, MESSAGE_forget);
	say(&t, MESSAGE_look, &look);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	hear(&t, MESSAGE_welcome);
	hear(&t, MESSAGE_staged);
	hear(&t, MESSAGE_committed);
	hear(&t, MESSAGE_kept);
	assert_false(hear_found(&t)->ours);
	recovered = hear(&t, MESSAGE_recovered);
	assert_string_equal(recovered->run, "run1");
	assert_int_equal(recovered->state, RUN_STATE_kept);
	assert_true(((const struct forgotten *)hear(&t, MESSAGE_forgotten))->changed);
	assert_true(hear_found(&t)->ours);
	test_write_file(arena_format(&t.arena, "%s%s", t.root, path), "edited");
	buf_consume(&t.requests, buf_bytes(&t.requests).size);
	say_hello(&t);
	say(&t, MESSAGE_look, &look);
	run(&t);
	hear(&t, MESSAGE_welcome);
	assert_false(hear_found(&t)->ours);
	close_talk(&t);
}

static void what_this_peer_cannot_do_is_refused_in_words(void **state)
{
	static struct spot spots[LIMIT_CHANGES + 1];
	struct look many = { { spots, LIMIT_CHANGES + 1 } }, none = { { NULL, 0 } };
	struct change change = { .place = PLACE_stanza, .name = "lab" };
	const char *unit = "nova";
	struct stage stage = { .run = "run1",
		.changes = { &change, 1 },
		.virt_type = "kvm",
		.units = { &unit, 1 } };
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say(&t, MESSAGE_look, &many);
	say(&t, MESSAGE_look, &none);
	say(&t, MESSAGE_stage, &stage);
	run(&t);
	hear(&t, MESSAGE_welcome);
	hear_failure(&t, "LIMIT");
	hear_failure(&t, "LIMIT");
	hear_failure(&t, "TARGET");
	close_talk(&t);
}

static void bodies_come_one_by_one_and_the_last_is_marked(void **state)
{
	const char *wanted[] = { "offer_kvm", "capabilities" };
	struct ask_bodies ask = { { wanted, 2 } };
	struct ask_facts ask_facts = { 0 };
	const struct body *body;
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say(&t, MESSAGE_ask_facts, &ask_facts);
	say(&t, MESSAGE_ask_bodies, &ask);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	hear(&t, MESSAGE_welcome);
	assert_string_equal(
		((const struct facts *)hear(&t, MESSAGE_facts))->uri, "qemu:///system");
	body = hear(&t, MESSAGE_body);
	assert_string_equal(body->name, "offer_kvm");
	assert_false(body->last);
	body = hear(&t, MESSAGE_body);
	assert_string_equal(body->name, "capabilities");
	assert_memory_equal(body->content.data, "<capabilities/>", body->content.size);
	assert_true(body->last);
	close_talk(&t);
}

static void bodies_that_are_not_there_are_refused_as_a_whole(void **state)
{
	const char *wanted[] = { "offer_kvm", "kvm" };
	struct ask_bodies some = { { wanted, 2 } }, none = { 0 };
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say(&t, MESSAGE_ask_bodies, &some);
	say(&t, MESSAGE_ask_bodies, &none);
	run(&t);
	hear(&t, MESSAGE_welcome);
	assert_contains(hear_failure(&t, "PROTOCOL")->reason, "\"kvm\"");
	hear_failure(&t, "PROTOCOL");
	hear_nothing_more(&t);
	close_talk(&t);
}

static void libvirts_no_names_the_features_and_its_silence_is_a_failure(void **state)
{
	struct propose yes = { .round = 1, .virt_type = "kvm", .cpu = "<cpu/>" };
	struct propose no = { .round = 2, .virt_type = "kvm", .cpu = "avx" };
	struct propose trouble = { .round = 3, .virt_type = "kvm", .cpu = "trouble" };
	struct propose other = { .round = 4, .virt_type = "xen", .cpu = "<cpu/>" };
	const struct vote *vote;
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say(&t, MESSAGE_propose, &yes);
	say(&t, MESSAGE_propose, &no);
	say(&t, MESSAGE_propose, &trouble);
	say(&t, MESSAGE_propose, &other);
	run(&t);
	hear(&t, MESSAGE_welcome);
	vote = hear(&t, MESSAGE_vote);
	assert_true(vote->yes);
	assert_string_equal(vote->reason, "");
	vote = hear(&t, MESSAGE_vote);
	assert_false(vote->yes);
	assert_int_equal(vote->round, 2);
	assert_int_equal(vote->features.count, 1);
	assert_string_equal(vote->features.item[0], "avx");
	assert_int_equal(hear_failure(&t, "LIBVIRT")->native, 38);
	assert_contains(hear_failure(&t, "PROTOCOL")->reason, "xen");
	close_talk(&t);
}

static void what_libvirt_refuses_is_not_staged(void **state)
{
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say_stage(&t, "avx");
	say_run(&t, MESSAGE_commit);
	say_bye(&t);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	hear(&t, MESSAGE_welcome);
	assert_contains(hear_failure(&t, "VOTE")->reason, "missing: avx");
	hear_failure(&t, "PLACE");
	assert_false(folder_is_there(&t));
	close_talk(&t);
}

static void a_failing_request_does_not_end_the_dialogue(void **state)
{
	struct spot spots[] = { { PLACE_stanza, "../../passwd" }, { 77, "lab" } };
	struct look outside = { { &spots[0], 1 } }, nowhere = { { &spots[1], 1 } };
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say(&t, MESSAGE_look, &outside);
	say(&t, MESSAGE_look, &nowhere);
	say_stage(&t, new_text);
	say_run(&t, MESSAGE_revert);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	hear(&t, MESSAGE_welcome);
	hear_failure(&t, "PLACE");
	hear_failure(&t, "PLACE");
	hear(&t, MESSAGE_staged);
	assert_true(((const struct reverted *)hear(&t, MESSAGE_reverted))->changed);
	assert_false(folder_is_there(&t));
	close_talk(&t);
}

/* A short run, its first n bytes on the command line and the rest on standard input; the
 * answers go to the end of out.  Gives the number of all its bytes. */
static size_t run_cut_at(size_t n, struct buf *out)
{
	struct ask_facts ask = { 0 };
	struct bytes all, answers;
	struct talk t;

	open_talk(&t);
	say_hello(&t);
	say(&t, MESSAGE_ask_facts, &ask);
	say_stage(&t, new_text);
	say_run(&t, MESSAGE_revert);
	say_bye(&t);
	all = buf_bytes(&t.requests);
	t.serve.first = (struct bytes){ all.data, n };
	buf_consume(&t.requests, n); /* the memory stays */
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	answers = buf_bytes(&t.answers);
	assert_int_equal(buf_append(out, answers.data, answers.size), RC_OK);
	close_talk(&t);
	return all.size;
}

static void first_words_are_answered_as_if_they_had_come_by_standard_input(void **state)
{
	struct buf wanted = buf_with_cap(1 << 20), all = buf_with_cap(1 << 20);
	size_t size = run_cut_at(0, &wanted);
	struct bytes w = buf_bytes(&wanted), a;

	(void)state;
	assert_true(w.size > 100);
	for (size_t n = 1; n <= size; n++) {
		buf_consume(&all, buf_bytes(&all).size);
		run_cut_at(n, &all);
		a = buf_bytes(&all);
		assert_int_equal(a.size, w.size);
		assert_memory_equal(a.data, w.data, w.size);
	}
	buf_destroy(&wanted);
	buf_destroy(&all);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(
			first_words_are_answered_as_if_they_had_come_by_standard_input),
		cmocka_unit_test(a_whole_run_is_answered_message_by_message),
		cmocka_unit_test(look_tells_whose_a_file_is),
		cmocka_unit_test(what_this_peer_cannot_do_is_refused_in_words),
		cmocka_unit_test(bodies_come_one_by_one_and_the_last_is_marked),
		cmocka_unit_test(bodies_that_are_not_there_are_refused_as_a_whole),
		cmocka_unit_test(
			libvirts_no_names_the_features_and_its_silence_is_a_failure),
		cmocka_unit_test(what_libvirt_refuses_is_not_staged),
		cmocka_unit_test(a_failing_request_does_not_end_the_dialogue),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
