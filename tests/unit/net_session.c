/* The session machine over a scripted world: every call that it makes is made to
 * block, fail, end and hang, one after the other. */
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/net/base64.h"
#include "coordinator/net/session.h"
#include "proto/frame.h"
#include "tests/support/test.h"

enum fault {
	FAULT_NONE,
	FAULT_AGAIN,	  /* once "not yet", waiting to read */
	FAULT_AGAIN_BOTH, /* once "not yet", nobody knows for what */
	FAULT_ERROR,	  /* RC_SSH */
	FAULT_MEMORY,
	FAULT_GONE, /* the end of a stream, or an error */
	FAULT_HANG, /* "not yet" from now on */
	FAULT_COUNT
};

/* How the node behaves when nothing is injected. */
struct manner {
	bool must_push, agent_fits, file_fits;
	unsigned agent_keys;
	size_t piece;  /* of a read or write */
	bool stutters; /* "not yet" after every piece */
	const char *start, *words, *failure, *cmdline;
	bool wrong_answer;
	unsigned addresses, dead_addresses;
};

static struct script {
	struct manner manner;
	enum fault fault;
	unsigned fault_at, calls;
	bool hanging, wants_expiry, stuttered, hot;
	unsigned opened, destroyed, hung_up, settled, answered, agent_key;
	int directions;
	char nonce[64];
	struct buf to_peer, from_peer;
	size_t pushed;
	bool eof, started;
	uint64_t now;
	struct arena arena;
} script;

static const struct manner usual = {
	.file_fits = true, .piece = 1 << 20, .addresses = 1
};

static const char image_text[] = "the bytes of an executable";
static struct image image = { .raw = { (const uint8_t *)image_text, 26 },
	.gzip = { (const uint8_t *)image_text, 13 },
	.sha256 = "abc",
	.machine = "x86_64" };

/* ---- faults */

/* Counts a call; not RC_OK: the call ends like this. *gone: it is the stream's end. */
static enum rc inject(struct err *e, bool *gone)
{
	script.calls++;
	*gone = false;
	script.directions = TRANSPORT_READ;
	if (script.hanging)
		return RC_AGAIN;
	script.stuttered = script.manner.stutters && !script.stuttered;
	if (script.stuttered)
		return RC_AGAIN;
	if (script.calls != script.fault_at)
		return RC_OK;
	switch (script.fault) {
	case FAULT_AGAIN_BOTH:
		script.directions = 0;
		return RC_AGAIN;
	case FAULT_AGAIN:
		return RC_AGAIN;
	case FAULT_HANG:
		script.hanging = true;
		return RC_AGAIN;
	case FAULT_MEMORY:
		return err_memory(e);
	case FAULT_GONE:
		*gone = true;
		return err_set(e, RC_SSH, -13, "gone");
	default:
		return err_set(e, RC_SSH, -1, "injected");
	}
}

static enum rc inject_call(struct err *e)
{
	bool gone;

	return inject(e, &gone);
}

/* For calls that never say "again". */
static enum rc inject_sync(struct err *e)
{
	enum rc rc;

	script.stuttered = script.manner.stutters; /* these never wait */
	rc = inject_call(e);

	return rc == RC_AGAIN ? RC_OK : rc;
}

/* ---- the world */

static enum rc fake_resolve(struct session *s, struct err *e)
{
	enum rc rc = inject_call(e);

	if (rc == RC_OK)
		s->address_count = script.manner.addresses;
	return rc;
}

static enum rc fake_dial(
	struct session *s, const struct session_address *to, struct err *e)
{
	enum rc rc = inject_call(e);

	if (rc != RC_OK)
		return rc;
	if (to < s->addresses + script.manner.dead_addresses)
		return err_set(e, RC_UNREACHABLE, 111, "refused");
	s->fd = 1000;
	return RC_OK;
}

static void fake_hang_up(struct session *s)
{
	s->fd = -1;
	script.hung_up++;
}

static void fake_watch(struct session *s, int directions, bool hot)
{
	(void)s;
	script.hot = hot;
	/* the session turns "nobody knows" into "both" */
	if (script.directions == 0 && directions)
		assert_int_equal(directions, TRANSPORT_READ | TRANSPORT_WRITE);
}

