#include <poll.h>

#include "base/digest.h"

#include "tests/unit/peer_talk.h"

/* ---- a coordinator that vanishes */

static void the_end_of_input_before_keep_reverts(void **state)
{
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say_stage(&t, new_text);
	say_run(&t, MESSAGE_commit);
	run(&t);
	assert_rc(t.end, RC_INTERRUPTED, &t.e);
	assert_contains(t.e.text, "reverted");
	hear(&t, MESSAGE_welcome);
	hear(&t, MESSAGE_staged);
	hear(&t, MESSAGE_committed);
	assert_false(folder_is_there(&t));
	close_talk(&t);
}

/* Serves on a socket in a child and sends the requests; gives the child's id. */
static pid_t start_child(struct talk *t, int *socket)
{
	struct bytes requests = buf_bytes(&t->requests);
	int pair[2];
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(pair[0]);
		t->serve.in = t->serve.out = pair[1];
		_exit(rc_exit_status(serve_run(&t->serve, &t->e)));
	}
	close(pair[1]);
	assert_int_equal(write(pair[0], requests.data, requests.size), requests.size);
	*socket = pair[0];
	return child;
}

static const void *hear_from(struct talk *t, int socket, enum message_tag tag)
{
	uint8_t byte;
	struct err e;

	/* byte by byte: never more than one whole frame waits */
	for (;;) {
		struct buf copy = t->answers;
		struct message m;

		if (frame_take(&copy, 1, &t->arena, &m, &e) == RC_OK) {
			const void *value = m.value;

			assert_string_equal(m.type->name, message_type_of(tag)->name);
			t->answers = copy;
			return value;
		}
		assert_int_equal(read(socket, &byte, 1), 1);
		assert_int_equal(buf_append(&t->answers, &byte, 1), RC_OK);
	}
}

static void a_signal_before_keep_reverts(void **state)
{
	static const int signals[] = { SIGHUP, SIGTERM, SIGINT };

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int socket, status;
		struct talk t;
		pid_t child;

		open_talk(&t);
		say_hello(&t);
		say_stage(&t, new_text);
		say_run(&t, MESSAGE_commit);
		child = start_child(&t, &socket);
		hear_from(&t, socket, MESSAGE_welcome);
		hear_from(&t, socket, MESSAGE_staged);
		hear_from(&t, socket, MESSAGE_committed);
		assert_true(is_written(&t));
		assert_int_equal(kill(child, signals[i]), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), rc_exit_status(RC_INTERRUPTED));
		assert_false(folder_is_there(&t));
		close(socket);
		close_talk(&t);
	}
}

static void a_libvirt_that_hangs_ends_in_a_failure_and_a_revert(void **state)
{
	struct propose propose = { .round = 1, .virt_type = "kvm", .cpu = "hang" };
	const struct failure *failure;
	int socket, status;
	struct talk t;
	pid_t child;

	(void)state;
	open_talk(&t);
	t.serve.judge = hang;
	t.serve.limit_s = 1;
	say_hello(&t);
	say_stage(&t, new_text);
	say_run(&t, MESSAGE_commit);
	say(&t, MESSAGE_propose, &propose);
	child = start_child(&t, &socket);
	hear_from(&t, socket, MESSAGE_welcome);
	hear_from(&t, socket, MESSAGE_staged);
	hear_from(&t, socket, MESSAGE_committed);
	failure = hear_from(&t, socket, MESSAGE_failure);
	assert_string_equal(failure->code, "TIMEOUT");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), rc_exit_status(RC_TIMEOUT));
	assert_false(folder_is_there(&t));
	close(socket);
	close_talk(&t);
}

/* ---- a libvirt that answers so often, and then never again */

#define UUID "c0ffee00-0000-4000-8000-000000000001"
#define DOMAIN(cpu) \
	"<domain type='kvm'>\n  <os><type arch='x86_64' machine='pc'>hvm</type></os>\n " \
	" " cpu "\n</domain>\n"

