/* The session machine over a scripted world: every call that it makes is made to
 * block, fail, end and hang, one after the other. */
#include "tests/support/session_script.h"

static unsigned life_with(const struct manner *manner, enum fault fault, unsigned at)
{
	struct session s;
	unsigned calls;

	set_up(manner, &s);
	script.fault = fault;
	script.fault_at = at;
	whole_life(&s);
	assert_true(session_is_final(&s));
	/* once for ready, for the answer, for the end; never twice for one */
	assert_true(script.settled >= 1 && script.settled <= 3);
	if (s.state == S_FAILED && (s.err.code == RC_OK || !*s.err.text))
		fail_msg("fault %d at call %u fails without a reason", fault, at);
	if (s.state == S_DONE && script.answered != 2)
		fail_msg("fault %d at call %u: done without both answers", fault, at);
	if (s.state == S_FAILED && (fault <= FAULT_AGAIN_BOTH))
		fail_msg("fault %d at call %u: %s", fault, at, s.err.text);
	calls = script.calls;
	tear_down(&s);
	return calls;
}

static void every_call_fails_in_every_way(const struct manner *manner)
{
	unsigned calls = life_with(manner, FAULT_NONE, 0);

	assert_true(calls > 15);
	for (enum fault f = FAULT_AGAIN; f < FAULT_COUNT; f++)
		for (unsigned at = 1; at <= calls; at++)
			life_with(manner, f, at);
}

static void open_and_ask(struct session *s)
{
	static const struct ask_facts request = { 0 };
	struct err e;

	assert_rc(session_open(s, MESSAGE_ask_facts, &request, &e), RC_OK, &e);
}

/* ---- tests */

static void every_call_of_the_usual_road_may_fail(void **state)
{
	(void)state;
	every_call_fails_in_every_way(&usual);
}

static void every_call_of_a_push_may_fail(void **state)
{
	struct manner push = usual;

	(void)state;
	push.must_push = true;
	every_call_fails_in_every_way(&push);
}

static void every_call_of_a_login_by_the_third_key_may_fail(void **state)
{
	struct manner third = usual;

	(void)state;
	third.agent_keys = 2;
	every_call_fails_in_every_way(&third);
}

static void every_call_of_a_login_by_the_agent_may_fail(void **state)
{
	struct manner agent = usual;

	(void)state;
	agent.agent_keys = 1;
	agent.agent_fits = true;
	agent.file_fits = false;
	every_call_fails_in_every_way(&agent);
}

static void every_call_of_a_login_without_its_agent_may_fail(void **state)
{
	struct manner without = usual;

	(void)state;
	without.agent_fails = true;
	every_call_fails_in_every_way(&without);
}

static void bytes_may_come_and_go_one_by_one(void **state)
{
	struct manner bytewise = usual;

	(void)state;
	bytewise.must_push = true;
	bytewise.piece = 1;
	life_with(&bytewise, FAULT_NONE, 0);
	bytewise.stutters = true;
	life_with(&bytewise, FAULT_NONE, 0);
}

static void a_dead_address_gives_way_to_the_next(void **state)
{
	struct manner two = usual;

	(void)state;
	two.addresses = 3;
	two.dead_addresses = 2;
	life_with(&two, FAULT_NONE, 0);
}

/* The session ends in this state, with these words. */
static void assert_ends(const struct manner *manner, enum session_state end, enum rc code,
	const char *words)
{
	struct session s;

	set_up(manner, &s);
	whole_life(&s);
	assert_string_equal(session_state_name(s.state), session_state_name(end));
	assert_rc(s.err.code, code, &s.err);
	assert_contains(s.err.text, words);
	tear_down(&s);
}

static void when_every_address_is_dead_the_last_one_is_named(void **state)
{
	struct manner dead = usual;

	(void)state;
	dead.addresses = dead.dead_addresses = 2;
	assert_ends(&dead, S_FAILED, RC_UNREACHABLE, "refused");
}

static void a_hanging_address_leaves_time_for_the_next(void **state)
{
	struct manner two = usual;
	struct session s;

	(void)state;
	two.addresses = 2;
	set_up(&two, &s);
	script.fault = FAULT_HANG;
	script.fault_at = 2;
	open_and_ask(&s);
	assert_int_equal(s.state, S_DIAL);
	script.now += 15001;
	script.hanging = false;
	session_expire(&s);
	drive(&s);
	assert_int_equal(s.state, S_READY);
	assert_int_equal(s.address, 1);
	tear_down(&s);
}

static void no_more_than_six_keys_are_offered_and_files_have_their_share(void **state)
{
	struct manner strict = usual;
	struct session s;

	(void)state;
	strict.agent_keys = SCRIPT_AGENT_KEYS;
	strict.files = SCRIPT_FILES;
	strict.file_fits = false;
	set_up(&strict, &s);
	whole_life(&s);
	assert_int_equal(s.state, S_FAILED);
	assert_int_equal(s.err.code, RC_AUTH);
	assert_int_equal(script.logins, LOGIN_KEYS_MAX);
	for (int i = 0; i < LOGIN_KEYS_MAX; i++)
		assert_string_equal(script.offered[i],
			i < 3 ? "of agent" : script_key((unsigned)i - 3)->path);
	assert_contains(s.err.text, "with 6 keys");
	assert_contains(s.err.text, "of agent was not tried any more");
	tear_down(&s);
}

