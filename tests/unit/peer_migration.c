/* A migration as the peer does it, with a libvirt of our own: what is asked, in which
 * order, and that nothing which hangs or lies holds it up. */
#include <time.h>
#include <unistd.h>

#include "peer/migration.h"
#include "proto/frame.h"
#include "tests/unit/peer_talk.h"

static const struct migrate request = { .run = "0123456789abcdef",
	.guest = "g0",
	.uri = "qemu+tcp://node02/system",
	.data_uri = "",
	.listen = "",
	.limit_s = 30 };

struct rig {
	struct migrate how;
	struct migration_calls calls;
	struct child_wait wait;
	struct arena arena;
	struct migrated out;
	struct err e;
	enum rc rc;
	char asked[64]; /* a file: one letter for each call */
};

/* Calls are made in children: what they were is known by a file. */
static const char *log_path;

static void note(const char *letter)
{
	FILE *file = fopen(log_path, "ae");

	fputs(letter, file);
	fclose(file);
}

/* ---- calls */

static void send_well(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)arena;
	note("S");
	assert_string_equal(m->domain, "cpuherd-0123456789abcdef-g0");
	out->ok = true;
	out->ms = 321;
}

static void fail_with(struct migrated *out, const char *letter, const char *words)
{
	note(letter);
	out->reason = words;
	out->native = 9;
}

static void send_to_other_cpu(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)m, (void)arena;
	fail_with(
		out, "S", "guest CPU doesn't match specification: missing features: avx");
}

static void send_without_why(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)m, (void)arena;
	fail_with(out, "S", "operation failed: job 'migration out' unexpectedly failed");
}

static void send_nowhere(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)m, (void)arena;
	fail_with(out, "S",
		"operation failed: Failed to connect to remote libvirt URI "
		"qemu+tcp://node02/system: unable to connect to server\x1b[2J");
}

static void hang_for_ever(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)m, (void)arena, (void)out;
	note("H");
	for (;;)
		pause();
}

/* Until the abort, which is known by the file as well. */
static void send_until_abort(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	const struct timespec moment = { 0, 10000000 };

	(void)m;
	note("S");
	while (!strchr(test_read_file(arena, log_path), 'A'))
		nanosleep(&moment, NULL);
	out->reason = "operation aborted: migration out job: canceled by client";
}

static void abort_well(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)m, (void)arena;
	note("A");
	out->ok = true;
}

static void direct_says_why(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)m, (void)arena;
	fail_with(out, "D", "unsupported configuration: no such machine");
}

static void direct_works(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)m, (void)arena;
	note("D");
	out->ok = true;
}

static void reach_nothing(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	note("R");
	out->reach = arena_format(
		arena, "%s port %u: Connection refused", m->target.host, m->target.port);
}

static void reach_it(const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)m, (void)arena, (void)out;
	note("R");
}

static void die(const struct migration *m, struct arena *arena, struct migrated *out)
{
	(void)m, (void)arena, (void)out;
	note("S");
	raise(SIGKILL);
}

/* More than the parent takes. */
static void say_too_much(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	char *much = arena_alloc(arena, 1, 1 << 20);

	(void)m;
	note("S");
	memset(much, 'x', (1 << 20) - 1);
	out->reason = much;
}

/* ---- rig */

static void open_rig(struct rig *r, migration_call *send)
{
	*r = (struct rig){ .how = request,
		.calls = { send, abort_well, direct_says_why, reach_nothing },
		.wait = { .caller = -1 },
		.asked = "/tmp/cpuherd-migration-XXXXXX" };
	close(mkstemp(r->asked));
	log_path = r->asked;
}

static void migrate(struct rig *r)
{
	struct migration m;

	assert_rc(migration_read(&r->how, "qemu:///system", &r->arena, &m, &r->e), RC_OK,
		&r->e);
	r->rc = migration_run(&m, &r->calls, &r->wait, &r->arena, &r->out, &r->e);
}

static void asked(struct rig *r, const char *letters)
{
	assert_string_equal(test_read_file(&r->arena, r->asked), letters);
}

static void close_rig(struct rig *r)
{
	unlink(r->asked);
	arena_destroy(&r->arena);
}

/* ---- cases */

static void a_migration_that_went_well_is_told_with_its_time(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, send_well);
	migrate(&r);
	assert_rc(r.rc, RC_OK, &r.e);
	assert_true(r.out.ok);
	assert_int_equal(r.out.ms, 321);
	assert_string_equal(r.out.reason, "");
	asked(&r, "S");
	close_rig(&r);
}

static void words_that_say_why_are_enough(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, send_to_other_cpu);
	migrate(&r);
	assert_rc(r.rc, RC_OK, &r.e);
	assert_false(r.out.ok);
	assert_int_equal(r.out.native, 9);
	assert_contains(r.out.reason, "missing features: avx");
	asked(&r, "S");
	close_rig(&r);
}