static int answers_left;
static const char *definition;

static enum rc tired_read(const char *uri, const char *uuid, struct arena *arena,
	struct domain_now *out, struct err *e)
{
	(void)uri, (void)uuid, (void)arena, (void)e;
	while (answers_left == 0)
		pause();
	answers_left--;
	*out = (struct domain_now){ true, true, false, definition, NULL };
	return RC_OK;
}

static enum rc tired_define(
	const char *uri, const char *text, bool validate, struct err *e)
{
	(void)uri, (void)text, (void)validate, (void)e;
	definition = DOMAIN("<cpu mode='custom'/>");
	return RC_OK;
}

static enum rc tired_judge(const char *uri, const struct domain_question *q,
	struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	(void)uri, (void)q, (void)arena, (void)e;
	*out = (struct libvirt_verdict){ .accepted = true, .reason = "" };
	return RC_OK;
}

static const struct domain_calls tired = {
	.read = tired_read, .define = tired_define, .judge = tired_judge
};

/* A stanza and a domain, which is read four times until they are committed. */
static void open_tired_talk(struct talk *t)
{
	static const char old[] = DOMAIN("<cpu mode='host-model'/>"),
			  cpu[] = "<cpu mode='custom'/>";
	struct digest digest = digest_of(old, strlen(old));
	struct change changes[] = {
		{ .place = PLACE_stanza,
			.name = "lab",
			.content = { (const uint8_t *)new_text, strlen(new_text) } },
		{ .place = PLACE_domain,
			.name = UUID,
			.content = { (const uint8_t *)cpu, strlen(cpu) },
			.expected = { digest.byte, DIGEST_BYTES } },
	};
	struct stage stage = {
		.run = "run1", .changes = { changes, 2 }, .virt_type = "kvm"
	};

	open_talk(t);
	t->serve.domains = &tired;
	t->serve.limit_s = 1;
	definition = old;
	answers_left = 4;
	say_hello(t);
	say(t, MESSAGE_stage, &stage);
	say_run(t, MESSAGE_commit);
}

/* The peer gives up, with the file as before: the lock is free, and the journal knows. */
static void assert_gives_up(struct talk *t, pid_t child)
{
	int status = 0;

	for (int i = 0; i < 500 && waitpid(child, &status, WNOHANG) == 0; i++)
		usleep(10000);
	if (kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child)
		fail_msg("it waits for libvirt for ever");
	assert_int_equal(WEXITSTATUS(status), rc_exit_status(RC_TIMEOUT));
	assert_false(is_written(t));
	assert_int_equal(access(arena_format(&t->arena,
					"%s/var/lib/cpuherd/runs/run1/journal", t->root),
				 F_OK),
		0);
}

static void a_libvirt_that_hangs_before_keep_ends_in_a_failure(void **state)
{
	const struct failure *failure;
	struct talk t;
	pid_t child;
	int socket;

	(void)state;
	open_tired_talk(&t);
	say_run(&t, MESSAGE_keep);
	child = start_child(&t, &socket);
	hear_from(&t, socket, MESSAGE_welcome);
	hear_from(&t, socket, MESSAGE_staged);
	hear_from(&t, socket, MESSAGE_committed);
	assert_gives_up(&t, child);
	failure = hear_from(&t, socket, MESSAGE_failure);
	assert_string_equal(failure->code, "TIMEOUT");
	assert_contains(failure->reason, "until cpuherd rollback");
	close(socket);
	close_talk(&t);
}

static void a_libvirt_that_hangs_after_the_coordinator_has_gone_does_not_hold_the_node(
	void **state)
{
	struct talk t;
	pid_t child;
	int socket;

	(void)state;
	open_tired_talk(&t);
	child = start_child(&t, &socket);
	hear_from(&t, socket, MESSAGE_welcome);
	hear_from(&t, socket, MESSAGE_staged);
	hear_from(&t, socket, MESSAGE_committed);
	close(socket);
	assert_gives_up(&t, child);
	close_talk(&t);
}

