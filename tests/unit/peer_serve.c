#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/serve.h"
#include "proto/frame.h"
#include "proto/place.h"
#include "tests/support/test.h"

/* One dialogue: requests are written to a file, served, and the answers read
 * from another. */
struct talk {
	struct serve serve;
	struct buf requests, answers;
	struct arena arena;
	char root[64];
	struct err e;
	enum rc end;
};

static const char path[] = "/etc/libvirt/cpuherd/lab.xml";
static const char new_text[] = "<cpu>new</cpu>";

/* A libvirt that wants "avx" left out and cannot be asked about "trouble". */
static enum rc fake_judge(const char *uri, const struct libvirt_guest *guest,
	const char *cpu, struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	static const char *avx[] = { "avx" };

	(void)uri;
	(void)arena;
	*out = (struct libvirt_verdict){ .accepted = true, .reason = "" };
	if (strstr(cpu, "trouble") || strcmp(guest->virt_type, "kvm") != 0)
		return err_set(e, RC_LIBVIRT, 38, "no daemon");
	if (strstr(cpu, "avx"))
		*out = (struct libvirt_verdict){ false, { avx, 1 }, "missing: avx" };
	return RC_OK;
}

static enum rc hang(const char *uri, const struct libvirt_guest *guest, const char *cpu,
	struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	if (!strstr(cpu, "hang"))
		return fake_judge(uri, guest, cpu, arena, out, e);
	for (;;)
		pause();
}

static enum rc fake_gather(
	struct node_facts *out, const char *connect, struct arena *arena, struct err *e)
{
	(void)e;
	*out = (struct node_facts){ 0 };
	out->small.hostname = "fake";
	out->small.uri = arena_text(arena, connect);
	for (int id = 0; id < BODY_COUNT; id++)
		out->text[id] = "";
	out->text[BODY_capabilities] = "<capabilities/>";
	out->present[BODY_capabilities] = true;
	out->text[BODY_offer_kvm] = "<cpu/>";
	out->present[BODY_offer_kvm] = true;
	return RC_OK;
}

static void open_talk(struct talk *t)
{
	*t = (struct talk){ .requests = buf_with_cap(8 << 20),
		.answers = buf_with_cap(8 << 20),
		.root = "/tmp/cpuherd-serve-XXXXXX" };
	assert_non_null(mkdtemp(t->root));
	assert_int_equal(mkdir(arena_format(&t->arena, "%s/etc", t->root), 0755), 0);
	t->serve = (struct serve){
		.limit_s = 60, .root = t->root, .judge = fake_judge, .gather = fake_gather
	};
}

