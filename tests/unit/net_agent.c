/* The ssh-agent's client against an agent of this file, which answers byte by byte, late,
 * wrong or not at all. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "coordinator/net/agent.h"
#include "coordinator/net/wire.h"
#include "tests/support/keys.h"
#include "tests/support/test.h"

enum { WAITERS = 3 };

static char path[64];
static int listener;

/* One agent, both ends, and those who wait for it. */
static struct stage {
	struct agent agent;
	int far; /* the agent's end */
	bool watched, also_write;
	uint32_t alarm_ms;
	struct agent_wait who[WAITERS];
	unsigned woken[WAITERS];
} st;

static void watch(struct agent *a, bool also_write)
{
	st.watched = a->err.code == RC_OK;
	st.also_write = also_write;
}

static void set_alarm(struct agent *a, uint32_t ms)
{
	(void)a;
	st.alarm_ms = ms;
}

static const struct agent_loop loop = { watch, set_alarm };

static void wake(void *context)
{
	++*(unsigned *)context;
}

static void set_up(void)
{
	memset(&st, 0, sizeof(st));
	for (int i = 0; i < WAITERS; i++)
		st.who[i] = (struct agent_wait){ .wake = wake, .context = &st.woken[i] };
	agent_open(&st.agent, path, 5000, &loop, NULL);
	st.far = accept(listener, NULL, NULL);
	assert_true(st.far >= 0);
	assert_true(st.watched && st.also_write);
	assert_int_equal(st.alarm_ms, 5000);
}

static void tear_down(void)
{
	for (int i = 0; i < WAITERS; i++)
		agent_forget(&st.who[i]);
	agent_close(&st.agent);
	close(st.far);
}

/* ---- the far end */

/* The next whole request, or false: there is none. */
static bool hear(uint8_t *type, struct bytes *body)
{
	static uint8_t room[4096];
	struct bytes in = { room, 0 }, message;
	ssize_t n;

	while (st.also_write)
		agent_ready(&st.agent);
	n = recv(st.far, room, sizeof(room), MSG_DONTWAIT);
	if (n <= 0)
		return false;
	in.size = (size_t)n;
	assert_true(wire_take_string(&in, &message));
	assert_int_equal(in.size, 0); /* one at a time */
	*type = *message.data;
	*body = (struct bytes){ message.data + 1, message.size - 1 };
	return true;
}

static void say_bytes(const void *data, size_t size)
{
	assert_int_equal(send(st.far, data, size, MSG_NOSIGNAL), size);
}

static void put_message(struct buf *out, uint8_t type, struct bytes body)
{
	wire_put_number(out, (uint32_t)body.size + 1);
	buf_append(out, &type, 1);
	buf_append(out, body.data, body.size);
}

static struct bytes list_answer(struct buf *out)
{
	struct buf body = buf_with_cap(4096);

	wire_put_number(&body, 2);
	wire_put_text(&body, "blob one");
	wire_put_text(&body, "name one");
	wire_put_text(&body, "blob two");
	wire_put_text(&body, "name two");
	put_message(out, 12, buf_bytes(&body));
	buf_destroy(&body);
	return buf_bytes(out);
}

static struct bytes sign_answer(struct buf *out, const char *algorithm, const char *text)
{
	struct buf signature = buf_with_cap(4096), body = buf_with_cap(4096);
	struct bytes made;

	wire_put_text(&signature, algorithm);
	wire_put_text(&signature, text);
	made = buf_bytes(&signature);
	wire_put_string(&body, made.data, made.size);
	put_message(out, 14, buf_bytes(&body));
	buf_destroy(&signature);
	buf_destroy(&body);
	return buf_bytes(out);
}

static void say_signature(const char *algorithm, const char *text)
{
	struct buf out = buf_with_cap(4096);
	struct bytes answer = sign_answer(&out, algorithm, text);

	say_bytes(answer.data, answer.size);
	agent_ready(&st.agent);
	buf_destroy(&out);
}

static void list_keys(void)
{
	struct buf out = buf_with_cap(4096);
	struct bytes answer = list_answer(&out), body;
	uint8_t type;

	assert_true(hear(&type, &body));
	assert_int_equal(type, 11);
	say_bytes(answer.data, answer.size);
	agent_ready(&st.agent);
	buf_destroy(&out);
}

/* ---- the near end */