/* A machine without power sends no end of input. */
static void a_coordinator_that_falls_silent_in_a_run_is_given_up(void **state)
{
	int socket, status;
	struct talk t;
	pid_t child;

	(void)state;
	open_talk(&t);
	t.serve.patience_ms = 50;
	say_hello(&t);
	say_stage(&t, new_text);
	say_run(&t, MESSAGE_commit);
	child = start_child(&t, &socket);
	hear_from(&t, socket, MESSAGE_welcome);
	hear_from(&t, socket, MESSAGE_staged);
	hear_from(&t, socket, MESSAGE_committed);
	assert_string_equal(
		((const struct failure *)hear_from(&t, socket, MESSAGE_failure))->code,
		"TIMEOUT");
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), rc_exit_status(RC_TIMEOUT));
	assert_false(folder_is_there(&t));
	close(socket);
	close_talk(&t);
}

/* Other nodes may be slow to connect, to answer, to vote. */
static void a_coordinator_may_be_silent_while_nothing_is_staged(void **state)
{
	struct pollfd answer = { .events = POLLIN };
	int socket, status;
	struct talk t;
	pid_t child;

	(void)state;
	open_talk(&t);
	t.serve.patience_ms = 1;
	say_hello(&t);
	child = start_child(&t, &socket);
	hear_from(&t, socket, MESSAGE_welcome);
	answer.fd = socket;
	assert_int_equal(poll(&answer, 1, 50), 0);
	shutdown(socket, SHUT_WR);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
	close(socket);
	close_talk(&t);
}

/* ---- a hostile coordinator */

static void anything_before_hello_ends_the_dialogue(void **state)
{
	struct ask_facts ask = { 0 };
	struct talk t;

	(void)state;
	open_talk(&t);
	say(&t, MESSAGE_ask_facts, &ask);
	say_hello(&t);
	run(&t);
	assert_rc(t.end, RC_PROTOCOL, &t.e);
	assert_contains(t.e.text, "ask_facts before hello");
	hear_failure(&t, "PROTOCOL");
	hear_nothing_more(&t);
	close_talk(&t);
}

static void a_second_hello_ends_the_dialogue_and_reverts(void **state)
{
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say_stage(&t, new_text);
	say_run(&t, MESSAGE_commit);
	say_hello(&t);
	say_run(&t, MESSAGE_keep);
	run(&t);
	assert_rc(t.end, RC_PROTOCOL, &t.e);
	assert_contains(t.e.text, "second hello");
	assert_false(folder_is_there(&t));
	close_talk(&t);
}

