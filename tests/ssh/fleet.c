/* The whole road from a node's name to its peer's answers, against real sshds. */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "coordinator/net/fleet.h"
#include "proto/frame.h"
#include "tests/ssh/server.h"
#include "tests/support/test.h"

static struct site site;

enum { NODES_MAX = 64 };

/* One run of cpuherd's network side. */
struct herd {
	struct inventory_node nodes[NODES_MAX];
	struct inventory inventory;
	struct fleet_options options;
	const char *identities[12], *known_hosts[2];
	char record[128];
	struct fleet *fleet;
	char hostnames[NODES_MAX][32]; /* from the facts */
	int answers[NODES_MAX];
	struct err err;
};

static void herd_init(struct herd *h)
{
	memset(h, 0, sizeof(*h));
	snprintf(h->record, sizeof(h->record), "%s/known_hosts", site.folder);
	unlink(h->record);
	h->inventory.nodes = h->nodes;
	h->identities[0] = site.user_key;
	h->known_hosts[0] = h->record;
	h->options.identities = h->identities;
	h->options.identity_count = 1;
	h->options.known_hosts = h->known_hosts;
	h->options.known_hosts_count = 1;
	h->options.connect = "";
	h->options.connect_timeout_s = 60;
	h->options.timeout_s = 60;
}

static void herd_add(struct herd *h, const struct server *s)
{
	struct inventory_node *node = &h->nodes[h->inventory.count++];

	node->name = "node";
	node->host = "127.0.0.1";
	node->port = s->port;
}

static void trust(const struct herd *h, const struct server *s, const char *key)
{
	run("(printf '[127.0.0.1]:%u '; cat %s.pub) >>%s", s->port, key, h->record);
}

static enum rc herd_connect(struct herd *h)
{
	h->fleet = fleet_new(&h->inventory, &h->options, NULL, NULL, &h->err);
	if (!h->fleet)
		return h->err.code;
	return fleet_connect(h->fleet, &h->err);
}

/* A server, trusted, one node; connected. */
static struct server herd_one(struct herd *h, const struct server_options *options)
{
	struct server s = server_start(&site, options);

	herd_init(h);
	herd_add(h, &s);
	trust(h, &s, site.host_key);
	return s;
}

static bool ask_facts(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	static const struct ask_facts request = { 0 };

	(void)context;
	(void)node;
	*tag = MESSAGE_ask_facts;
	*value = &request;
	return true;
}

static enum rc take_facts(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct herd *h = context;
	const struct facts *facts = m->value;

	(void)e;
	assert_int_equal(m->type->tag, MESSAGE_facts);
	snprintf(h->hostnames[node], sizeof(h->hostnames[node]), "%s", facts->hostname);
	h->answers[node]++;
	return RC_OK;
}

static const struct fleet_call facts_call = { "facts", ask_facts, take_facts };

static enum rc herd_ask(struct herd *h)
{
	return fleet_round(h->fleet, &facts_call, h, &h->err);
}

static void herd_end(struct herd *h, struct server *s)
{
	fleet_destroy(h->fleet);
	server_stop(s);
}

