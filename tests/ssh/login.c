/* Logging in at real sshds: keys of every kind, agents that do as they like, keys that are
 * locked, servers that lose patience. */
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/net/transport.h"
#include "coordinator/net/wire.h"
#include "tests/ssh/herd.h"
#include "tests/support/keys.h"
#include "tests/support/test.h"

static char second_key[128]; /* the servers know it as well */

static void assert_all_in(struct herd *h)
{
	assert_rc(herd_connect(h), RC_OK, &h->err);
	for (size_t i = 0; i < h->inventory.count; i++)
		assert_rc(
			fleet_error(h->fleet, i)->code, RC_OK, fleet_error(h->fleet, i));
}

static void end_fleet(struct herd *h)
{
	fleet_destroy(h->fleet);
	h->fleet = NULL;
}

/* How often a server's log says these words. */
static unsigned count_in_log(const char *words)
{
	char path[160], *text;
	unsigned count = 0;

	snprintf(path, sizeof(path), "%s/sshd.log", site.folder);
	text = read_text(path);
	for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
		count++;
	free(text);
	return count;
}

/* ---- kinds of keys */

static void keys_of_every_kind_log_in(void **state)
{
	static const char *const kinds[] = { "-t ed25519", "-t ecdsa -b 256",
		"-t ecdsa -b 384", "-t ecdsa -b 521", "-t ecdsa -b 521 -m PEM",
		"-t rsa -b 2048", "-t rsa -b 3072 -m PKCS8" };
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strstr(kinds[i], "rsa") && !transport_libssh2.has_modern_rsa())
			continue; /* ssh/fleet has what is said then */
		snprintf(path, sizeof(path), "%s/kind%zu", site.folder, i);
		test_run("ssh-keygen -q %s -N '' -f %s && cat %s.pub >>%s/authorized",
			kinds[i], path, path, site.folder);
		h.identities[0] = path;
		assert_all_in(&h);
		end_fleet(&h);
	}
	server_stop(&s);
}

/* libssh2 1.11 could offer no other key behind it. */
static void an_rsa_key_that_a_server_never_takes_comes_last(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){
			    SERVER_SSHD, 0, "PubkeyAcceptedAlgorithms ssh-ed25519\n" });

	(void)state;
	h.identities[0] = site.rsa_key;
	h.identities[1] = site.user_key;
	h.settings.identity_files.count = 2;
	assert_all_in(&h);
	end_fleet(&h);
	h.settings.identity_files.count = 1;
	/* a server says before or after the attempt that it does not want the key */
	assert_refused(&h, RC_AUTH,
		transport_libssh2.has_modern_rsa() ? h.settings.user
						   : "only RSA keys were tried");
	herd_end(&h, &s);
}

static void the_key_that_fits_one_node_is_offered_first_to_the_others(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0, "LogLevel VERBOSE\n" });
	unsigned before;

	(void)state;
	while (h.inventory.count < 5)
		herd_add(&h, &s);
	h.identities[0] = site.other_user_key;
	h.identities[1] = site.user_key;
	h.settings.identity_files.count = 2;
	h.options.parallel = 1;
	test_run("touch %s/sshd.log", site.folder);
	before = count_in_log("Failed publickey");
	assert_all_in(&h);
	assert_int_equal(count_in_log("Failed publickey") - before, 1);
	herd_end(&h, &s);
}

static void a_server_that_had_enough_keys_is_quoted(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0, "MaxAuthTries 2\n" });
	char none[3][128];

	(void)state;
	for (int i = 0; i < 3; i++) {
		snprintf(none[i], sizeof(none[i]), "%s/try%d", site.folder, i);
		test_run("ssh-keygen -q -t ed25519 -N '' -f %s", none[i]);
		h.identities[i] = none[i];
	}
	h.settings.identity_files.count = 3;
	assert_refused(
		&h, RC_AUTH, "Too many authentication failures (key 2 was being tried)");
	assert_contains(fleet_error(h.fleet, 0)->text, "IdentitiesOnly");
	herd_end(&h, &s);
}