static void fake_alarm(struct session *s, uint64_t ms)
{
	(void)s;
	script.wants_expiry = ms != 0;
}

static uint64_t fake_now(struct session *s)
{
	(void)s;
	return script.now;
}

static const struct session_world world = { fake_resolve, fake_dial, fake_hang_up,
	fake_watch, fake_alarm, fake_now };

/* ---- the transport */

static enum rc fake_open(
	struct transport **out, int fd, const char *const *types, struct err *e)
{
	(void)types;
	assert_int_equal(fd, 1000);
	if (inject_sync(e) != RC_OK)
		return e->code;
	script.opened++;
	*out = (struct transport *)&script;
	return RC_OK;
}

static int fake_wait(struct transport *t)
{
	(void)t;
	return script.directions;
}

static enum rc fake_handshake(struct transport *t, struct err *e)
{
	(void)t;
	return inject_call(e);
}

static const char host_key_text[] =
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
static uint8_t host_key[64];
static size_t host_key_size;

static enum rc fake_host_key(struct transport *t, struct bytes *blob, struct err *e)
{
	(void)t;
	*blob = (struct bytes){ host_key, host_key_size };
	return inject_sync(e);
}

static enum rc fake_agent_next(struct transport *t, bool *rsa, struct err *e)
{
	(void)t;
	*rsa = false;
	if (inject_sync(e) != RC_OK)
		return e->code;
	if (script.agent_key == script.manner.agent_keys)
		return err_set(e, RC_AUTH, 0, "the ssh-agent has no key");
	script.agent_key++;
	return RC_OK;
}

static enum rc fake_agent_login(struct transport *t, const char *user, struct err *e)
{
	enum rc rc = inject_call(e);

	(void)t;
	(void)user;
	if (rc == RC_OK && !script.manner.agent_fits)
		return err_set(e, RC_AUTH, 0, "refused");
	return rc;
}

static enum rc fake_file_login(
	struct transport *t, const char *user, const char *path, struct err *e)
{
	enum rc rc = inject_call(e);

	(void)t;
	(void)user;
	(void)path;
	if (rc == RC_OK && !script.manner.file_fits)
		return err_set(e, RC_AUTH, 0, "refused");
	return rc;
}

static bool fake_has_modern_rsa(void)
{
	return false;
}

static enum rc fake_channel(struct transport *t, struct err *e)
{
	(void)t;
	return inject_call(e);
}

static void say(const char *word)
{
	if (script.manner.start)
		buf_append_text(&script.from_peer, script.manner.start);
	else
		buf_format(&script.from_peer, "motd\ncpuherd-start %s %s\n", script.nonce,
			word);
}

static enum rc fake_exec(struct transport *t, const char *command, struct err *e)
{
	enum rc rc = inject_call(e);
	const char *at = strstr(command, "' cpuherd ");

	(void)t;
	if (rc != RC_OK)
		return rc;
	snprintf(script.nonce, sizeof(script.nonce), "%.32s", at + 10);
	say(script.manner.must_push ? "need gzip /tmp" : "have cached /tmp");
	return RC_OK;
}

static enum rc fake_read(struct transport *t, enum transport_stream stream, void *data,
	size_t room, size_t *n, struct err *e)
{
	struct bytes ready = buf_bytes(&script.from_peer);
	bool gone, stuttered = script.stuttered;
	enum rc rc;

	(void)t;
	if (stream == TRANSPORT_ERR) /* only the other stream stutters */
		script.stuttered = true;
	rc = inject(e, &gone);
	if (stream == TRANSPORT_ERR)
		script.stuttered = stuttered;
	*n = 0;
	if (gone)
		script.eof = true;
	if (rc != RC_OK && !gone)
		return rc;
	if (stream == TRANSPORT_ERR && script.manner.words) {
		*n = strlen(script.manner.words);
		memcpy(data, script.manner.words, *n);
		script.manner.words = NULL;
		return RC_OK;
	}
	if (stream == TRANSPORT_ERR || !ready.size)
		return script.eof ? RC_OK : RC_AGAIN;
	*n = ready.size < room ? ready.size : room;
	*n = *n < script.manner.piece ? *n : script.manner.piece;
	memcpy(data, ready.data, *n);
	buf_consume(&script.from_peer, *n);
	return RC_OK;
}

