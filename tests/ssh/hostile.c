/* Servers, login shells and peers without manners: each costs itself, nobody else. */
#include <stdlib.h>

#include "proto/frame.h"
#include "tests/ssh/herd.h"
#include "tests/support/test.h"

/* ---- servers without manners */

static void a_silent_server_costs_its_time_and_nobody_else(void **state)
{
	struct herd h;
	struct server good = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	struct server silent = server_start(
		&site, &(struct server_options){ SERVER_SILENT, 0, NULL });

	(void)state;
	herd_add(&h, &silent);
	h.options.connect_timeout_s = 3;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_true(fleet_is_alive(h.fleet, 0));
	assert_rc(fleet_error(h.fleet, 1)->code, RC_TIMEOUT, fleet_error(h.fleet, 1));
	assert_contains(fleet_error(h.fleet, 1)->text, "ssh handshake");
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_int_equal(h.answers[0], 1);
	herd_end(&h, &good);
	server_stop(&silent);
}

static void a_server_that_never_stops_greeting_is_cut_off(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_TALKER, 0, NULL });

	(void)state;
	assert_refused(&h, RC_LIMIT, "had not exchanged keys");
	herd_end(&h, &s);
}

static void a_server_that_is_full_is_tried_again(void **state)
{
	struct server_options twice = { SERVER_FULL, 2, NULL };
	struct herd h;
	struct server s = herd_one(&h, &twice);

	(void)state;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	herd_end(&h, &s);
}

static void a_server_that_stays_full_is_given_up_with_its_words(void **state)
{
	struct server_options always = { SERVER_FULL, 100, NULL };
	struct herd h;
	struct server s = herd_one(&h, &always);

	(void)state;
	h.options.tries = 2;
	assert_refused(&h, RC_SSH, "Exceeded MaxStartups");
	assert_contains(fleet_error(h.fleet, 0)->text, "(2 tries)");
	herd_end(&h, &s);
}

static void a_port_that_nobody_listens_on_is_unreachable(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	server_stop(&s);
	assert_refused(&h, RC_UNREACHABLE, "refused");
	fleet_destroy(h.fleet);
}

static void a_name_that_does_not_resolve_is_unreachable(void **state)
{
	struct herd h;

	(void)state;
	herd_init(&h);
	h.nodes[0] = (struct inventory_node){
		.name = "x", .host = "no such host", .port = 22
	};
	h.inventory.count = 1;
	assert_refused(&h, RC_UNREACHABLE, "name lookup of no such host");
	fleet_destroy(h.fleet);
}

/* Wherever the line is cut, the node fails with a reason and nobody hangs. */
static void a_line_that_is_cut_anywhere_is_an_error(void **state)
{
	static const size_t cuts[] = { 0, 1, 10, 21, 30, 200, 600, 1100, 1200, 1400, 1450,
		1500, 1550, 1600, 1800, 1900, 2000, 2050, 2100, 2150, 2200, 2300, 2400 };
	enum { CUTS = sizeof(cuts) / sizeof(*cuts) };
	struct server servers[CUTS];
	struct herd h;

	(void)state;
	herd_init(&h);
	h.options.connect_timeout_s = 20;
	for (size_t i = 0; i < CUTS; i++) {
		servers[i] = server_start(
			&site, &(struct server_options){ SERVER_CUT, cuts[i], NULL });
		herd_add(&h, &servers[i]);
		trust(&h, &servers[i], site.host_key);
	}
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	for (size_t i = 0; i < CUTS; i++) {
		const struct err *e = fleet_error(h.fleet, i);

		if (getenv("VERBOSE"))
			printf("%zu: %s: %s\n", cuts[i], rc_name(e->code), e->text);
		if (fleet_is_alive(h.fleet, i))
			continue;
		assert_true(e->code == RC_SSH || e->code == RC_PEER);
		assert_true(*e->text);
	}
	assert_false(fleet_is_alive(h.fleet, 0));
	fleet_destroy(h.fleet);
	for (size_t i = 0; i < CUTS; i++)
		server_stop(&servers[i]);
}

/* ---- shells and peers without manners */

static void chatter_of_the_login_shell_is_skipped(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0,
			    "ForceCommand printf 'Welcome to cpuherd-start 1 "
			    "have\\n\\033[1mno "
			    "newline'; eval \"$SSH_ORIGINAL_COMMAND\"\n" });

	(void)state;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_int_equal(h.answers[0], 1);
	herd_end(&h, &s);
}

static void a_login_that_is_no_shell_is_quoted(void **state)
{
	struct herd h;
	struct server s = herd_one(&h,
		&(struct server_options){ SERVER_SSHD, 0,
			"ForceCommand echo This account is currently not available.\n" });

	(void)state;
	assert_refused(&h, RC_PEER, "This account is currently not available.");
	herd_end(&h, &s);
}

static void chatter_without_end_is_cut_off(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0,
			    "ForceCommand while :; do echo blah; done\n" });

	(void)state;
	assert_refused(&h, RC_LIMIT, "login shell printed more than");
	herd_end(&h, &s);
}

static void complaints_without_end_end_with_the_time(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0,
			    "ForceCommand while :; do echo blah >&2; done\n" });

	(void)state;
	h.options.connect_timeout_s = 2;
	assert_refused(&h, RC_TIMEOUT, "blah");
	herd_end(&h, &s);
}

