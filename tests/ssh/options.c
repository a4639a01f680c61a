/* The options that say how nodes are reached and how long they are waited for, through the
 * built cpuherd and real sshds. */
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/ssh/herd.h"
#include "tests/support/shell.h"
#include "tests/support/test.h"

enum { SERVERS = 6 };

static struct arena arena;
static struct herd herd;
static struct server servers[SERVERS];

static void start(enum manners manners)
{
	herd_init(&herd);
	for (size_t i = 0; i < SERVERS; i++) {
		servers[i] = server_start(
			&site, &(struct server_options){ manners, 0, NULL });
		trust(&herd, &servers[i], site.host_key);
	}
}

static void stop_one(size_t i)
{
	if (servers[i].pid > 0)
		server_stop(&servers[i]);
	servers[i].pid = 0;
}

static void stop(void)
{
	for (size_t i = 0; i < SERVERS; i++)
		stop_one(i);
}

/* `cpuherd probe --json WORDS`, with our key and known_hosts. */
static struct shell_result probe(const char *words)
{
	return shell_run(&arena,
		arena_format(&arena,
			CPUHERD " probe --json --no-agent -F none -l %s --known-hosts %s "
				"-i %s %s",
			getpwuid(getuid())->pw_name, herd.record, site.user_key, words));
}

/* How often the text says so. */
static size_t count(const char *text, const char *what)
{
	size_t found = 0;

	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		found++;
	return found;
}

static const char *all_servers(void)
{
	const char *text = "";

	for (size_t i = 0; i < SERVERS; i++)
		text = arena_format(&arena, "%s 127.0.0.1:%u", text, servers[i].port);
	return text;
}

static void several_loops_ask_every_node_once(void **state)
{
	struct shell_result r;

	(void)state;
	start(SERVER_SSHD);
	r = probe(arena_format(&arena, "--threads 4 --parallel 4 %s", all_servers()));
	assert_int_equal(count(r.out, "\"hostname\": \""), SERVERS);
	stop();
}

static void a_jump_host_is_named_as_for_ssh(void **state)
{
	struct shell_result r;

	(void)state;
	start(SERVER_SSHD);
	/* for the host on the way, ssh's defaults and -o count, not -l and -i */
	test_run("printf 'Host 127.0.0.1\\n IdentityFile %s\\n User %s\\n' >%s/config",
		site.user_key, getpwuid(getuid())->pw_name, site.folder);
	r = probe(arena_format(&arena, "-F %s/config -J 127.0.0.1:%u 127.0.0.1:%u",
		site.folder, servers[0].port, servers[1].port));
	assert_int_equal(count(r.out, "\"hostname\": \""), 1);
	stop_one(0);
	r = probe(arena_format(&arena,
		"-F %s/config -J 127.0.0.1:%u 127.0.0.1:%u --tries 1", site.folder,
		servers[0].port, servers[1].port));
	assert_int_equal(count(r.out, "\"hostname\": \""), 0);
	assert_contains(r.out, arena_format(&arena, "127.0.0.1:%u", servers[0].port));
	stop();
}

static void any_option_of_ssh_may_be_given(void **state)
{
	struct shell_result r;

	(void)state;
	start(SERVER_SSHD);
	r = probe(arena_format(&arena,
		"-o Port=%u -o 'HostName 127.0.0.1' a-name-of-its-own "
		"-o HostKeyAlias='[127.0.0.1]:%u'",
		servers[2].port, servers[2].port));
	assert_int_equal(count(r.out, "\"hostname\": \""), 1);
	stop();
}

static void the_deadline_ends_a_run_with_a_reason_for_every_node(void **state)
{
	struct shell_result r;

	(void)state;
	start(SERVER_SILENT);
	r = probe(arena_format(
		&arena, "--deadline 1 --connect-timeout 60 %s", all_servers()));
	assert_int_equal(r.status, rc_exit_status(RC_TIMEOUT));
	assert_int_equal(
		count(r.out, "the run took longer than --deadline 1"), SERVERS + 1);
	stop();
}

static void refused_nodes_are_tried_as_often_as_is_said(void **state)
{
	struct shell_result r;

	(void)state;
	start(SERVER_SSHD);
	stop_one(0);
	r = probe(arena_format(&arena, "--tries 2 127.0.0.1:%u", servers[0].port));
	assert_contains(r.out, "Connection refused (2 tries)");
	stop();
}

static int unmake(void **state)
{
	arena_destroy(&arena);
	return herd_unmake(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_loops_ask_every_node_once),
		cmocka_unit_test(a_jump_host_is_named_as_for_ssh),
		cmocka_unit_test(any_option_of_ssh_may_be_given),
		cmocka_unit_test(the_deadline_ends_a_run_with_a_reason_for_every_node),
		cmocka_unit_test(refused_nodes_are_tried_as_often_as_is_said),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, herd_make, unmake);
}
