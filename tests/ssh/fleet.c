/* The whole road from a node's name to its peer's answers, against real sshds. */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/ssh/herd.h"
#include "tests/support/test.h"

/* ---- the good road */

static void a_node_is_asked_for_its_facts_twice(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	assert_true(fleet_is_alive(h.fleet, 0));
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_int_equal(h.answers[0], 2);
	assert_true(*h.hostnames[0]);
	herd_end(&h, &s);
}

static void fifty_nodes_are_asked_at_once(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0, "MaxStartups 200\n" });

	(void)state;
	while (h.inventory.count < 50)
		herd_add(&h, &s);
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	for (size_t i = 0; i < 50; i++) {
		assert_rc(fleet_error(h.fleet, i)->code, RC_OK, fleet_error(h.fleet, i));
		assert_int_equal(h.answers[i], 1);
	}
	herd_end(&h, &s);
}

/* A sudo that lets nobody through shows who went that way. */
static void a_node_goes_through_sudo_as_its_inventory_says_else_as_the_run(void **state)
{
	static const bool passes[2][3] = { { true, false, true },
		{ false, false, true } };
	char config[512], path[160];
	struct server s;
	struct herd h;

	(void)state;
	snprintf(path, sizeof(path), "%s/sudo", site.folder);
	test_write_file(path, "#!/bin/sh\necho sudo: not you >&2; exit 1\n");
	assert_int_equal(chmod(path, 0755), 0);
	snprintf(config, sizeof(config), "SetEnv PATH=%s:/usr/bin:/bin HOME=%s\n",
		site.folder, site.home);
	s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, config });
	herd_add(&h, &s);
	herd_add(&h, &s);
	h.nodes[1].become = INVENTORY_BECOME_YES;
	h.nodes[2].become = INVENTORY_BECOME_NO;
	for (int run = 0; run < 2; run++) {
		h.options.become = run;
		assert_rc(herd_connect(&h), RC_OK, &h.err);
		for (size_t i = 0; i < 3; i++)
			assert_rc(fleet_error(h.fleet, i)->code,
				passes[run][i] ? RC_OK : RC_PEER,
				fleet_error(h.fleet, i));
		fleet_destroy(h.fleet);
	}
	h.fleet = NULL;
	unlink(path);
	herd_end(&h, &s);
}

/* ---- host keys */

static void an_unknown_host_key_is_refused_with_its_fingerprint(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	char fingerprint[256], path[160];
	char *text;

	(void)state;
	unlink(h.record);
	assert_refused(&h, RC_HOSTKEY, "is not known");
	test_run("ssh-keygen -lf %s.pub | cut -d' ' -f2 | tr -d '\\n' >%s/fingerprint",
		site.host_key, site.folder);
	snprintf(path, sizeof(path), "%s/fingerprint", site.folder);
	text = read_text(path);
	snprintf(fingerprint, sizeof(fingerprint), " %s ", text);
	free(text);
	assert_contains(fleet_error(h.fleet, 0)->text, fingerprint);
	assert_int_not_equal(access(h.record, F_OK), 0);
	herd_end(&h, &s);
}