/* *text: the signature, when there is one. */
static enum rc sign(unsigned who, const char *blob, const char *algorithm, char text[32],
	struct err *e)
{
	struct buf room = buf_with_cap(4096);
	uint8_t *out = NULL;
	size_t size = 0;
	enum rc rc = agent_sign(&st.agent, &st.who[who], bytes_of(blob),
		keys_login_data(&room, algorithm), &out, &size, e);

	if (rc == RC_OK)
		snprintf(text, 32, "%.*s", (int)size, (const char *)out);
	free(out);
	buf_destroy(&room);
	return rc;
}

static void assert_signed(unsigned who, const char *algorithm, const char *wanted)
{
	char text[32];
	struct err e;

	assert_rc(sign(who, "", algorithm, text, &e), RC_OK, &e);
	assert_string_equal(text, wanted);
}

static void begin(unsigned who, const char *blob, const char *algorithm)
{
	char text[32];
	struct err e;

	assert_rc(sign(who, blob, algorithm, text, &e), RC_AGAIN, &e);
}

/* ---- tests */

static void keys_are_listed_once_and_everybody_who_waits_is_woken(void **state)
{
	struct err e;

	(void)state;
	set_up();
	assert_int_equal(agent_list(&st.agent, &st.who[0], &e), RC_AGAIN);
	assert_int_equal(agent_list(&st.agent, &st.who[0], &e), RC_AGAIN);
	assert_int_equal(agent_list(&st.agent, &st.who[1], &e), RC_AGAIN);
	assert_int_equal(agent_list(&st.agent, &st.who[2], &e), RC_AGAIN);
	agent_forget(&st.who[1]);
	list_keys();
	assert_int_equal(st.woken[0], 1);
	assert_int_equal(st.woken[1], 0);
	assert_int_equal(st.woken[2], 1);
	assert_int_equal(st.alarm_ms, 0);
	assert_int_equal(agent_list(&st.agent, &st.who[0], &e), RC_OK);
	assert_int_equal(st.agent.key_count, 2);
	assert_true(wire_equals(st.agent.keys[1].blob, "blob two"));
	assert_string_equal(st.agent.keys[1].name, "name two");
	tear_down();
}

static void answers_may_come_byte_by_byte(void **state)
{
	struct buf out = buf_with_cap(4096);
	struct bytes answer = list_answer(&out), body;
	struct err e;
	uint8_t type;

	(void)state;
	set_up();
	assert_true(hear(&type, &body));
	for (size_t i = 0; i < answer.size; i++) {
		assert_int_equal(agent_list(&st.agent, &st.who[0], &e), RC_AGAIN);
		say_bytes(answer.data + i, 1);
		agent_ready(&st.agent);
	}
	assert_int_equal(agent_list(&st.agent, &st.who[0], &e), RC_OK);
	tear_down();
	buf_destroy(&out);
}

static void signatures_are_asked_for_one_after_the_other(void **state)
{
	struct bytes body, blob, data;
	uint8_t type;

	(void)state;
	set_up();
	list_keys();
	begin(0, "blob one", "ssh-ed25519");
	begin(1, "blob two", "ssh-ed25519");
	assert_true(hear(&type, &body));
	assert_int_equal(type, 13);
	assert_int_equal(st.alarm_ms, 5000);
	assert_true(wire_take_string(&body, &blob) && wire_equals(blob, "blob one"));
	assert_true(wire_take_string(&body, &data) && body.size == 4);
	assert_false(hear(&type, &body));
	say_signature("ssh-ed25519", "of one");
	assert_int_equal(st.woken[0], 1);
	assert_int_equal(st.woken[1], 0);
	assert_true(hear(&type, &body));
	assert_true(wire_take_string(&body, &blob) && wire_equals(blob, "blob two"));
	say_signature("ssh-ed25519", "of two");
	assert_signed(1, "ssh-ed25519", "of two");
	assert_signed(0, "ssh-ed25519", "of one");
	assert_int_equal(st.alarm_ms, 0);
	tear_down();
}

static void flags_choose_the_algorithm_of_an_rsa_key(void **state)
{
	static const struct {
		const char *algorithm, *answer;
		uint32_t flags;
	} rows[] = { { "rsa-sha2-512", "rsa-sha2-512", 4 },
		{ "rsa-sha2-256", "rsa-sha2-256", 2 }, { "ssh-rsa", "ssh-rsa", 0 },
		{ "rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-512", 4 },
		{ "ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", 0 } };
	struct bytes body, part;
	uint32_t flags;
	uint8_t type;

	(void)state;
	set_up();
	list_keys();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin(0, "blob one", rows[i].algorithm);
		assert_true(hear(&type, &body));
		assert_true(wire_take_string(&body, &part) &&
			    wire_take_string(&body, &part) &&
			    wire_take_number(&body, &flags));
		assert_int_equal(flags, rows[i].flags);
		say_signature(rows[i].answer, "x");
		assert_signed(0, rows[i].algorithm, "x");
	}
	tear_down();
}