static int remove_entry(const char *name, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void close_talk(struct talk *t)
{
	nftw(t->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	buf_destroy(&t->requests);
	buf_destroy(&t->answers);
	arena_destroy(&t->arena);
}

/* ---- requests */

static void say(struct talk *t, enum message_tag tag, const void *value)
{
	assert_rc(frame_put(&t->requests, tag, value, &t->e), RC_OK, &t->e);
}

static void say_hello(struct talk *t)
{
	struct hello hello = { 1, 1, "qemu:///system" };

	say(t, MESSAGE_hello, &hello);
}

static void say_stage(struct talk *t, const char *content)
{
	struct stage stage = { .run = "run1",
		.place = PLACE_stanza,
		.name = "lab",
		.content = { (const uint8_t *)content, strlen(content) },
		.virt_type = "kvm" };

	say(t, MESSAGE_stage, &stage);
}

/* commit, verify, revert and keep are a run's name, all four */
static void say_run(struct talk *t, enum message_tag tag)
{
	struct commit run = { "run1" };

	say(t, tag, &run);
}

static void say_bye(struct talk *t)
{
	struct bye bye = { 0 };

	say(t, MESSAGE_bye, &bye);
}

static void say_bytes(struct talk *t, const void *bytes, size_t size)
{
	assert_int_equal(buf_append(&t->requests, bytes, size), RC_OK);
}

/* ---- running */

static void read_file(int fd, struct buf *into)
{
	uint8_t chunk[4096];
	ssize_t n;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		assert_int_equal(buf_append(into, chunk, (size_t)n), RC_OK);
	assert_int_equal(n, 0);
}

static void run(struct talk *t)
{
	FILE *in = tmpfile(), *out = tmpfile();
	struct bytes requests = buf_bytes(&t->requests);

	assert_non_null(in);
	assert_non_null(out);
	assert_int_equal(fwrite(requests.data, 1, requests.size, in), requests.size);
	rewind(in);
	t->serve.in = fileno(in);
	t->serve.out = fileno(out);
	lseek(t->serve.in, 0, SEEK_SET);
	t->end = serve_run(&t->serve, &t->e);
	read_file(t->serve.out, &t->answers);
	fclose(in);
	fclose(out);
}

/* The next answer, which must be of that kind. */
static const void *hear(struct talk *t, enum message_tag tag)
{
	struct message m;
	struct err e;

	assert_rc(frame_take(&t->answers, 1, &t->arena, &m, &e), RC_OK, &e);
	if (m.type->tag != tag && m.type->tag == MESSAGE_failure)
		fail_msg("failure: %s", ((const struct failure *)m.value)->reason);
	assert_string_equal(m.type->name, message_type_of(tag)->name);
	return m.value;
}

static const struct failure *hear_failure(struct talk *t, const char *code)
{
	const struct failure *failure = hear(t, MESSAGE_failure);

	assert_string_equal(failure->code, code);
	return failure;
}

static void hear_nothing_more(struct talk *t)
{
	assert_int_equal(buf_bytes(&t->answers).size, 0);
}

static bool is_written(struct talk *t)
{
	return access(arena_format(&t->arena, "%s%s", t->root, path), F_OK) == 0;
}

static bool folder_is_there(struct talk *t)
{
	return access(arena_format(&t->arena, "%s/etc/libvirt", t->root), F_OK) == 0;
}

/* ---- the dialogue as it should be */

static void a_whole_run_is_answered_message_by_message(void **state)
{
	struct look look = { PLACE_stanza, "lab" };
	const struct verified *verified;
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
	assert_int_equal(((const struct welcome *)hear(&t, MESSAGE_welcome))->version, 1);
	assert_false(((const struct seen *)hear(&t, MESSAGE_seen))->exists);
	assert_string_equal(
		((const struct staged *)hear(&t, MESSAGE_staged))->path, path);
	assert_true(((const struct committed *)hear(&t, MESSAGE_committed))->changed);
	verified = hear(&t, MESSAGE_verified);
	assert_true(verified->accepted);
	assert_memory_equal(verified->content.data, new_text, strlen(new_text));
	assert_true(((const struct kept *)hear(&t, MESSAGE_kept))->changed);
	assert_true(((const struct seen *)hear(&t, MESSAGE_seen))->exists);
	hear_nothing_more(&t);
	assert_true(is_written(&t));
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
	struct look outside = { PLACE_stanza, "../../passwd" }, nowhere = { 77, "lab" };
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
	struct hello hello = { 1, 1, "qemu+ext:///system?command=/bin/sh" };
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
		cmocka_unit_test(a_whole_run_is_answered_message_by_message),
		cmocka_unit_test(bodies_come_one_by_one_and_the_last_is_marked),
		cmocka_unit_test(bodies_that_are_not_there_are_refused_as_a_whole),
		cmocka_unit_test(
			libvirts_no_names_the_features_and_its_silence_is_a_failure),
		cmocka_unit_test(what_libvirt_refuses_is_not_staged),
		cmocka_unit_test(a_failing_request_does_not_end_the_dialogue),
		cmocka_unit_test(the_end_of_input_before_keep_reverts),
		cmocka_unit_test(a_signal_before_keep_reverts),
		cmocka_unit_test(a_libvirt_that_hangs_ends_in_a_failure_and_a_revert),
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
