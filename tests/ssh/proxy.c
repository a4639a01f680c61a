/* Nodes behind ProxyCommands: what a command may do, and what becomes of it. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/ssh/herd.h"
#include "tests/support/test.h"

static const struct server_options real = { SERVER_SSHD, 0, NULL };

/* A herd of one node behind this command; %u is its port. */
static struct server herd_behind(
	struct herd *h, char command[static 256], const char *format)
{
	struct server s = herd_one(h, &real);

	snprintf(command, 256, format, s.port);
	h->settings.proxy_command = command;
	return s;
}

#define BRIDGE \
	"python3 -c 'import socket,sys,os,threading as t\n" \
	"s=socket.create_connection((\"127.0.0.1\",%u))\n" \
	"def up():\n" \
	"  while (d:=os.read(0,9999)): s.sendall(d)\n" \
	"  os._exit(0)\n" \
	"t.Thread(target=up).start()\n" \
	"while (d:=s.recv(9999)): os.write(1,d)'"

static void a_node_behind_a_command_answers(void **state)
{
	char command[512];
	struct server s;
	struct herd h;

	(void)state;
	if (system("python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))'") != 0) {
		printf("skipped: python3 is missing\n");
		skip();
	}
	s = herd_one(&h, &real);
	snprintf(command, sizeof(command), BRIDGE, s.port);
	h.settings.proxy_command = command;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	if (!fleet_is_alive(h.fleet, 0))
		fail_msg("%s", fleet_error(h.fleet, 0)->text);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_int_equal(h.answers[0], 1);
	assert_int_equal(count_children(0), 2); /* the server and the command */
	herd_end(&h, &s);
	assert_int_equal(count_children(0), 0);
}

static void a_command_that_fails_says_why(void **state)
{
	char command[256];
	struct server s;
	struct herd h;

	(void)state;
	s = herd_behind(&h, command, "sh -c 'echo no way to %u >&2; exit 7'");
	assert_refused(&h, RC_UNREACHABLE, "exit status 7; its last words: no way to");
	herd_end(&h, &s);
	assert_int_equal(count_children(0), 0);
}

static void a_command_that_is_not_there_says_why(void **state)
{
	char command[256];
	struct server s;
	struct herd h;

	(void)state;
	s = herd_behind(&h, command, "no-such-program %u");
	assert_refused(&h, RC_UNREACHABLE, "exit status 127");
	assert_contains(fleet_error(h.fleet, 0)->text, "no-such-program");
	herd_end(&h, &s);
	assert_int_equal(count_children(0), 0);
}

/* With a child of its own, which would stay behind. */
static void a_command_that_hangs_is_ended_with_all_it_started(void **state)
{
	char command[256], mark[128];
	struct server s;
	struct herd h;

	(void)state;
	s = herd_behind(&h, command, "sh -c 'echo trying >&2; sleep 71%u; :'");
	snprintf(mark, sizeof(mark), "sleep 71%u", s.port);
	h.options.connect_timeout_s = 1;
	assert_refused(&h, RC_TIMEOUT, "the ProxyCommand said: trying");
	herd_end(&h, &s);
	assert_int_equal(count_children(0), 0);
	test_run("! pgrep -f '^%s$'", mark);
}

static void a_command_that_does_not_obey_is_killed(void **state)
{
	char command[256];
	struct server s;
	struct herd h;

	(void)state;
	s = herd_behind(&h, command,
		"sh -c 'exec 2>&-; trap : TERM; while :; do sleep 0.1; done; echo %u'");
	h.options.connect_timeout_s = 1;
	assert_refused(&h, RC_TIMEOUT, "ssh handshake");
	herd_end(&h, &s);
	assert_int_equal(count_children(0), 0);
}

static void a_command_does_not_outlive_a_killed_cpuherd(void **state)
{
	(void)state;
	test_run("coordinator/cpuherd probe -F none -o 'ProxyCommand=sleep 72%d' n1 "
		 "2>%s/killed.err & p=$!; "
		 "until pgrep -f '^sleep 72%d$'; do kill -0 $p || exit 1; sleep 0.1; "
		 "done; "
		 "kill -9 $p; while pgrep -f '^sleep 72%d$'; do sleep 0.1; done",
		getpid(), site.folder, getpid(), getpid());
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_behind_a_command_answers),
		cmocka_unit_test(a_command_that_fails_says_why),
		cmocka_unit_test(a_command_that_is_not_there_says_why),
		cmocka_unit_test(a_command_that_hangs_is_ended_with_all_it_started),
		cmocka_unit_test(a_command_that_does_not_obey_is_killed),
		cmocka_unit_test(a_command_does_not_outlive_a_killed_cpuherd),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, herd_make, herd_unmake);
}