/* What the peer of the script answers. */
static void peer_answers(const struct message *m)
{
	static const struct welcome welcome = { 1, "0", 0 };
	static const struct staged staged = { "/x", false };
	struct facts facts = { .hostname = "scripted", .cmdline = script.manner.cmdline };
	struct failure failure = { script.manner.failure, 5, "no libvirt" };
	struct err e;

	if (m->type->tag == MESSAGE_hello)
		frame_put(&script.from_peer, MESSAGE_welcome, &welcome, &e);
	else if (m->type->tag == MESSAGE_bye)
		script.eof = true;
	else if (script.manner.failure)
		frame_put(&script.from_peer, MESSAGE_failure, &failure, &e);
	else if (script.manner.wrong_answer)
		frame_put(&script.from_peer, MESSAGE_staged, &staged, &e);
	else
		frame_put(&script.from_peer, MESSAGE_facts, &facts, &e);
}

static void peer_hears(const void *data, size_t size)
{
	struct message m;
	struct err e;

	if (script.manner.must_push && script.pushed < image.gzip.size) {
		assert_true(size <= image.gzip.size - script.pushed);
		assert_memory_equal(data, image.gzip.data + script.pushed, size);
		script.pushed += size;
		if (script.pushed == image.gzip.size)
			say("have pushed /tmp");
		return;
	}
	buf_append(&script.to_peer, data, size);
	while (frame_take(&script.to_peer, 1, &script.arena, &m, &e) == RC_OK)
		peer_answers(&m);
}

static enum rc fake_write(
	struct transport *t, const void *data, size_t size, size_t *n, struct err *e)
{
	enum rc rc = inject_call(e);

	(void)t;
	*n = 0;
	if (rc != RC_OK)
		return rc;
	*n = size < script.manner.piece ? size : script.manner.piece;
	peer_hears(data, *n);
	return RC_OK;
}

static enum rc fake_send_eof(struct transport *t, struct err *e)
{
	(void)t;
	script.eof = true;
	return inject_call(e);
}

static void fake_destroy(struct transport *t)
{
	assert_non_null(t);
	script.destroyed++;
}

static const struct transport_ops transport = { fake_open, fake_wait, fake_handshake,
	fake_host_key, fake_agent_next, fake_agent_login, fake_file_login,
	fake_has_modern_rsa, fake_channel, fake_exec, fake_read, fake_write,
	fake_send_eof, fake_destroy };

/* ---- one run */

static enum rc count_answer(struct session *s, const struct message *m, struct err *e)
{
	(void)s;
	(void)e;
	assert_int_equal(m->type->tag, MESSAGE_facts);
	script.answered++;
	return RC_OK;
}

static void count_settled(struct session *s)
{
	(void)s;
	script.settled++;
}

static struct identity identities[8];
static struct hostkey_policy hostkeys;
static struct session_common common;
static struct arena run_arena;

static void set_up(const struct manner *manner, struct session *s)
{
	script = (struct script){ .manner = *manner };
	script.to_peer = buf_with_cap(1 << 20);
	script.from_peer = buf_with_cap(1 << 20);
	for (int i = 0; i < 8; i++)
		identities[i] = (struct identity){ "/key", false, false };
	common = (struct session_common){ .transport = &transport,
		.world = &world,
		.hostkeys = &hostkeys,
		.identities = identities,
		.identity_count = 1,
		.use_agent = true,
		.connect = "",
		.image = &image,
		.connect_ms = 30000,
		.request_ms = 120000,
		.answer = count_answer,
		.settled = count_settled };
	session_init(s, &common);
	s->name = s->host = "node";
	s->user = "user";
	s->port = 22;
}

static bool rests(const struct session *s)
{
	return s->state == S_READY || s->state == S_IDLE || session_is_final(s);
}

/* Plays the event loop until the session rests. */
static void drive(struct session *s)
{
	for (unsigned i = 0; !rests(s); i++) {
		assert_true(i < 10000);
		if (!script.hanging) {
			session_advance(s);
			continue;
		}
		assert_true(script.wants_expiry);
		script.now += 120000;
		session_expire(s);
	}
}