static void a_signature_by_another_algorithm_is_refused(void **state)
{
	struct bytes body;
	char text[32];
	uint8_t type;
	struct err e;

	(void)state;
	set_up();
	list_keys();
	begin(0, "blob one", "rsa-sha2-512");
	assert_true(hear(&type, &body));
	say_signature("ssh-rsa", "x");
	assert_rc(sign(0, "", "", text, &e), RC_AUTH, &e);
	assert_contains(e.text, "signed with ssh-rsa and was asked for rsa-sha2-512");
	assert_contains(e.text, path);
	tear_down();
}

static void a_refusal_is_one_key_s_and_the_next_is_signed(void **state)
{
	static const uint8_t failure[] = { 0, 0, 0, 1, 5 };
	struct bytes body;
	char text[32];
	uint8_t type;
	struct err e;

	(void)state;
	set_up();
	list_keys();
	begin(0, "blob one", "ssh-ed25519");
	begin(1, "blob one", "ssh-ed25519");
	assert_true(hear(&type, &body));
	say_bytes(failure, sizeof(failure));
	agent_ready(&st.agent);
	assert_rc(sign(0, "", "", text, &e), RC_AUTH, &e);
	assert_contains(e.text, "refuses to sign");
	assert_true(hear(&type, &body));
	say_signature("ssh-ed25519", "of one");
	assert_signed(1, "ssh-ed25519", "of one");
	tear_down();
}

static void who_forgets_leaves_the_order_as_it_is(void **state)
{
	struct bytes body, blob;
	uint8_t type;

	(void)state;
	set_up();
	list_keys();
	begin(0, "blob one", "ssh-ed25519");
	begin(1, "blob two", "ssh-ed25519");
	begin(2, "blob three", "ssh-ed25519");
	assert_true(hear(&type, &body));
	agent_forget(&st.who[0]); /* on its way */
	agent_forget(&st.who[1]); /* not yet */
	agent_forget(&st.who[1]);
	say_signature("ssh-ed25519", "of one");
	assert_int_equal(st.woken[0] + st.woken[1] + st.woken[2], 0);
	assert_true(hear(&type, &body));
	assert_true(wire_take_string(&body, &blob) && wire_equals(blob, "blob three"));
	say_signature("ssh-ed25519", "of three");
	assert_int_equal(st.woken[2], 1);
	agent_forget(&st.who[2]); /* not fetched */
	tear_down();
}

/* Both those under way and those who come later. */
static void assert_useless(enum rc code, const char *words)
{
	char text[32];
	struct err e;

	assert_rc(agent_list(&st.agent, &st.who[0], &e), code, &e);
	assert_contains(e.text, words);
	assert_contains(e.text, path);
	assert_rc(sign(1, "blob one", "ssh-ed25519", text, &e), code, &e);
	assert_contains(e.text, words);
	assert_false(st.watched);
	assert_int_equal(st.alarm_ms, 0);
	assert_int_equal(st.agent.fd, -1);
}

static void an_agent_that_lists_nothing_in_time_is_of_no_use(void **state)
{
	struct err e;

	(void)state;
	set_up();
	assert_int_equal(agent_list(&st.agent, &st.who[0], &e), RC_AGAIN);
	agent_late(&st.agent);
	agent_late(&st.agent);
	agent_ready(&st.agent);
	assert_int_equal(st.woken[0], 1);
	assert_useless(RC_TIMEOUT, "hangs and is not used");
	tear_down();
}

static void an_agent_that_does_not_sign_in_time_fails_all_that_wait(void **state)
{
	char text[32];
	struct err e;

	(void)state;
	set_up();
	list_keys();
	begin(0, "blob one", "ssh-ed25519");
	begin(2, "blob one", "ssh-ed25519");
	agent_late(&st.agent);
	assert_int_equal(st.woken[0], 1);
	assert_int_equal(st.woken[2], 1);
	assert_rc(sign(2, "", "", text, &e), RC_TIMEOUT, &e);
	assert_contains(e.text, "did not answer within 5 s");
	assert_rc(sign(0, "", "", text, &e), RC_TIMEOUT, &e);
	assert_useless(RC_TIMEOUT, "did not answer within 5 s");
	tear_down();
}

