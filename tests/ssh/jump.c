/* Nodes behind jump hosts and ProxyCommands: real sshds, and what can go wrong on the
 * way. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/net/bastion.h"
#include "tests/ssh/herd.h"
#include "tests/support/shell.h"
#include "tests/support/test.h"

static const struct server_options real = { SERVER_SSHD, 0, NULL };

/* ---- the way */

/* The jump host is this server, with the herd's user and keys. */
static void jump_over(
	const struct herd *h, struct ssh_settings *jump, const struct server *s)
{
	*jump = h->settings;
	jump->port = s->port;
	jump->jump = NULL;
}

/* A herd of one node behind a jump host; both trusted. */
struct way {
	struct herd herd;
	struct server bastion, node;
	struct ssh_settings jump;
};

static void way_begin(struct way *w, const struct server_options *bastion,
	const struct server_options *node)
{
	w->node = herd_one(&w->herd, node);
	w->bastion = server_start(&site, bastion);
	trust(&w->herd, &w->bastion, site.host_key);
	jump_over(&w->herd, &w->jump, &w->bastion);
	w->herd.settings.jump = &w->jump;
}

static void way_end(struct way *w)
{
	herd_end(&w->herd, &w->node);
	server_stop(&w->bastion);
}

/* The first node failed with this code, and with words about the jump host. */
static void assert_way_fails(struct way *w, enum rc code, const char *words)
{
	char name[64];

	assert_refused(&w->herd, code, words);
	snprintf(name, sizeof(name), "jump host 127.0.0.1:%u", w->bastion.port);
	assert_contains(fleet_error(w->herd.fleet, 0)->text, name);
}

/* ---- jump hosts */

static void a_node_behind_a_jump_host_answers(void **state)
{
	struct way w;

	(void)state;
	way_begin(&w, &real, &real);
	assert_rc(herd_connect(&w.herd), RC_OK, &w.herd.err);
	assert_true(fleet_is_alive(w.herd.fleet, 0));
	assert_rc(herd_ask(&w.herd), RC_OK, &w.herd.err);
	assert_int_equal(w.herd.answers[0], 1);
	way_end(&w);
}

static void a_jump_host_may_have_a_jump_host(void **state)
{
	struct server first = server_start(&site, &real);
	struct ssh_settings before;
	struct way w;

	(void)state;
	way_begin(&w, &real, &real);
	trust(&w.herd, &first, site.host_key);
	jump_over(&w.herd, &before, &first);
	w.jump.jump = &before;
	assert_rc(herd_connect(&w.herd), RC_OK, &w.herd.err);
	assert_rc(herd_ask(&w.herd), RC_OK, &w.herd.err);
	assert_int_equal(w.herd.answers[0], 1);
	way_end(&w);
	server_stop(&first);
}

static void a_jump_host_before_a_jump_host_is_named_when_it_is_dead(void **state)
{
	struct server first = server_start(&site, &real);
	struct ssh_settings before;
	struct way w;
	char name[64];

	(void)state;
	way_begin(&w, &real, &real);
	jump_over(&w.herd, &before, &first);
	w.jump.jump = &before; /* its key is not known */
	snprintf(name, sizeof(name), "jump host 127.0.0.1:%u", first.port);
	assert_way_fails(&w, RC_HOSTKEY, name);
	way_end(&w);
	server_stop(&first);
}

static void many_nodes_share_a_few_connections(void **state)
{
	enum { NODES = 50 };
	static const struct server_options bastion = { SERVER_SSHD, 0,
		"MaxSessions 0\n" };
	struct way w;

	(void)state;
	way_begin(&w, &bastion, &real);
	for (int i = 1; i < NODES; i++)
		herd_add(&w.herd, &w.node);
	assert_rc(herd_connect(&w.herd), RC_OK, &w.herd.err);
	for (int i = 0; i < NODES; i++)
		if (!fleet_is_alive(w.herd.fleet, (size_t)i))
			fail_msg("%s", fleet_error(w.herd.fleet, (size_t)i)->text);
	assert_rc(herd_ask(&w.herd), RC_OK, &w.herd.err);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(w.herd.answers[i], 1);
	assert_in_range(count_children(w.bastion.pid), 1, BASTION_RELAYS);
	way_end(&w);
}

static void an_unknown_jump_host_is_refused(void **state)
{
	struct way w;

	(void)state;
	way_begin(&w, &real, &real);
	unlink(w.herd.record);
	trust(&w.herd, &w.node, site.host_key);
	assert_way_fails(&w, RC_HOSTKEY, "key");
	way_end(&w);
}