static void a_server_that_wants_more_than_a_key_is_understood(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0,
			    "AuthenticationMethods publickey,publickey\n" });

	(void)state;
	h.identities[1] = second_key;
	h.settings.identity_files.count = 2;
	assert_refused(&h, RC_AUTH, "it wants more than a key");
	assert_contains(fleet_error(h.fleet, 0)->text,
		"second could not be tried on the same connection");
	herd_end(&h, &s);
}

/* ---- agents that do as they like */

enum agent_manners {
	AGENT_HANGS,   /* lists its key, and never signs */
	AGENT_DIES,    /* when it is to sign */
	AGENT_REFUSES, /* to sign */
	AGENT_LIES,    /* signs with something else */
};

static void send_message(int fd, uint8_t type, const struct buf *body)
{
	struct buf out = buf_with_cap(8192);
	struct bytes all = buf_bytes(body);

	wire_put_number(&out, (uint32_t)all.size + 1);
	buf_append(&out, &type, 1);
	buf_append(&out, all.data, all.size);
	all = buf_bytes(&out);
	if (send(fd, all.data, all.size, MSG_NOSIGNAL) < 0)
		_exit(1);
	buf_destroy(&out);
}

static void answer_list(int fd, struct bytes blob)
{
	struct buf body = buf_with_cap(4096);

	wire_put_number(&body, 1);
	wire_put_string(&body, blob.data, blob.size);
	wire_put_text(&body, "of a test");
	send_message(fd, 12, &body);
	buf_destroy(&body);
}

static void answer_with_a_lie(int fd)
{
	struct buf body = buf_with_cap(4096);
	uint8_t nothing[64] = { 0 };

	wire_put_number(&body, 4 + 11 + 4 + 64);
	wire_put_text(&body, "ssh-ed25519");
	wire_put_string(&body, nothing, sizeof(nothing));
	send_message(fd, 14, &body);
	buf_destroy(&body);
}

static void play_agent(int fd, enum agent_manners manners, struct bytes blob)
{
	const struct buf empty = buf_with_cap(1);
	uint8_t data[8192];

	for (;;) {
		ssize_t n = recv(fd, data, sizeof(data), 0);

		if (n < 5 || (data[4] == 13 && manners == AGENT_DIES))
			_exit(0);
		if (data[4] == 11)
			answer_list(fd, blob);
		else if (manners == AGENT_REFUSES)
			send_message(fd, 5, &empty);
		else if (manners == AGENT_LIES)
			answer_with_a_lie(fd);
	}
}

/* A child that holds the key in its own manner, for one connection. */
static pid_t start_agent(const char *path, enum agent_manners manners, const char *key)
{
	struct arena arena = { 0 };
	int listener = agent_listen(path);
	pid_t pid = fork();

	if (pid == 0) {
		alarm(60);
		play_agent(
			accept(listener, NULL, NULL), manners, keys_public(&arena, key));
	}
	close(listener);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* One node that logs in with the agent's key or, failing that, the second key; and what is
 * said when there is no second key. */
static void with_agent(enum agent_manners manners, bool file_helps, const char *words)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	char socket[128];
	pid_t pid;

	snprintf(socket, sizeof(socket), "%s/odd-agent", site.folder);
	h.settings.agent = socket;
	h.options.connect_timeout_s = 4;
	h.identities[0] = second_key;
	pid = start_agent(socket, manners, site.user_key);
	if (file_helps) {
		assert_all_in(&h);
		end_fleet(&h);
		end_child(pid);
		pid = start_agent(socket, manners, site.user_key);
		h.settings.identity_files.count = 0;
	}
	assert_refused(&h, RC_AUTH, words);
	assert_contains(fleet_error(h.fleet, 0)->text, "no key could be used");
	end_child(pid);
	herd_end(&h, &s);
}

static void an_agent_that_never_signs_gives_way_to_a_file(void **state)
{
	(void)state;
	with_agent(AGENT_HANGS, true, "odd-agent did not answer within 2 s");
}

static void an_agent_that_dies_while_it_signs_gives_way_to_a_file(void **state)
{
	(void)state;
	with_agent(AGENT_DIES, true, "odd-agent does not answer: Connection reset");
}