/* The first node failed with this code and these words. */
static void assert_refused(struct herd *h, enum rc code, const char *words)
{
	const struct err *e;

	assert_rc(herd_connect(h), RC_OK, &h->err);
	assert_false(fleet_is_alive(h->fleet, 0));
	e = fleet_error(h->fleet, 0);
	assert_rc(e->code, code, e);
	assert_contains(e->text, words);
}

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
	run("ssh-keygen -lf %s.pub | cut -d' ' -f2 | tr -d '\\n' >%s/fingerprint",
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
	h.options.accept_new = true;
	herd_add(&h, &s); /* the same server twice: one line */
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_true(fleet_is_alive(h.fleet, 0) && fleet_is_alive(h.fleet, 1));
	fleet_destroy(h.fleet);
	run("test $(wc -l <%s) = 1", h.record);
	run("ssh-keygen -F '[127.0.0.1]:%u' -f %s >/dev/null", s.port, h.record);
	assert_int_equal(stat(h.record, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* the recorded key now speaks against another one */
	run("cp %s %s.keep && cp %s.pub %s.tmp", site.host_key, site.host_key,
		site.other_host_key, site.host_key);
	run("(printf '[127.0.0.1]:%u '; cat %s.tmp) >%s", s.port, site.host_key,
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
	h.options.accept_new = true;
	run("(printf '@revoked * '; cat %s.pub) >>%s", site.host_key, h.record);
	assert_refused(&h, RC_HOSTKEY, "is revoked by");
	assert_contains(fleet_error(h.fleet, 0)->text, "known_hosts:2");
	herd_end(&h, &s);
}

static void the_key_type_that_is_known_is_asked_for(void **state)
{
	struct herd h;
	char config[256];
	struct server_options options = { SERVER_SSHD, 0, config };
	struct server s;

	(void)state;
	run("ssh-keygen -q -t ecdsa -N '' -f %s/ecdsa-host", site.folder);
	snprintf(config, sizeof(config), "HostKey %s/ecdsa-host\n", site.folder);
	s = server_start(&site, &options);
	herd_init(&h);
	herd_add(&h, &s);
	/* left alone, libssh2 would take the ecdsa key */
	trust(&h, &s, site.host_key);
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	fleet_destroy(h.fleet);
	run("(printf '[127.0.0.1]:%u '; cat %s/ecdsa-host.pub) >%s", s.port, site.folder,
		h.record);
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
	h.options.user = "nobody-of-that-name";
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
	h.options.identity_count = 2;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	herd_end(&h, &s);
}

static void no_more_than_six_keys_are_tried(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0, "MaxAuthTries 20\n" });

	(void)state;
	for (int i = 0; i < 7; i++)
		h.identities[i] = i < 6 ? site.other_user_key : site.user_key;
	h.options.identity_count = 7;
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

static void an_rsa_key_works_or_its_refusal_is_explained(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	h.identities[0] = site.rsa_key;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	if (!fleet_is_alive(h.fleet, 0))
		assert_contains(
			fleet_error(h.fleet, 0)->text, "only RSA keys were tried");
	herd_end(&h, &s);
}

static void an_agent_logs_in_and_an_empty_one_gives_way_to_files(void **state)
{
	struct herd h;
	struct server s = herd_one(&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
	char socket[128];
	char *pid, path[160];

	(void)state;
	snprintf(socket, sizeof(socket), "%s/agent", site.folder);
	snprintf(path, sizeof(path), "%s/agent.pid", site.folder);
	run("ssh-agent -a %s | sed -n 's/.*SSH_AGENT_PID=\\([0-9]*\\);.*/\\1/p' >%s",
		socket, path);
	setenv("SSH_AUTH_SOCK", socket, 1);
	h.options.use_agent = true;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	fleet_destroy(h.fleet);

	run("ssh-add -q %s %s 2>/dev/null", site.other_user_key, site.user_key);
	h.options.identity_count = 0;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	fleet_destroy(h.fleet);

	pid = read_text(path);
	kill((pid_t)atoi(pid), SIGTERM);
	free(pid);
	setenv("SSH_AUTH_SOCK", "/nonexistent", 1);
	assert_refused(&h, RC_AUTH, "the ssh-agent does not answer");
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
	h.nodes[0] = (struct inventory_node){ "x", "no such host", NULL, 22 };
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

/* A packaged peer (it comes first) that does what the body says. */
static struct server herd_with_peer(struct herd *h, const char *body)
{
	char config[512], path[160];
	struct server_options options = { SERVER_SSHD, 0, config };
	struct server s;

	snprintf(path, sizeof(path), "%s/cpuherd-peer", site.folder);
	unlink(path);
	test_write_file(path, body);
	chmod(path, 0755);
	snprintf(config, sizeof(config),
		"SetEnv PATH=%s:/usr/bin:/bin HOME=%s XDG_RUNTIME_DIR=%s/empty\n",
		site.folder, site.home, site.folder);
	s = server_start(&site, &options);
	herd_init(h);
	herd_add(h, &s);
	trust(h, &s, site.host_key);
	return s;
}

#define PROTOCOL_1 "#!/bin/sh\n[ $# = 0 ] || { echo 1; exit; }\n"
/* A framed [2, [1, "x", 0]]: welcome. */
#define WELCOME "printf '\\0\\0\\0\\007\\222\\002\\223\\001\\241x\\0'\n"

static void a_packaged_peer_of_this_protocol_is_preferred(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(&h, PROTOCOL_1 "echo from the package >&2");

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
		&h, PROTOCOL_1 "echo \"version 'GLIBC_2.38' not found\" >&2; exit 1");

	(void)state;
	assert_refused(&h, RC_PEER, "version 'GLIBC_2.38' not found");
	herd_end(&h, &s);
}

static void a_peer_that_dies_in_a_round_ends_that_session_only(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(&h,
		PROTOCOL_1 WELCOME "head -c 12 >/dev/null\n"
				   "echo out of memory >&2\n");
	struct server good = server_start(
		&site, &(struct server_options){ SERVER_SSHD, 0, NULL });

	(void)state;
	herd_add(&h, &good);
	trust(&h, &good, site.host_key);
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
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
		&h, PROTOCOL_1 "printf '\\0\\0\\0\\010garbage!'; cat >/dev/null");

	(void)state;
	assert_refused(&h, RC_PROTOCOL, "");
	herd_end(&h, &s);
}

static void a_frame_without_bounds_is_refused(void **state)
{
	struct herd h;
	struct server s = herd_with_peer(&h,
		PROTOCOL_1 "printf '\\377\\377\\377\\377'; cat "
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
	struct server s = herd_with_peer(&h, PROTOCOL_1 WELCOME "cat >/dev/null");

	(void)state;
	h.options.timeout_s = 1;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
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
	snprintf(body, sizeof(body),
		PROTOCOL_1 WELCOME "head -c 12 >/dev/null; cat %s; cat >/dev/null", path);
	s = herd_with_peer(&h, body);
	h.options.timeout_s = 10;
	assert_rc(herd_connect(&h), RC_OK, &h.err);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	assert_rc(fleet_error(h.fleet, 0)->code, RC_OK, fleet_error(h.fleet, 0));
	assert_int_equal(h.answers[0], 1);
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
	struct server s = herd_with_peer(&h, PROTOCOL_1 WELCOME "cat >/dev/null");
	time_t begin = time(NULL);
	bool done = false;

	(void)state;
	h.fleet = fleet_new(&h.inventory, &h.options, interrupt_round, &done, &h.err);
	assert_non_null(h.fleet);
	assert_rc(fleet_connect(h.fleet, &h.err), RC_OK, &h.err);
	assert_rc(herd_ask(&h), RC_INTERRUPTED, &h.err);
	assert_int_equal(fleet_error(h.fleet, 0)->code, RC_INTERRUPTED);
	assert_false(fleet_is_alive(h.fleet, 0));
	assert_true(time(NULL) - begin < 4);
	herd_end(&h, &s);
}

static void interrupt_now(void *context, const struct fleet_progress *p)
{
	bool *done = context;

	if (!*done && strcmp(p->phase, "connect") == 0)
		raise(SIGINT);
	*done = true;
}

static void an_interrupt_stops_connecting_and_refuses_rounds(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SILENT, 0, NULL });
	time_t begin = time(NULL);
	bool done = false;

	(void)state;
	h.fleet = fleet_new(&h.inventory, &h.options, interrupt_now, &done, &h.err);
	assert_non_null(h.fleet);
	assert_rc(fleet_connect(h.fleet, &h.err), RC_INTERRUPTED, &h.err);
	assert_int_equal(fleet_error(h.fleet, 0)->code, RC_INTERRUPTED);
	assert_true(time(NULL) - begin < 4); /* at once, not after a grace */
	assert_rc(herd_ask(&h), RC_INTERRUPTED, &h.err);
	fleet_ignore_interrupt(h.fleet);
	assert_rc(herd_ask(&h), RC_OK, &h.err);
	herd_end(&h, &s);
}

static int make(void **state)
{
	const char *missing;

	(void)state;
	unsetenv("SSH_AUTH_SOCK");
	if (site_make(&site, &missing))
		return 0;
	printf("skipped: %s is missing\n", missing);
	exit(77);
}

static int unmake(void **state)
{
	(void)state;
	if (getenv("KEEP"))
		printf("kept: %s\n", site.folder);
	else
		site_remove(&site);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_asked_for_its_facts_twice),
		cmocka_unit_test(fifty_nodes_are_asked_at_once),
		cmocka_unit_test(an_unknown_host_key_is_refused_with_its_fingerprint),
		cmocka_unit_test(accept_new_records_a_key_and_then_holds_the_node_to_it),
		cmocka_unit_test(a_revoked_host_key_is_refused_although_it_is_known),
		cmocka_unit_test(the_key_type_that_is_known_is_asked_for),
		cmocka_unit_test(a_server_without_a_common_algorithm_is_quoted),
		cmocka_unit_test(a_key_that_the_server_does_not_know_is_refused),
		cmocka_unit_test(a_user_that_does_not_exist_is_refused),
		cmocka_unit_test(keys_are_tried_in_order_until_one_fits),
		cmocka_unit_test(no_more_than_six_keys_are_tried),
		cmocka_unit_test(a_key_with_a_passphrase_is_named),
		cmocka_unit_test(an_rsa_key_works_or_its_refusal_is_explained),
		cmocka_unit_test(an_agent_logs_in_and_an_empty_one_gives_way_to_files),
		cmocka_unit_test(a_key_file_that_is_not_there_stops_before_any_node),
		cmocka_unit_test(a_silent_server_costs_its_time_and_nobody_else),
		cmocka_unit_test(a_server_that_never_stops_greeting_is_cut_off),
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
		cmocka_unit_test(
			an_interrupt_between_rounds_keeps_the_next_from_starting),
		cmocka_unit_test(a_second_interrupt_does_not_wait_for_answers),
		cmocka_unit_test(an_interrupt_stops_connecting_and_refuses_rounds),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, unmake);
}