static void a_jump_host_has_keys_of_its_own(void **state)
{
	const char *other[] = { site.other_user_key };
	struct way w;

	(void)state;
	way_begin(&w, &real, &real);
	w.jump.identity_files = (struct texts){ other, 1 };
	assert_way_fails(&w, RC_AUTH, "refuses user");
	way_end(&w);
}

static void a_dead_jump_host_fails_all_its_nodes_once(void **state)
{
	struct way w;

	(void)state;
	way_begin(&w, &real, &real);
	herd_add(&w.herd, &w.node);
	herd_add(&w.herd, &w.node);
	server_stop(&w.bastion);
	assert_way_fails(&w, RC_UNREACHABLE, "refused");
	for (size_t i = 1; i < 3; i++)
		assert_string_equal(fleet_error(w.herd.fleet, i)->text,
			fleet_error(w.herd.fleet, 0)->text);
	assert_null(strstr(fleet_error(w.herd.fleet, 0)->text, "tries"));
	fleet_destroy(w.herd.fleet);
	server_stop(&w.node);
}

static void a_silent_jump_host_is_given_up(void **state)
{
	static const struct server_options silent = { SERVER_SILENT, 0, NULL };
	struct way w;

	(void)state;
	way_begin(&w, &silent, &real);
	w.herd.options.connect_timeout_s = 2;
	assert_way_fails(&w, RC_TIMEOUT, "ssh handshake");
	way_end(&w);
}

/* The bastion's children carry the connections: it loses them all. */
static void kill_children(pid_t pid)
{
	test_run("kill -9 $(cat /proc/%d/task/%d/children)", pid, pid);
}

static void a_jump_host_that_dies_between_rounds_is_named(void **state)
{
	struct way w;
	const struct err *e;

	(void)state;
	way_begin(&w, &real, &real);
	assert_rc(herd_connect(&w.herd), RC_OK, &w.herd.err);
	assert_true(fleet_is_alive(w.herd.fleet, 0));
	kill_children(w.bastion.pid);
	assert_rc(herd_ask(&w.herd), RC_OK, &w.herd.err);
	e = fleet_error(w.herd.fleet, 0);
	assert_rc(e->code, RC_SSH, e);
	assert_contains(e->text, "the connection to jump host 127.0.0.1");
	way_end(&w);
}

static void a_jump_host_cut_off_anywhere_fails_its_node_with_a_reason(void **state)
{
	/* banner, key exchange, login, tunnel, the node's handshake, its peer */
	static const size_t cuts[] = { 10, 500, 1500, 2500, 3200, 4500, 6000 };

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		struct server_options cut = { SERVER_CUT, cuts[i], NULL };
		struct way w;

		way_begin(&w, &cut, &real);
		assert_rc(herd_connect(&w.herd), RC_OK, &w.herd.err);
		assert_false(fleet_is_alive(w.herd.fleet, 0));
		assert_contains(
			fleet_error(w.herd.fleet, 0)->text, "jump host 127.0.0.1");
		way_end(&w);
	}
}

static void forwarding_that_is_forbidden_is_said(void **state)
{
	static const struct server_options strict = { SERVER_SSHD, 0,
		"AllowTcpForwarding no\n" };
	struct way w;

	(void)state;
	way_begin(&w, &strict, &real);
	assert_way_fails(&w, RC_UNREACHABLE, "does not forward connections");
	assert_contains(fleet_error(w.herd.fleet, 0)->text, "AllowTcpForwarding");
	way_end(&w);
}

static void a_node_that_refuses_fails_alone(void **state)
{
	struct server gone;
	struct way w;

	(void)state;
	way_begin(&w, &real, &real);
	gone = server_start(&site, &real);
	herd_add(&w.herd, &gone);
	server_stop(&gone);
	assert_rc(herd_connect(&w.herd), RC_OK, &w.herd.err);
	assert_true(fleet_is_alive(w.herd.fleet, 0));
	assert_false(fleet_is_alive(w.herd.fleet, 1));
	assert_rc(fleet_error(w.herd.fleet, 1)->code, RC_UNREACHABLE, &w.herd.err);
	assert_contains(
		fleet_error(w.herd.fleet, 1)->text, "cannot connect to 127.0.0.1");
	way_end(&w);
}

static void names_are_resolved_by_the_jump_host(void **state)
{
	struct way w;

	(void)state;
	way_begin(&w, &real, &real);
	w.herd.nodes[0].host = "node.behind.invalid";
	assert_way_fails(&w, RC_UNREACHABLE, "cannot connect to node.behind.invalid");
	way_end(&w);
}