static void an_agent_that_refuses_to_sign_gives_way_to_a_file(void **state)
{
	(void)state;
	with_agent(AGENT_REFUSES, true, "odd-agent refuses to sign");
}

/* What the agent did is said once, and not of the key that follows. */
static void a_key_behind_an_agent_s_refusal_is_judged_by_itself(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	char socket[128];
	pid_t pid;

	(void)state;
	snprintf(socket, sizeof(socket), "%s/odd-agent", site.folder);
	h.settings.agent = socket;
	h.identities[0] = site.other_user_key;
	pid = start_agent(socket, AGENT_REFUSES, site.user_key);
	assert_refused(&h, RC_AUTH, "with 1 key; the ssh-agent at ");
	end_child(pid);
	herd_end(&h, &s);
}

static void an_agent_that_lies_is_found_out(void **state)
{
	(void)state;
	with_agent(AGENT_LIES, false, "(a wrong signature, or it wants more than a key)");
}

static void an_agent_that_hangs_keeps_nobody_waiting_who_does_not_need_it(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	char socket[128];
	pid_t pid;

	(void)state;
	snprintf(socket, sizeof(socket), "%s/odd-agent", site.folder);
	pid = start_agent(socket, AGENT_HANGS, site.user_key);
	h.options.connect_timeout_s = 60;
	herd_add(&h, &s);
	herd_settle(&h);
	/* the first node asks the agent, and is given up by --deadline */
	h.each[0].agent = socket;
	h.each[0].identity_files.count = 0;
	h.options.deadline_s = 3;
	h.fleet = fleet_new(&h.inventory, &h.options, &h.err);
	assert_non_null(h.fleet);
	herd_ask(&h);
	assert_int_equal(h.answers[0], 0);
	assert_int_equal(h.answers[1], 1);
	assert_int_equal(fleet_error(h.fleet, 0)->code, RC_TIMEOUT);
	end_child(pid);
	herd_end(&h, &s);
}

static void many_nodes_share_one_connection_to_the_agent(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0, "MaxStartups 200\n" });
	struct real_agent agent;

	(void)state;
	while (h.inventory.count < 30)
		herd_add(&h, &s);
	real_agent_start(&agent, "");
	test_run("SSH_AUTH_SOCK=%s ssh-add -q %s %s 2>/dev/null", agent.socket,
		site.other_user_key, site.user_key);
	h.settings.agent = agent.socket;
	h.settings.identity_files.count = 0;
	assert_all_in(&h);
	end_fleet(&h);
	/* of the agent's keys only those of the identity files */
	h.inventory.count = 1;
	h.settings.identity_files.count = 1;
	h.identities[0] = site.other_user_key;
	h.settings.identities_only = true;
	assert_refused(&h, RC_AUTH, "with 1 key");
	real_agent_end(&agent);
	herd_end(&h, &s);
}

/* ---- locked keys */

/* Types the word whenever it is asked for a passphrase (NULL: ends the child then), until
 * the child ends; kills it when it says "up" and that is wanted. */
static int type_at(int terminal, pid_t child, const char *word, bool then_kill)
{
	char text[4096] = "";
	size_t n = 0;
	int status;
	ssize_t got;

	while ((got = read(terminal, text + n, sizeof(text) - 1 - n)) > 0) {
		n += (size_t)got;
		text[n] = '\0';
		if (strstr(text, "UP") && then_kill)
			kill(child, SIGKILL);
		if (!strstr(text, "assphrase") && !strstr(text, "try again"))
			continue;
		if (!word)
			kill(child, SIGTERM);
		else if (write(terminal, word, strlen(word)) < 0)
			break;
		n = 0;
	}
	waitpid(child, &status, 0);
	close(terminal);
	return status;
}