static void words_that_hide_why_are_asked_for_once_more_without_peer_to_peer(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, send_without_why);
	migrate(&r);
	assert_contains(r.out.reason, "unexpectedly failed");
	assert_contains(r.out.direct, "no such machine");
	asked(&r, "SD");
	close_rig(&r);
}

static void the_same_words_are_not_said_twice(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, send_without_why);
	r.calls.direct = send_without_why;
	migrate(&r);
	assert_string_equal(r.out.direct, "");
	asked(&r, "SS");
	close_rig(&r);
}

static void a_tunnel_is_not_tried_without(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, send_without_why);
	r.how.tunnelled = true;
	migrate(&r);
	assert_string_equal(r.out.direct, "");
	asked(&r, "S");
	close_rig(&r);
}

static void a_second_attempt_that_works_does_not_make_a_yes(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, send_without_why);
	r.calls.direct = direct_works;
	migrate(&r);
	assert_false(r.out.ok);
	assert_contains(r.out.direct, "the guest is at the target now");
	close_rig(&r);
}

static void a_second_attempt_that_dies_takes_no_word_away(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, send_without_why);
	r.calls.direct = die;
	migrate(&r);
	assert_rc(r.rc, RC_OK, &r.e);
	assert_contains(r.out.reason, "unexpectedly failed");
	assert_string_equal(r.out.direct, "");
	close_rig(&r);
}

static void a_failed_connection_is_looked_at_from_here(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, send_nowhere);
	migrate(&r);
	assert_string_equal(r.out.reach, "node02 port 16509: Connection refused");
	/* a terminal could act on what came */
	assert_contains(r.out.reason, "server?[2J");
	asked(&r, "SR");
	close_rig(&r);
}

static void one_that_takes_too_long_is_aborted_with_libvirts_words(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, send_until_abort);
	r.calls.reach = reach_it;
	r.how.limit_s = 1;
	migrate(&r);
	assert_rc(r.rc, RC_OK, &r.e);
	assert_false(r.out.ok);
	assert_string_equal(r.out.reason,
		"given up after 1 s: operation aborted: migration out job: canceled by "
		"client");
	assert_string_equal(r.out.reach, "");
	asked(&r, "SAR");
	close_rig(&r);
}

/* 1 s, and 3 s in which it could have said something. */
static void one_that_hangs_through_its_abort_is_ended(void **state)
{
	struct rig r;

	(void)state;
	open_rig(&r, hang_for_ever);
	r.how.limit_s = 1;
	migrate(&r);
	assert_rc(r.rc, RC_OK, &r.e);
	assert_string_equal(r.out.reason, "given up after 1 s");
	assert_string_equal(r.out.reach, "node02 port 16509: Connection refused");
	asked(&r, "HAR");
	close_rig(&r);
}

static void the_coordinators_end_aborts_it(void **state)
{
	struct rig r;
	int ends[2];

	(void)state;
	open_rig(&r, send_until_abort);
	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	r.wait.caller = ends[0];
	migrate(&r);
	assert_rc(r.rc, RC_INTERRUPTED, &r.e);
	assert_contains(test_read_file(&r.arena, r.asked), "A");
	close(ends[0]);
	close_rig(&r);
}

static void a_child_that_dies_or_says_too_much_is_a_failure_in_words(void **state)
{
	migration_call *const calls[] = { die, say_too_much };

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct rig r;

		open_rig(&r, calls[i]);
		migrate(&r);
		assert_rc(r.rc, RC_OK, &r.e);
		assert_false(r.out.ok);
		assert_contains(r.out.reason, "ended without an answer");
		asked(&r, "S");
		close_rig(&r);
	}
}