static void rsa_keys_that_an_old_library_cannot_use_are_explained(void **state)
{
	struct manner strict = usual;
	struct session s;

	(void)state;
	strict.file_fits = false;
	set_up(&strict, &s);
	script_key(0)->blob = (struct bytes){ (const uint8_t *)"\0\0\0\7ssh-rsa...", 14 };
	whole_life(&s);
	assert_contains(s.err.text, "only RSA keys were tried");
	tear_down(&s);

	strict.files = 2;
	set_up(&strict, &s);
	script_key(0)->blob = (struct bytes){ (const uint8_t *)"\0\0\0\7ssh-rsa...", 14 };
	whole_life(&s);
	assert_contains(s.err.text, "some of these are RSA keys, and the libssh2 here");
	tear_down(&s);
}

static void the_key_that_let_a_user_in_is_offered_first_to_the_next_node(void **state)
{
	struct manner third = usual;
	struct session s, next;

	(void)state;
	third.agent_keys = 2;
	third.files = 2;
	set_up(&third, &s);
	whole_life(&s);
	assert_int_equal(script.logins, 3);
	assert_string_equal(script.offered[2], "/key0");
	session_init(&next, &common, "next", &settings, &script.messages);
	script.logins = 0;
	script.eof = false;
	assert_rc(session_open(
			  &next, MESSAGE_ask_facts, &(struct ask_facts){ 0 }, &next.err),
		RC_OK, &next.err);
	drive(&next);
	assert_int_equal(next.state, S_READY);
	assert_int_equal(script.logins, 1);
	assert_string_equal(script.offered[0], "/key0");
	session_destroy(&next);
	tear_down(&s);
}

static void a_connection_that_is_stuck_is_offered_no_other_key(void **state)
{
	struct manner stuck = usual;
	struct session s;

	(void)state;
	stuck.agent_keys = 2;
	stuck.sign_fails_at = stuck.stuck_at = 1;
	set_up(&stuck, &s);
	whole_life(&s);
	assert_int_equal(s.err.code, RC_AUTH);
	assert_int_equal(script.logins, 1);
	assert_contains(s.err.text, "no key could be used to log in as user; the "
				    "ssh-agent refuses to sign; of agent could not be "
				    "tried on the same connection");
	tear_down(&s);
}

static void an_agent_that_cannot_sign_gives_way_to_files(void **state)
{
	struct manner failing = usual;
	struct session s;

	(void)state;
	failing.agent_keys = 1;
	failing.agent_fits = true;
	failing.sign_fails_at = 1;
	set_up(&failing, &s);
	whole_life(&s);
	assert_int_equal(s.state, S_DONE);
	assert_int_equal(script.logins, 2);
	tear_down(&s);
}

static void why_nobody_got_in_names_the_agent_and_every_file(void **state)
{
	struct manner none = usual;
	struct session s;

	(void)state;
	none.agent_fails = true;
	none.files = 2;
	set_up(&none, &s);
	script_key(0)->state = KEY_LOCKED;
	script_key(1)->state = KEY_PUBLIC;
	whole_life(&s);
	assert_int_equal(s.err.code, RC_AUTH);
	assert_contains(s.err.text, "there is no key to log in with as user; the "
				    "ssh-agent hangs; /key0 needs a passphrase (ssh-add "
				    "it); /key1 is a public key");
	tear_down(&s);
}

static void an_agent_without_a_key_is_named(void **state)
{
	struct manner none = usual;
	struct session s;

	(void)state;
	none.files = 0;
	set_up(&none, &s);
	whole_life(&s);
	assert_int_equal(s.err.code, RC_AUTH);
	assert_contains(s.err.text, "there is no key to log in with as user; the "
				    "ssh-agent at ");
	tear_down(&s);
}

static void a_start_that_fails_says_why(void **state)
{
	struct manner failing = usual;
	struct session s;

	(void)state;
	set_up(&failing, &s);
	open_and_ask(&s); /* runs to ready; the script is for the next one */
	assert_int_equal(s.state, S_READY);
	tear_down(&s);
	failing.start = "no start line here, but words\n";
	failing.words = "sudo: a password is required\n";
	set_up(&failing, &s);
	script.eof = true;
	whole_life(&s);
	assert_int_equal(s.err.code, RC_PEER);
	assert_contains(s.err.text, "sudo: a password is required");
	tear_down(&s);
}