static void an_agent_may_die_behind_every_byte(void **state)
{
	struct buf out = buf_with_cap(4096);
	struct bytes answer = sign_answer(&out, "ssh-ed25519", "x"), body;
	char text[32];
	uint8_t type;
	struct err e;

	(void)state;
	for (size_t n = 0; n < answer.size; n++) {
		set_up();
		list_keys();
		begin(0, "blob one", "ssh-ed25519");
		assert_true(hear(&type, &body));
		if (n)
			say_bytes(answer.data, n);
		shutdown(st.far, SHUT_RDWR);
		for (int i = 0; i < 3; i++)
			agent_ready(&st.agent);
		assert_int_equal(st.woken[0], 1);
		assert_rc(sign(0, "", "", text, &e), RC_AUTH, &e);
		assert_useless(RC_AUTH, "does not answer");
		tear_down();
	}
	buf_destroy(&out);
}

/* Any bytes: an answer, or the end; never more than is allowed, never nothing. */
static void garbage_ends_the_agent_or_is_an_answer(void **state)
{
	uint64_t seed = 3;
	unsigned ended = 0;

	(void)state;
	for (int round = 0; round < 500; round++) {
		uint8_t bytes[64] = { 0 };
		struct err e;

		for (size_t i = 2; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)(test_random(&seed) % (round % 2	   ? 256
									  : i == 4 ? 16
										   : 4));
		bytes[2] = 0;
		set_up();
		assert_int_equal(agent_list(&st.agent, &st.who[0], &e), RC_AGAIN);
		say_bytes(bytes, sizeof(bytes));
		agent_ready(&st.agent);
		agent_ready(&st.agent);
		ended += st.agent.err.code != RC_OK;
		assert_true(st.agent.err.code != RC_OK || st.agent.listed ||
			    bytes[3] > sizeof(bytes) - 4);
		tear_down();
	}
	assert_true(ended > 100);
}

static void words_that_nobody_asked_for_end_the_agent(void **state)
{
	static const uint8_t types[] = { 5, 12, 14 };

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		const uint8_t message[] = { 0, 0, 0, 1, types[i] };

		set_up();
		list_keys();
		say_bytes(message, sizeof(message));
		agent_ready(&st.agent);
		assert_useless(RC_AUTH, "Protocol error");
		tear_down();
	}
}

static void an_agent_that_is_not_there_is_named(void **state)
{
	struct err e;

	(void)state;
	memset(&st, 0, sizeof(st));
	agent_open(&st.agent, "/nonexistent/agent", 5000, &loop, NULL);
	assert_rc(agent_list(&st.agent, &st.who[0], &e), RC_AUTH, &e);
	assert_contains(e.text, "/nonexistent/agent does not answer: No such file");
	agent_close(&st.agent);
}

static int make_listener(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	(void)state;
	snprintf(path, sizeof(path), "/tmp/cpuherd-agent-test.%d", (int)getpid());
	memcpy(at.sun_path, path, sizeof(path));
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	       listen(listener, 8) != 0;
}

static int remove_listener(void **state)
{
	(void)state;
	close(listener);
	return unlink(path);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_listed_once_and_everybody_who_waits_is_woken),
		cmocka_unit_test(answers_may_come_byte_by_byte),
		cmocka_unit_test(signatures_are_asked_for_one_after_the_other),
		cmocka_unit_test(flags_choose_the_algorithm_of_an_rsa_key),
		cmocka_unit_test(a_signature_by_another_algorithm_is_refused),
		cmocka_unit_test(a_refusal_is_one_key_s_and_the_next_is_signed),
		cmocka_unit_test(who_forgets_leaves_the_order_as_it_is),
		cmocka_unit_test(an_agent_that_lists_nothing_in_time_is_of_no_use),
		cmocka_unit_test(an_agent_that_does_not_sign_in_time_fails_all_that_wait),
		cmocka_unit_test(an_agent_may_die_behind_every_byte),
		cmocka_unit_test(garbage_ends_the_agent_or_is_an_answer),
		cmocka_unit_test(words_that_nobody_asked_for_end_the_agent),
		cmocka_unit_test(an_agent_that_is_not_there_is_named),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make_listener, remove_listener);
}