/* Connects, asks once, says bye. */
static void whole_life(struct session *s)
{
	static const struct ask_facts request = { 0 };
	struct err e;

	session_open(s);
	drive(s);
	if (s->state != S_READY)
		return;
	assert_rc(session_ask(s, MESSAGE_ask_facts, &request, &e), RC_OK, &e);
	drive(s);
	if (s->state != S_READY)
		return;
	session_close(s);
	drive(s);
}

static void tear_down(struct session *s)
{
	session_destroy(s);
	session_destroy(s);
	assert_int_equal(script.opened, script.destroyed);
	assert_int_equal(s->fd, -1);
	buf_destroy(&script.to_peer);
	buf_destroy(&script.from_peer);
	arena_destroy(&script.arena);
}

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
	if (s.state == S_DONE && script.answered != 1)
		fail_msg("fault %d at call %u: done without an answer", fault, at);
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
	session_open(&s);
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
	strict.agent_keys = 20;
	strict.file_fits = false;
	set_up(&strict, &s);
	common.identity_count = 8;
	whole_life(&s);
	assert_int_equal(s.state, S_FAILED);
	assert_int_equal(s.err.code, RC_AUTH);
	assert_int_equal(script.agent_key, 3);
	assert_int_equal(s.logins, SESSION_LOGINS_MAX);
	assert_contains(s.err.text, "with 6 keys");
	tear_down(&s);
}

static void rsa_keys_that_an_old_library_cannot_use_are_explained(void **state)
{
	struct manner strict = usual;
	struct session s;

	(void)state;
	strict.file_fits = false;
	set_up(&strict, &s);
	identities[0].rsa = true;
	whole_life(&s);
	assert_contains(s.err.text, "only RSA keys were tried");
	tear_down(&s);
}

static void a_start_that_fails_says_why(void **state)
{
	struct manner failing = usual;
	struct session s;

	(void)state;
	set_up(&failing, &s);
	session_open(&s); /* runs to ready; the script is for the next one */
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
	session_open(&s);
	session_ask(&s, MESSAGE_ask_facts, &(struct ask_facts){ 0 }, &s.err);
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
	session_open(&s);
	session_ask(&s, MESSAGE_ask_facts, &(struct ask_facts){ 0 }, &s.err);
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

static int make(void **state)
{
	char line[256];
	struct err e;

	(void)state;
	if (!base64_decode(
		    host_key_text, strlen(host_key_text), host_key, &host_key_size))
		return 1;
	known_hosts_init(&hostkeys.known, &run_arena, NULL, NULL);
	snprintf(line, sizeof(line), "node ssh-ed25519 %s\n", host_key_text);
	return known_hosts_add(&hostkeys.known, "f",
		       (struct bytes){ (const uint8_t *)line, strlen(line) },
		       &e) != RC_OK;
}

static int unmake(void **state)
{
	(void)state;
	arena_destroy(&run_arena);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_of_the_usual_road_may_fail),
		cmocka_unit_test(every_call_of_a_push_may_fail),
		cmocka_unit_test(every_call_of_a_login_by_the_third_key_may_fail),
		cmocka_unit_test(every_call_of_a_login_by_the_agent_may_fail),
		cmocka_unit_test(bytes_may_come_and_go_one_by_one),
		cmocka_unit_test(a_dead_address_gives_way_to_the_next),
		cmocka_unit_test(when_every_address_is_dead_the_last_one_is_named),
		cmocka_unit_test(a_hanging_address_leaves_time_for_the_next),
		cmocka_unit_test(
			no_more_than_six_keys_are_offered_and_files_have_their_share),
		cmocka_unit_test(rsa_keys_that_an_old_library_cannot_use_are_explained),
		cmocka_unit_test(a_start_that_fails_says_why),
		cmocka_unit_test(a_failure_of_the_peer_keeps_its_code_and_the_session),
		cmocka_unit_test(a_session_that_stops_reading_says_that_there_is_more),
		cmocka_unit_test(an_answer_to_another_question_ends_the_session),
		cmocka_unit_test(a_session_that_is_not_ready_cannot_be_asked),
		cmocka_unit_test(the_drawing_names_every_state_that_is_entered),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, unmake);
}