static void a_failure_of_the_peer_keeps_its_code_and_the_session(void **state)
{
	struct manner failing = usual;
	struct session s;

	(void)state;
	failing.failure = "LIBVIRT";
	set_up(&failing, &s);
	open_and_ask(&s);
	drive(&s);
	assert_int_equal(s.state, S_READY);
	assert_rc(s.err.code, RC_LIBVIRT, &s.err);
	assert_contains(s.err.text, "no libvirt");
	assert_int_equal(s.err.native, 5);
	script.manner.failure = "NO_SUCH_CODE";
	session_ask(&s, MESSAGE_ask_facts, &(struct ask_facts){ 0 }, &s.err);
	drive(&s);
	assert_int_equal(s.err.code, RC_PEER);
	script.manner.failure = "OK"; /* a failure is never well */
	session_ask(&s, MESSAGE_ask_facts, &(struct ask_facts){ 0 }, &s.err);
	drive(&s);
	assert_int_equal(s.err.code, RC_PEER);
	script.manner.failure = "INTERRUPTED"; /* only our own user can interrupt us */
	session_ask(&s, MESSAGE_ask_facts, &(struct ask_facts){ 0 }, &s.err);
	drive(&s);
	assert_int_equal(s.err.code, RC_PEER);
	script.manner.failure = NULL;
	session_ask(&s, MESSAGE_ask_facts, &(struct ask_facts){ 0 }, &s.err);
	drive(&s);
	assert_int_equal(s.err.code, RC_OK);
	tear_down(&s);
}

/* The library may hold what the socket will never announce again. */
static void a_session_that_stops_reading_says_that_there_is_more(void **state)
{
	static char long_text[1000 * 1000];
	struct manner big = usual;
	struct session s;
	unsigned turns = 1;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	big.cmdline = long_text;
	set_up(&big, &s);
	open_and_ask(&s);
	for (; s.state == S_ANSWER; turns++) {
		assert_true(script.hot);
		session_advance(&s);
	}
	assert_int_equal(s.state, S_READY);
	assert_int_equal(script.answered, 1);
	assert_true(turns > 1);
	tear_down(&s);
}

static void an_answer_to_another_question_ends_the_session(void **state)
{
	struct manner wrong = usual;

	(void)state;
	wrong.wrong_answer = true;
	assert_ends(&wrong, S_FAILED, RC_PROTOCOL, "answers ask_facts with staged");
}

static void a_session_that_is_not_ready_cannot_be_asked(void **state)
{
	struct session s;
	struct err e;

	(void)state;
	set_up(&usual, &s);
	assert_int_equal(session_ask(&s, MESSAGE_ask_facts, &(struct ask_facts){ 0 }, &e),
		RC_INTERNAL);
	session_close(&s);
	assert_int_equal(s.state, S_DONE);
	tear_down(&s);
}

static void the_drawing_names_every_state_that_is_entered(void **state)
{
	struct buf out = buf_with_cap(64 * 1024);

	(void)state;
	assert_int_equal(session_draw(&out), RC_OK);
	buf_append(&out, "", 1);
	for (enum session_state i = S_RESOLVE; i < S_FAILED; i++)
		assert_contains(
			(const char *)buf_bytes(&out).data, session_state_name(i));
	buf_destroy(&out);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_of_the_usual_road_may_fail),
		cmocka_unit_test(every_call_of_a_push_may_fail),
		cmocka_unit_test(every_call_of_a_login_by_the_third_key_may_fail),
		cmocka_unit_test(every_call_of_a_login_by_the_agent_may_fail),
		cmocka_unit_test(every_call_of_a_login_without_its_agent_may_fail),
		cmocka_unit_test(bytes_may_come_and_go_one_by_one),
		cmocka_unit_test(a_dead_address_gives_way_to_the_next),
		cmocka_unit_test(when_every_address_is_dead_the_last_one_is_named),
		cmocka_unit_test(a_hanging_address_leaves_time_for_the_next),
		cmocka_unit_test(
			no_more_than_six_keys_are_offered_and_files_have_their_share),
		cmocka_unit_test(rsa_keys_that_an_old_library_cannot_use_are_explained),
		cmocka_unit_test(
			the_key_that_let_a_user_in_is_offered_first_to_the_next_node),
		cmocka_unit_test(a_connection_that_is_stuck_is_offered_no_other_key),
		cmocka_unit_test(an_agent_that_cannot_sign_gives_way_to_files),
		cmocka_unit_test(why_nobody_got_in_names_the_agent_and_every_file),
		cmocka_unit_test(an_agent_without_a_key_is_named),
		cmocka_unit_test(a_start_that_fails_says_why),
		cmocka_unit_test(a_failure_of_the_peer_keeps_its_code_and_the_session),
		cmocka_unit_test(a_session_that_stops_reading_says_that_there_is_more),
		cmocka_unit_test(an_answer_to_another_question_ends_the_session),
		cmocka_unit_test(a_session_that_is_not_ready_cannot_be_asked),
		cmocka_unit_test(the_drawing_names_every_state_that_is_entered),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, script_make, script_unmake);
}