static void accept_new_records_a_key_and_then_holds_the_node_to_it(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	struct stat st;

	(void)state;
	unlink(h.record);
	h.settings.strict = SSH_STRICT_NEW;
	herd_add(&h, &s); /* the same server twice: one line */
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_true(fleet_is_alive(h.fleet, 0) && fleet_is_alive(h.fleet, 1));
	fleet_destroy(h.fleet);
	test_run("test $(wc -l <%s) = 1", h.record);
	test_run("ssh-keygen -F '[127.0.0.1]:%u' -f %s >/dev/null", s.port, h.record);
	assert_int_equal(stat(h.record, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* the recorded key now speaks against another one */
	test_run("cp %s %s.keep && cp %s.pub %s.tmp", site.host_key, site.host_key,
		site.other_host_key, site.host_key);
	test_run("(printf '[127.0.0.1]:%u '; cat %s.tmp) >%s", s.port, site.host_key,
		h.record);
	assert_refused(&h, RC_HOSTKEY, "HOST KEY CHANGED");
	assert_contains(fleet_error(h.fleet, 0)->text, "known_hosts:1 ");
	herd_end(&h, &s);
}

static void a_revoked_host_key_is_refused_although_it_is_known(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	h.settings.strict = SSH_STRICT_NEW;
	test_run("(printf '@revoked * '; cat %s.pub) >>%s", site.host_key, h.record);
	assert_refused(&h, RC_HOSTKEY, "is revoked by");
	assert_contains(fleet_error(h.fleet, 0)->text, "known_hosts:2");
	herd_end(&h, &s);
}

/* A second host key of another type, made once. */
static void make_ecdsa_host_key(void)
{
	test_run("cd %s && { test -f ecdsa-host || ssh-keygen -q -t ecdsa -N '' -f "
		 "ecdsa-host; "
		 "}",
		site.folder);
}

/* A server with that key as well, and a herd of this one node, which knows neither. */
static struct server server_of_two_keys(struct herd *h)
{
	char config[256];
	struct server_options options = { SERVER_SSHD, 0, config };
	struct server s;

	make_ecdsa_host_key();
	snprintf(config, sizeof(config), "HostKey %s/ecdsa-host\n", site.folder);
	s = server_start(&site, &options);
	herd_init(h);
	herd_add(h, &s);
	return s;
}

/* As in ssh, which asks for Ed25519 first: a revoked key must not be passed by. */
static void a_revoked_key_of_a_new_node_is_refused_although_it_has_another(void **state)
{
	struct herd h;
	struct server s = server_of_two_keys(&h);

	(void)state;
	h.settings.strict = SSH_STRICT_NEW;
	test_run("(printf '@revoked * '; cat %s.pub) >%s", site.host_key, h.record);
	assert_refused(&h, RC_HOSTKEY, "is revoked by");
	herd_end(&h, &s);
}

static void the_key_type_that_is_known_is_asked_for(void **state)
{
	struct herd h;
	struct server s = server_of_two_keys(&h);

	(void)state;
	/* left alone, libssh2 would take the ecdsa key */
	trust(&h, &s, site.host_key);
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	fleet_destroy(h.fleet);
	test_run("(printf '[127.0.0.1]:%u '; cat %s/ecdsa-host.pub) >%s", s.port,
		site.folder, h.record);
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	herd_end(&h, &s);
}

static void the_wish_for_host_key_algorithms_is_what_is_asked_for(void **state)
{
	struct herd h;
	struct server s = server_of_two_keys(&h);

	(void)state;
	h.settings.strict = SSH_STRICT_NEW;
	h.settings.host_key_algorithms = "ecdsa-*";
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	fleet_destroy(h.fleet);
	test_run("grep -q ' ecdsa-sha2-nistp256 ' %s", h.record);
	h.settings.host_key_algorithms = "no-such-algorithm";
	assert_refused(
		&h, RC_INPUT, "HostKeyAlgorithms no-such-algorithm leaves nothing");
	herd_end(&h, &s);
}

/* libssh2 left alone takes the certificate, which nobody here can check. */
static void a_server_with_a_host_certificate_shows_its_plain_key(void **state)
{
	struct herd h;
	char config[256];
	struct server_options options = { SERVER_SSHD, 0, config };
	struct server s;

	(void)state;
	test_run("cd %s && { test -f ecdsa-host || ssh-keygen -q -t ecdsa -N '' -f "
		 "ecdsa-host; "
		 "} && ssh-keygen -q -s other-host -I test -h ecdsa-host.pub 2>/dev/null",
		site.folder);
	snprintf(config, sizeof(config),
		"HostKey %s/ecdsa-host\nHostCertificate %s/ecdsa-host-cert.pub\n",
		site.folder, site.folder);
	s = server_start(&site, &options);
	herd_init(&h);
	herd_add(&h, &s);
	h.settings.strict = SSH_STRICT_NEW;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	herd_end(&h, &s);
}

static void a_server_without_a_common_algorithm_is_quoted(void **state)
{
	struct herd h;
	/* a MAC that no libssh2 has */
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0,
			    "MACs umac-128-etm@openssh.com\nCiphers aes128-ctr\n" });

	(void)state;
	assert_refused(&h, RC_SSH,
		"no common MAC: the server offers only umac-128-etm@openssh.com");
	herd_end(&h, &s);
}