static void versions_without_overlap_are_refused(void **state)
{
	static const struct hello hellos[] = { { PROTOCOL_VERSION + 1, 9, "" },
		{ 0, 0, "" }, { 9, 1, "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		struct talk t;

		open_talk(&t);
		say(&t, MESSAGE_hello, &hellos[i]);
		run(&t);
		assert_rc(t.end, RC_PROTOCOL, &t.e);
		assert_contains(hear_failure(&t, "PROTOCOL")->reason, "speaks protocol");
		close_talk(&t);
	}
}

static void a_newer_coordinator_is_answered_with_our_version(void **state)
{
	struct hello hello = { 1, 4000000000, "" };
	struct talk t;

	(void)state;
	open_talk(&t);
	say(&t, MESSAGE_hello, &hello);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	assert_int_equal(((const struct welcome *)hear(&t, MESSAGE_welcome))->version,
		PROTOCOL_VERSION);
	close_talk(&t);
}

static void a_uri_that_leads_elsewhere_is_refused(void **state)
{
	struct hello hello = { PROTOCOL_VERSION, PROTOCOL_VERSION,
		"qemu+ext:///system?command=/bin/sh" };
	struct talk t;

	(void)state;
	open_talk(&t);
	say(&t, MESSAGE_hello, &hello);
	run(&t);
	assert_rc(t.end, RC_LIBVIRT, &t.e);
	hear_failure(&t, "LIBVIRT");
	close_talk(&t);
}

static void bytes_that_are_no_message_end_the_dialogue(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		enum rc end;
	} cases[] = {
		{ "\x00\x00\x00\x00", 4, RC_PROTOCOL },		    /* empty frame */
		{ "\x7f\xff\xff\xff", 4, RC_LIMIT },		    /* oversized frame */
		{ "\x00\x00", 2, RC_PROTOCOL },			    /* truncated header */
		{ "\x00\x00\x00\x09\x92", 5, RC_PROTOCOL },	    /* truncated frame */
		{ "\x00\x00\x00\x03\x92\x63\x90", 7, RC_PROTOCOL }, /* unknown tag 99 */
		{ "\x00\x00\x00\x01\xc1", 5, RC_PROTOCOL },	    /* not msgpack */
		{ "\x00\x00\x00\x01\x92", 5, RC_PROTOCOL }, /* message cut short */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct talk t;

		open_talk(&t);
		say_hello(&t);
		say_bytes(&t, cases[i].bytes, cases[i].size);
		run(&t);
		assert_rc(t.end, cases[i].end, &t.e);
		hear(&t, MESSAGE_welcome);
		hear_failure(&t, rc_name(cases[i].end));
		hear_nothing_more(&t);
		close_talk(&t);
	}
}

static void an_answer_sent_to_the_peer_is_no_request(void **state)
{
	struct committed committed = { true };
	struct talk t;

	(void)state;
	open_talk(&t);
	say_hello(&t);
	say(&t, MESSAGE_committed, &committed);
	run(&t);
	assert_rc(t.end, RC_PROTOCOL, &t.e);
	assert_contains(t.e.text, "committed is no request");
	close_talk(&t);
}

static void every_prefix_of_a_run_ends_without_a_trace(void **state)
{
	struct talk whole;
	struct bytes all;

	(void)state;
	open_talk(&whole);
	say_hello(&whole);
	say_stage(&whole, new_text);
	say_run(&whole, MESSAGE_commit);
	say_run(&whole, MESSAGE_verify);
	all = buf_bytes(&whole.requests);
	for (size_t n = 0; n <= all.size; n++) {
		struct talk t;

		open_talk(&t);
		say_bytes(&t, all.data, n);
		run(&t);
		assert_false(folder_is_there(&t));
		close_talk(&t);
	}
	close_talk(&whole);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(the_end_of_input_before_keep_reverts),
		cmocka_unit_test(a_signal_before_keep_reverts),
		cmocka_unit_test(a_libvirt_that_hangs_ends_in_a_failure_and_a_revert),
		cmocka_unit_test(a_libvirt_that_hangs_before_keep_ends_in_a_failure),
		cmocka_unit_test(
			a_libvirt_that_hangs_after_the_coordinator_has_gone_does_not_hold_the_node),
		cmocka_unit_test(a_coordinator_that_falls_silent_in_a_run_is_given_up),
		cmocka_unit_test(a_coordinator_may_be_silent_while_nothing_is_staged),
		cmocka_unit_test(anything_before_hello_ends_the_dialogue),
		cmocka_unit_test(a_second_hello_ends_the_dialogue_and_reverts),
		cmocka_unit_test(versions_without_overlap_are_refused),
		cmocka_unit_test(a_newer_coordinator_is_answered_with_our_version),
		cmocka_unit_test(a_uri_that_leads_elsewhere_is_refused),
		cmocka_unit_test(bytes_that_are_no_message_end_the_dialogue),
		cmocka_unit_test(an_answer_sent_to_the_peer_is_no_request),
		cmocka_unit_test(every_prefix_of_a_run_ends_without_a_trace),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