static void a_packaged_peer_of_this_protocol_is_preferred(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(&h, PACKAGED_PEER "echo from the package >&2");

	(void)state;
	assert_refused(&h, RC_PEER, "from the package");
	herd_end(&h, &s);
}

static void a_packaged_peer_of_another_protocol_is_passed_over(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(&h, "#!/bin/sh\necho 999\n");

	(void)state;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	herd_end(&h, &s);
}

static void a_peer_that_dies_at_the_start_is_quoted(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(
		&h, PACKAGED_PEER "echo \"version 'GLIBC_2.38' not found\" >&2; exit 1");

	(void)state;
	assert_refused(&h, RC_PEER, "version 'GLIBC_2.38' not found");
	herd_end(&h, &s);
}

static void a_peer_that_dies_in_a_round_ends_that_session_only(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(
		&h, PACKAGED_PEER WELCOME "echo out of memory >&2\n");
	struct server good = server_start(
		&site, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	herd_add(&h, &good);
	trust(&h, &good, site.host_key);
	assert_rc(herd_new(&h), RC_OK, &h.err);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_false(fleet_is_alive(h.fleet, 0));
	assert_rc(fleet_error(h.fleet, 0)->code, RC_PEER, fleet_error(h.fleet, 0));
	assert_contains(fleet_error(h.fleet, 0)->text, "out of memory");
	assert_int_equal(h.answers[1], 1);
	herd_end(&h, &s);
	server_stop(&good);
}

static void a_peer_that_sends_garbage_is_a_protocol_error(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(
		&h, PACKAGED_PEER "printf '\\0\\0\\0\\010garbage!'; cat >/dev/null");

	(void)state;
	assert_refused(&h, RC_PROTOCOL, "");
	herd_end(&h, &s);
}

static void a_frame_without_bounds_is_refused(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(&h,
		PACKAGED_PEER "printf '\\377\\377\\377\\377'; cat "
			      "/dev/zero");

	(void)state;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_false(fleet_is_alive(h.fleet, 0));
	assert_true(fleet_error(h.fleet, 0)->code == RC_PROTOCOL ||
		    fleet_error(h.fleet, 0)->code == RC_LIMIT);
	herd_end(&h, &s);
}

static void a_peer_that_never_answers_costs_the_time_of_a_request(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(&h, PACKAGED_PEER WELCOME "cat >/dev/null");

	(void)state;
	h.options.timeout_s = 1;
	assert_rc(herd_new(&h), RC_OK, &h.err);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_false(fleet_is_alive(h.fleet, 0));
	assert_rc(fleet_error(h.fleet, 0)->code, RC_TIMEOUT, fleet_error(h.fleet, 0));
	assert_contains(fleet_error(h.fleet, 0)->text, "ask_facts");
	herd_end(&h, &s);
}

/* More than one turn may read, at once, and then silence. */
static void an_answer_of_a_megabyte_arrives(void **state)
{
	static char long_text[1000 * 1000];
	const struct facts facts = { .hostname = "big", .cmdline = long_text };
	struct buf frame = buf_with_cap(2 * 1024 * 1024);
	char path[128], body[512];
	struct bytes all;
	struct server s;
	struct herd h;
	FILE *file;

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	assert_rc(frame_put(&frame, MESSAGE_facts, &facts, &h.err), RC_OK, &h.err);
	all = buf_bytes(&frame);
	snprintf(path, sizeof(path), "%s/frame", site.folder);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(all.data, 1, all.size, file), all.size);
	fclose(file);
	buf_destroy(&frame);
	snprintf(
		body, sizeof(body), PACKAGED_PEER WELCOME "cat %s; cat >/dev/null", path);
	s = herd_with_peer(&h, body);
	h.options.timeout_s = 10;
	assert_rc(herd_new(&h), RC_OK, &h.err);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	assert_int_equal(h.answers[0], 1);
	herd_end(&h, &s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_server_costs_its_time_and_nobody_else),
		cmocka_unit_test(a_server_that_never_stops_greeting_is_cut_off),
		cmocka_unit_test(a_server_that_is_full_is_tried_again),
		cmocka_unit_test(a_server_that_stays_full_is_given_up_with_its_words),
		cmocka_unit_test(a_port_that_nobody_listens_on_is_unreachable),
		cmocka_unit_test(a_name_that_does_not_resolve_is_unreachable),
		cmocka_unit_test(a_line_that_is_cut_anywhere_is_an_error),
		cmocka_unit_test(chatter_of_the_login_shell_is_skipped),
		cmocka_unit_test(a_login_that_is_no_shell_is_quoted),
		cmocka_unit_test(chatter_without_end_is_cut_off),
		cmocka_unit_test(complaints_without_end_end_with_the_time),
		cmocka_unit_test(a_packaged_peer_of_this_protocol_is_preferred),
		cmocka_unit_test(a_packaged_peer_of_another_protocol_is_passed_over),
		cmocka_unit_test(a_peer_that_dies_at_the_start_is_quoted),
		cmocka_unit_test(a_peer_that_dies_in_a_round_ends_that_session_only),
		cmocka_unit_test(a_peer_that_sends_garbage_is_a_protocol_error),
		cmocka_unit_test(a_frame_without_bounds_is_refused),
		cmocka_unit_test(a_peer_that_never_answers_costs_the_time_of_a_request),
		cmocka_unit_test(an_answer_of_a_megabyte_arrives),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, herd_make, herd_unmake);
}