/* ---- logins */

static void a_key_that_the_server_does_not_know_is_refused(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	h.identities[0] = site.other_user_key;
	assert_refused(&h, RC_AUTH, "with 1 key");
	herd_end(&h, &s);
}

static void a_user_that_does_not_exist_is_refused(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	h.settings.user = "nobody-of-that-name";
	assert_refused(&h, RC_AUTH, "refuses user nobody-of-that-name");
	herd_end(&h, &s);
}

static void keys_are_tried_in_order_until_one_fits(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	h.identities[0] = site.other_user_key;
	h.identities[1] = site.user_key;
	h.settings.identity_files.count = 2;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	herd_end(&h, &s);
}

static void no_more_than_six_keys_are_tried(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0, "MaxAuthTries 20\n" });
	char none[6][128];

	(void)state;
	test_run("cd %s && for i in 0 1 2 3 4 5; do "
		 "ssh-keygen -q -t ed25519 -N '' -f no$i; done",
		site.folder);
	for (int i = 0; i < 6; i++) {
		snprintf(none[i], sizeof(none[i]), "%s/no%d", site.folder, i);
		h.identities[i] = none[i];
	}
	h.identities[6] = site.user_key;
	h.settings.identity_files.count = 7;
	assert_refused(&h, RC_AUTH, "after 6 attempts");
	herd_end(&h, &s);
}

static void a_key_with_a_passphrase_is_named(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	h.identities[0] = site.locked_key;
	assert_refused(&h, RC_AUTH, "needs a passphrase");
	assert_contains(fleet_error(h.fleet, 0)->text, "locked");
	herd_end(&h, &s);
}

static void an_agent_logs_in_and_an_empty_one_gives_way_to_files(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	struct real_agent agent;

	(void)state;
	real_agent_start(&agent, "");
	setenv("SSH_AUTH_SOCK", agent.socket, 1);
	h.settings.agent = getenv("SSH_AUTH_SOCK");
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	fleet_destroy(h.fleet);

	test_run("ssh-add -q %s %s 2>/dev/null", site.other_user_key, site.user_key);
	h.settings.identity_files.count = 0;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	fleet_destroy(h.fleet);

	real_agent_end(&agent);
	setenv("SSH_AUTH_SOCK", "/nonexistent", 1);
	assert_refused(&h, RC_AUTH, "does not answer");
	unsetenv("SSH_AUTH_SOCK");
	herd_end(&h, &s);
}

/* A child that accepts on the socket, says its words, and no more. */
static pid_t silent_agent(const char *path, const char *words)
{
	int listener = agent_listen(path), accepted;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		alarm(60);
	if (pid == 0)
		for (;;) {
			accepted = accept(listener, NULL, NULL);
			if (write(accepted, words, strlen(words)) < 0)
				_exit(1);
		}
	close(listener);
	return pid;
}

/* A forwarded agent whose connection died: it is there, accepts, and is silent; or it
 * announces more than will ever come.  libssh2 waits for it for ever. */