static void requests_that_cpuherd_does_not_make_are_refused(void **state)
{
	const struct {
		struct migrate how;
		enum rc rc;
	} rows[] = {
		{ { "", "g0", request.uri, .limit_s = 1 }, RC_PROTOCOL },
		{ { "../x", "g0", request.uri, .limit_s = 1 }, RC_PROTOCOL },
		{ { "01234567", "", request.uri, .limit_s = 1 }, RC_PROTOCOL },
		{ { "01234567", "g0/../../x", request.uri, .limit_s = 1 }, RC_PROTOCOL },
		{ { "01234567", "g0", request.uri, .limit_s = 0 }, RC_PROTOCOL },
		{ { "01234567", "g0", request.uri, .limit_s = 4000000000 }, RC_PROTOCOL },
		{ { "01234567", "g0", "qemu:///system", .limit_s = 1 }, RC_USAGE },
		{ { "01234567", "g0", request.uri, "rdma://x", .limit_s = 1 }, RC_USAGE },
		{ { "01234567", "g0", request.uri, "", "-x", .limit_s = 1 }, RC_USAGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct migrate how = rows[i].how;
		struct arena arena = { 0 };
		struct migration m;
		struct err e;

		how.data_uri = how.data_uri ? how.data_uri : "";
		how.listen = how.listen ? how.listen : "";
		assert_rc(migration_read(&how, "", &arena, &m, &e), rows[i].rc, &e);
		arena_destroy(&arena);
	}
}

/* ---- through the dialogue */

static const char log_text[] =
	"2026-11-23 13:00:00.000+0000: starting up libvirt version: 9.0.0\n"
	"LC_ALL=C \\\n"
	"/usr/bin/qemu-system-x86_64 \\\n"
	"-msg timestamp=on\n"
	"char device redirected to /dev/pts/0 (label charserial0)\n"
	"older\n"
	"qemu-system-x86_64: load of migration failed\n"
	"\n"
	"more\x1b[2J words\n"
	"2026-11-23 13:00:01.000+0000: shutting down, reason=failed\n";

/* A libvirt without guests: enough for a run to begin. */
static enum rc open_nothing(const char *uri, struct guest_link **link, struct err *e)
{
	(void)uri, (void)e;
	*link = NULL;
	return RC_OK;
}

static void close_nothing(struct guest_link *link)
{
	(void)link;
}

static enum rc look_at_nothing(struct guest_link *link, const char *name,
	struct arena *arena, struct guest_now *out, struct err *e)
{
	(void)link, (void)name, (void)arena, (void)e;
	*out = (struct guest_now){ .state = "", .xml = "" };
	return RC_OK;
}

static enum rc no_runs(
	struct guest_link *link, struct arena *arena, struct texts *runs, struct err *e)
{
	(void)link, (void)arena, (void)e;
	*runs = (struct texts){ 0 };
	return RC_OK;
}

static enum rc end_nothing(
	const char *uri, const char *run, unsigned *count, struct err *e)
{
	(void)uri, (void)run, (void)e;
	*count = 0;
	return RC_OK;
}

static const struct guest_calls no_guests = { .open = open_nothing,
	.close = close_nothing,
	.look = look_at_nothing,
	.runs = no_runs,
	.end_all = end_nothing };
static const struct trial_ways ways = { .calls = &no_guests };

static void the_answer_has_qemus_last_words(void **state)
{
	struct meet begin = { request.run, request.guest, false };
	const struct migrated *migrated;
	struct rig r;
	struct talk t;

	(void)state;
	open_rig(&r, send_to_other_cpu);
	open_talk(&t);
	t.serve.migrations = &r.calls;
	t.serve.trials = &ways;
	test_run("mkdir -p %s/var/log/libvirt/qemu %s/var/tmp", t.root, t.root);
	test_write_file(arena_format(&t.arena,
				"%s/var/log/libvirt/qemu/cpuherd-0123456789abcdef-g0.log",
				t.root),
		log_text);
	say_hello(&t);
	say(&t, MESSAGE_meet, &begin);
	say(&t, MESSAGE_migrate, &r.how);
	r.how.uri = "qemu+ext:///system?command=sh";
	say(&t, MESSAGE_migrate, &r.how);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	hear(&t, MESSAGE_welcome);
	hear(&t, MESSAGE_met);
	migrated = hear(&t, MESSAGE_migrated);
	assert_contains(migrated->reason, "missing features");
	assert_string_equal(migrated->log,
		"qemu-system-x86_64: load of migration failed; more?[2J words; "
		"2026-11-23 13:00:01.000+0000: shutting down, reason=failed");
	assert_contains(hear_failure(&t, "USAGE")->reason, "does not begin with");
	close_talk(&t);
	close_rig(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_migration_that_went_well_is_told_with_its_time),
		cmocka_unit_test(words_that_say_why_are_enough),
		cmocka_unit_test(
			words_that_hide_why_are_asked_for_once_more_without_peer_to_peer),
		cmocka_unit_test(the_same_words_are_not_said_twice),
		cmocka_unit_test(a_tunnel_is_not_tried_without),
		cmocka_unit_test(a_second_attempt_that_works_does_not_make_a_yes),
		cmocka_unit_test(a_second_attempt_that_dies_takes_no_word_away),
		cmocka_unit_test(a_failed_connection_is_looked_at_from_here),
		cmocka_unit_test(one_that_takes_too_long_is_aborted_with_libvirts_words),
		cmocka_unit_test(one_that_hangs_through_its_abort_is_ended),
		cmocka_unit_test(the_coordinators_end_aborts_it),
		cmocka_unit_test(
			a_child_that_dies_or_says_too_much_is_a_failure_in_words),
		cmocka_unit_test(requests_that_cpuherd_does_not_make_are_refused),
		cmocka_unit_test(the_answer_has_qemus_last_words),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