/* A listener whose queue is full: connections to it are not answered. */
static int deaf_listener(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	for (int i = 0; i < 3; i++) {
		int filler = socket(
			AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		connect(filler, (struct sockaddr *)&address, size);
	}
	*port = ntohs(address.sin_port);
	return fd;
}

/* The silent one comes first, and keeps its connection busy until it is given up. */
static void a_silent_node_keeps_no_other_one_waiting(void **state)
{
	struct way w;
	struct server deaf;
	int fd;

	(void)state;
	way_begin(&w, &real, &real);
	fd = deaf_listener(&deaf.port);
	w.herd.nodes[0].port = deaf.port;
	for (int i = 0; i < 4; i++)
		herd_add(&w.herd, &w.node);
	w.herd.options.connect_timeout_s = 12;
	assert_rc(herd_connect(&w.herd), RC_OK, &w.herd.err);
	assert_rc(fleet_error(w.herd.fleet, 0)->code, RC_TIMEOUT, &w.herd.err);
	assert_contains(fleet_error(w.herd.fleet, 0)->text, "jump host 127.0.0.1");
	for (size_t i = 1; i < 5; i++)
		if (!fleet_is_alive(w.herd.fleet, i))
			fail_msg("%s", fleet_error(w.herd.fleet, i)->text);
	close(fd);
	way_end(&w);
}

static void a_jump_host_may_be_behind_a_command(void **state)
{
	char command[256];
	struct way w;

	(void)state;
	way_begin(&w, &real, &real);
	snprintf(command, sizeof(command), "sh -c 'echo %u is away >&2; exit 1'",
		w.bastion.port);
	w.jump.proxy_command = command;
	assert_way_fails(&w, RC_UNREACHABLE, "is away");
	way_end(&w);
}

/* ---- the program */

static struct arena arena;

/* A configuration with gw and, behind it, the nodes n1 and n2 and, by ssh, n3. */
static const char *write_ssh_config(const struct way *w)
{
	const char *path = arena_format(&arena, "%s/config", site.folder);

	test_write_file(
		path, arena_format(&arena,
			      "Host gw\n Port %u\n"
			      "Host n*\n Port %u\n"
			      "Host n1 n2\n ProxyJump gw\n"
			      "Host n3\n ProxyCommand ssh -F %s -W %%h:%%p gw\n"
			      "Host *\n HostName 127.0.0.1\n User %s\n IdentityFile %s\n"
			      " IdentityAgent none\n UserKnownHostsFile %s\n",
			      w->bastion.port, w->node.port, path, w->herd.settings.user,
			      site.user_key, w->herd.record));
	return path;
}

static int count_of(const char *text, const char *word)
{
	int count = 0;

	for (; (text = strstr(text, word)); text++)
		count++;
	return count;
}

static void the_program_goes_the_way_that_ssh_goes(void **state)
{
	struct shell_result r;
	const char *config;
	struct way w;

	(void)state;
	way_begin(&w, &real, &real);
	config = write_ssh_config(&w);
	r = shell_run(&arena,
		arena_format(&arena, "coordinator/cpuherd probe n1 n2 n3 -F %s --verbose",
			config));
	assert_int_equal(count_of(r.err, "channel -> relay"), 1);
	for (int i = 1; i <= 3; i++)
		assert_contains(r.err,
			arena_format(&arena, "cpuherd: n%d: welcome -> request", i));
	assert_int_equal(count_children(0), 2);
	server_stop(&w.node);
	server_stop(&w.bastion);
}

static int unmake(void **state)
{
	arena_destroy(&arena);
	return herd_unmake(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_behind_a_jump_host_answers),
		cmocka_unit_test(a_jump_host_may_have_a_jump_host),
		cmocka_unit_test(a_jump_host_before_a_jump_host_is_named_when_it_is_dead),
		cmocka_unit_test(many_nodes_share_a_few_connections),
		cmocka_unit_test(an_unknown_jump_host_is_refused),
		cmocka_unit_test(a_jump_host_has_keys_of_its_own),
		cmocka_unit_test(a_dead_jump_host_fails_all_its_nodes_once),
		cmocka_unit_test(a_silent_jump_host_is_given_up),
		cmocka_unit_test(a_jump_host_that_dies_between_rounds_is_named),
		cmocka_unit_test(
			a_jump_host_cut_off_anywhere_fails_its_node_with_a_reason),
		cmocka_unit_test(forwarding_that_is_forbidden_is_said),
		cmocka_unit_test(a_node_that_refuses_fails_alone),
		cmocka_unit_test(names_are_resolved_by_the_jump_host),
		cmocka_unit_test(a_silent_node_keeps_no_other_one_waiting),
		cmocka_unit_test(a_jump_host_may_be_behind_a_command),
		cmocka_unit_test(the_program_goes_the_way_that_ssh_goes),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, herd_make, unmake);
}