static void an_agent_that_hangs_does_not_hang_the_run(void **state)
{
	static const char *const answers[] = { "", "\377\377\377\377x" };
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	char socket[128];

	(void)state;
	snprintf(socket, sizeof(socket), "%s/hung", site.folder);
	setenv("SSH_AUTH_SOCK", socket, 1);
	h.settings.agent = getenv("SSH_AUTH_SOCK");
	h.options.connect_timeout_s = 2;
	for (size_t i = 0; i < 2; i++) {
		pid_t pid = silent_agent(socket, answers[i]);

		h.settings.identity_files.count = 1;
		assert_rc(herd_connect(&h), RC_OK, &h.err);
		assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
		fleet_destroy(h.fleet);
		h.settings.identity_files.count = 0;
		assert_refused(&h, RC_AUTH, i ? "does not answer" : "hangs");
		fleet_destroy(h.fleet);
		h.fleet = NULL;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	unsetenv("SSH_AUTH_SOCK");
	h.options.connect_timeout_s = 60;
	h.settings.agent = NULL;
	assert_refused(&h, RC_AUTH, "no ssh-agent is known (SSH_AUTH_SOCK)");
	herd_end(&h, &s);
}

/* It lists its keys at once, and waits for its user to confirm each use. */
static void an_agent_that_never_signs_does_not_hang_the_run(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	struct real_agent agent;
	char environment[256];

	(void)state;
	/* -c without a display would refuse at once: the asker sleeps instead */
	test_run("cd %s && printf '#!/bin/sh\nexec sleep 20\n' >asker && chmod 700 asker",
		site.folder);
	snprintf(environment, sizeof(environment),
		"DISPLAY=:77 SSH_ASKPASS=%s/asker SSH_ASKPASS_REQUIRE=force",
		site.folder);
	real_agent_start(&agent, environment);
	setenv("SSH_AUTH_SOCK", agent.socket, 1);
	test_run("ssh-add -q -c %s 2>/dev/null", site.user_key);
	h.settings.agent = getenv("SSH_AUTH_SOCK");
	h.settings.identity_files.count = 0;
	h.options.connect_timeout_s = 4;
	assert_refused(&h, RC_AUTH, "did not answer within 2 s");
	real_agent_end(&agent);
	unsetenv("SSH_AUTH_SOCK");
	herd_end(&h, &s);
}

static void a_key_file_that_is_not_there_stops_before_any_node(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	h.identities[0] = "/nonexistent/key";
	assert_rc(herd_connect(&h), RC_INPUT, &h.err);
	assert_contains(h.err.text, "/nonexistent/key");
	herd_end(&h, &s);
}

/* ---- interruption */

static void an_interrupt_between_rounds_keeps_the_next_from_starting(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	raise(SIGTERM);
	assert_rc(herd_ask(&h), RC_INTERRUPTED, &h.err);
	assert_int_equal(h.answers[0], 0);
	fleet_ignore_interrupt(h.fleet);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_int_equal(h.answers[0], 1);
	herd_end(&h, &s);
}

static bool is_default(int number)
{
	struct sigaction now;

	assert_int_equal(sigaction(number, NULL, &now), 0);
	return now.sa_handler == SIG_DFL;
}

/* What is printed to a pipe that nobody reads must be possible to end. */
static void after_the_last_round_one_signal_is_let_pass_and_no_more(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	fleet_release_signals(h.fleet);
	assert_false(is_default(SIGINT));
	raise(SIGINT);
	assert_true(is_default(SIGINT));
	herd_end(&h, &s);
	assert_true(is_default(SIGINT));

	s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	raise(SIGTERM);
	assert_rc(herd_ask(&h), RC_INTERRUPTED, &h.err);
	fleet_release_signals(h.fleet);
	assert_true(is_default(SIGTERM));
	herd_end(&h, &s);
}

static void interrupt_round(void *context, const struct fleet_progress *p)
{
	bool *done = context;

	if (*done || strcmp(p->phase, "facts") != 0)
		return;
	raise(SIGINT);
	raise(SIGINT);
	*done = true;
}

static void a_second_interrupt_does_not_wait_for_answers(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(&h, PACKAGED_PEER WELCOME "cat >/dev/null");
	bool done = false;
	time_t begin;

	(void)state;
	h.options.progress = interrupt_round;
	h.options.context = &done;
	assert_rc(herd_new(&h), RC_OK, &h.err);
	begin = time(NULL);
	assert_rc(herd_ask(&h), RC_INTERRUPTED, &h.err);
	assert_int_equal(fleet_error(h.fleet, 0)->code, RC_INTERRUPTED);
	assert_false(fleet_is_alive(h.fleet, 0));
	assert_true(time(NULL) - begin < 4);
	herd_end(&h, &s);
}

static void interrupt_now(void *context, const struct fleet_progress *p)
{
	bool *done = context;

	if (!*done && strcmp(p->phase, "facts") == 0)
		raise(SIGINT);
	*done = true;
}

/* A terminal that was closed hangs up; under nohup nothing happens. */
static void a_hangup_interrupts_unless_it_is_ignored(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	raise(SIGHUP);
	assert_rc(herd_ask(&h), RC_INTERRUPTED, &h.err);
	fleet_destroy(h.fleet);

	signal(SIGHUP, SIG_IGN);
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	raise(SIGHUP);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	signal(SIGHUP, SIG_DFL);
	herd_end(&h, &s);
}

static void an_interrupt_stops_connecting_and_refuses_rounds(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SILENT, 0, NULL });
	time_t begin = time(NULL);
	bool done = false;

	(void)state;
	h.options.progress = interrupt_now;
	h.options.context = &done;
	assert_rc(herd_new(&h), RC_OK, &h.err);
	assert_rc(herd_ask(&h), RC_INTERRUPTED, &h.err);
	assert_string_equal(h.err.text, "interrupted during facts");
	assert_int_equal(fleet_error(h.fleet, 0)->code, RC_INTERRUPTED);
	assert_true(time(NULL) - begin < 4); /* at once, not after a grace */
	assert_rc(herd_ask(&h), RC_INTERRUPTED, &h.err);
	fleet_ignore_interrupt(h.fleet);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	herd_end(&h, &s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_asked_for_its_facts_twice),
		cmocka_unit_test(fifty_nodes_are_asked_at_once),
		cmocka_unit_test(
			a_node_goes_through_sudo_as_its_inventory_says_else_as_the_run),
		cmocka_unit_test(an_unknown_host_key_is_refused_with_its_fingerprint),
		cmocka_unit_test(accept_new_records_a_key_and_then_holds_the_node_to_it),
		cmocka_unit_test(a_revoked_host_key_is_refused_although_it_is_known),
		cmocka_unit_test(
			a_revoked_key_of_a_new_node_is_refused_although_it_has_another),
		cmocka_unit_test(the_key_type_that_is_known_is_asked_for),
		cmocka_unit_test(the_wish_for_host_key_algorithms_is_what_is_asked_for),
		cmocka_unit_test(a_server_with_a_host_certificate_shows_its_plain_key),
		cmocka_unit_test(a_server_without_a_common_algorithm_is_quoted),
		cmocka_unit_test(a_key_that_the_server_does_not_know_is_refused),
		cmocka_unit_test(a_user_that_does_not_exist_is_refused),
		cmocka_unit_test(keys_are_tried_in_order_until_one_fits),
		cmocka_unit_test(no_more_than_six_keys_are_tried),
		cmocka_unit_test(a_key_with_a_passphrase_is_named),
		cmocka_unit_test(an_agent_logs_in_and_an_empty_one_gives_way_to_files),
		cmocka_unit_test(an_agent_that_hangs_does_not_hang_the_run),
		cmocka_unit_test(an_agent_that_never_signs_does_not_hang_the_run),
		cmocka_unit_test(a_key_file_that_is_not_there_stops_before_any_node),
		cmocka_unit_test(
			an_interrupt_between_rounds_keeps_the_next_from_starting),
		cmocka_unit_test(after_the_last_round_one_signal_is_let_pass_and_no_more),
		cmocka_unit_test(a_second_interrupt_does_not_wait_for_answers),
		cmocka_unit_test(a_hangup_interrupts_unless_it_is_ignored),
		cmocka_unit_test(an_interrupt_stops_connecting_and_refuses_rounds),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, herd_make, herd_unmake);
}
