/* The built cpuherd: nodes from standard input and from Ansible, and what --failed holds
 * when a run is ended by hand.  All nodes are ports of this machine. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/shell.h"
#include "tests/support/test.h"

/* CTest runs every unit test in the build folder. */
#define CPUHERD \
	"HOME=/nonexistent coordinator/cpuherd probe --no-agent --connect-timeout 20 "
#define LIST "cli_inventory.list"

static int built(void **state)
{
	(void)state;
	return shell_find("coordinator/cpuherd");
}

static int no_trace(void **state)
{
	(void)state;
	unlink(LIST);
	return 0;
}

/* The nodes of the list, without their reasons. */
static char *listed(struct arena *a)
{
	return shell_run(a, "sed 's/  #.*//' " LIST).out;
}

static void nodes_come_from_standard_input(void **state)
{
	struct arena a = { 0 };
	struct shell_result r = shell_run(
		&a, "printf 'me@127.0.0.1:[1]\\n' | " CPUHERD "--hosts - --failed " LIST);

	(void)state;
	assert_int_equal(r.status, 3);
	assert_string_equal(
		r.err, "cpuherd: standard input:1:14: '[' where a number should be\n");
	r = shell_run(&a,
		"printf '127.0.0.[1-4]:1 # all\\n^127.0.0.2\\n' | " CPUHERD
		"--quiet --hosts - -x 127.0.0.3 --limit '!127.0.0.4' you@127.0.0.9:1 "
		"--failed " LIST);
	assert_int_equal(r.status, 10);
	assert_string_equal(listed(&a), "127.0.0.1:1\nyou@127.0.0.9:1\n");
	arena_destroy(&a);
}

static void what_ansible_says_and_we_do_not_do_is_told_once_by_name(void **state)
{
	static const char json[] =
		"{\"all\": [\"a\", \"b\", \"c\"], \"_meta\": {\"hostvars\": {"
		"\"a\": {\"ansible_host\": \"127.0.0.1\", \"ansible_port\": 1,"
		"\"ansible_ssh_common_args\": \"-J x\", \"ansible_password\": "
		"\"s3cret\"},"
		"\"b\": {\"ansible_host\": \"127.0.0.2\", \"ansible_port\": 1,"
		"\"ansible_ssh_common_args\": \"-J x\", \"colour\": \"red\"},"
		"\"c\": {\"ansible_connection\": \"local\"},"
		"\"d\": {}, \"e\": {}}}}";
	struct arena a = { 0 };
	struct shell_result r;

	(void)state;
	test_write_file(LIST, json);
	r = shell_run(&a, CPUHERD "--hosts " LIST " --limit '!c' --failed " LIST);
	assert_int_equal(r.status, 10);
	assert_contains(r.err,
		"cpuherd: " LIST ": 2 hosts of _meta.hostvars, d the first, in no group "
		"and so not in this run\n"
		"cpuherd: " LIST ": ansible_password is not honoured (of 1 node, a the "
		"first)\n"
		"cpuherd: " LIST ": ansible_ssh_common_args is not honoured (of 2 nodes, "
		"a the first)\n"
		"cpuherd: 2 of 2 nodes failed");
	r = shell_run(&a, CPUHERD "--quiet --hosts " LIST " --failed " LIST);
	assert_int_equal(r.status, 10);
	assert_contains(r.err, "2 of 2 nodes failed (a, b)");
	assert_contains(test_read_file(&a, LIST), "\"cpuherd_failed\": \"UNREACHABLE: ");
	arena_destroy(&a);
}

/* ---- Ctrl-C */

static int silent_port(uint16_t *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	socklen_t size = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &size), 0);
	*port = ntohs(to.sin_port);
	return fd;
}

/* Once a connection is there the loop runs, and with it what catches the signal. */
static void an_interrupted_run_lists_every_node_it_was_to_ask(void **state)
{
	struct arena a = { 0 };
	uint16_t port;
	int listener = silent_port(&port), status, peer;
	char *line = arena_format(&a,
		"exec env " CPUHERD "--quiet me@127.0.0.1:%u localhost:%u --failed " LIST
		" >/dev/null 2>&1",
		port, port);
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	assert_true(child > 0);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(kill(child, SIGINT), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(peer);
	close(listener);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 130);
	assert_string_equal(listed(&a),
		arena_format(&a, "me@127.0.0.1:%u\nlocalhost:%u\n", port, port));
	assert_contains(test_read_file(&a, LIST), "# INTERRUPTED: ");
	arena_destroy(&a);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, NULL, no_trace)
	const struct CMUnitTest tests[] = {
		CASE(nodes_come_from_standard_input),
		CASE(what_ansible_says_and_we_do_not_do_is_told_once_by_name),
		CASE(an_interrupted_run_lists_every_node_it_was_to_ask),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, built, NULL);
}