/* In the child, which has a terminal: its exit status says how the run ended. */
static void run_with_terminal(struct herd *h, bool linger)
{
	enum rc rc;

	alarm(60);
	rc = herd_connect(h);
	if (rc != RC_OK) {
		printf("%s\n", h->err.text);
		fflush(stdout);
		_exit(100 + (int)rc);
	}
	if (fleet_error(h->fleet, 0)->code != RC_OK)
		_exit(200);
	if (linger) {
		printf("UP\n");
		fflush(stdout);
		pause();
	}
	fleet_destroy(h->fleet);
	_exit(0);
}

static int unlock_by_typing(const char *word, bool then_kill)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	int terminal, status;
	pid_t child;

	h.identities[0] = site.locked_key;
	setenv("XDG_RUNTIME_DIR", site.folder, 1);
	child = forkpty(&terminal, NULL, NULL, NULL);
	if (child == 0)
		run_with_terminal(&h, then_kill);
	status = type_at(terminal, child, word, then_kill);
	unsetenv("XDG_RUNTIME_DIR");
	server_stop(&s);
	return status;
}

static void a_locked_key_is_unlocked_on_the_terminal_and_nothing_stays(void **state)
{
	int status = unlock_by_typing("secret\n", false);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	test_run("! ls -d %s/cpuherd-agent.* 2>/dev/null", site.folder);
}

static void a_key_that_is_not_unlocked_ends_the_run_before_any_node(void **state)
{
	int status = unlock_by_typing("\n", false);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 100 + RC_INPUT);
	test_run("! ls -d %s/cpuherd-agent.* 2>/dev/null", site.folder);
}

static void the_private_agent_ends_when_we_are_killed(void **state)
{
	int status = unlock_by_typing("secret\n", true);

	(void)state;
	assert_true(WIFSIGNALED(status));
	test_run(
		"for i in $(seq 100); do ls %s/cpuherd-agent.*/socket >/dev/null 2>&1 || "
		"exit 0; sleep 0.1; done; exit 1",
		site.folder);
	test_run("rmdir %s/cpuherd-agent.*", site.folder);
}

static void an_end_while_a_passphrase_is_asked_leaves_nothing_behind(void **state)
{
	static const char *const ways[] = { "\003" /* Ctrl-C */, NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		int status = unlock_by_typing(ways[i], false);

		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 100 + RC_INTERRUPTED);
		test_run("! ls -d %s/cpuherd-agent.* 2>/dev/null", site.folder);
		test_run("! pgrep -f '[s]sh-add .*%s'", site.locked_key);
	}
}

static int login_make(void **state)
{
	int status = herd_make(state);

	snprintf(second_key, sizeof(second_key), "%s/second", site.folder);
	test_run("ssh-keygen -q -t ed25519 -N '' -f %s && cat %s.pub >>%s/authorized",
		second_key, second_key, site.folder);
	return status;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_every_kind_log_in),
		cmocka_unit_test(an_rsa_key_that_a_server_never_takes_comes_last),
		cmocka_unit_test(
			the_key_that_fits_one_node_is_offered_first_to_the_others),
		cmocka_unit_test(a_server_that_had_enough_keys_is_quoted),
		cmocka_unit_test(a_server_that_wants_more_than_a_key_is_understood),
		cmocka_unit_test(an_agent_that_never_signs_gives_way_to_a_file),
		cmocka_unit_test(an_agent_that_dies_while_it_signs_gives_way_to_a_file),
		cmocka_unit_test(an_agent_that_refuses_to_sign_gives_way_to_a_file),
		cmocka_unit_test(a_key_behind_an_agent_s_refusal_is_judged_by_itself),
		cmocka_unit_test(an_agent_that_lies_is_found_out),
		cmocka_unit_test(
			an_agent_that_hangs_keeps_nobody_waiting_who_does_not_need_it),
		cmocka_unit_test(many_nodes_share_one_connection_to_the_agent),
		cmocka_unit_test(
			a_locked_key_is_unlocked_on_the_terminal_and_nothing_stays),
		cmocka_unit_test(a_key_that_is_not_unlocked_ends_the_run_before_any_node),
		cmocka_unit_test(
			an_end_while_a_passphrase_is_asked_leaves_nothing_behind),
		cmocka_unit_test(the_private_agent_ends_when_we_are_killed),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, login_make, herd_unmake);
}
