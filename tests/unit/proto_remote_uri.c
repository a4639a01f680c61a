/* Which URIs a node takes to migrate a trial guest to: closed lists, whatever is sent. */
#include "proto/remote_uri.h"
#include "tests/support/test.h"

static enum rc read_uri(const char *uri, struct remote_uri *out, struct err *e)
{
	static struct arena arena;

	return remote_uri_read(uri, &arena, out, e);
}

static void uris_of_libvirts_own_transports_are_taken_apart(void **state)
{
	static const struct {
		const char *uri, *host;
		uint32_t port;
		bool by_ssh;
	} rows[] = {
		{ "qemu+ssh://node02/system", "node02", 22, true },
		{ "qemu+ssh://root@node02.example.org:2222/system", "node02.example.org",
			2222, true },
		{ "qemu+tls://node02/system", "node02", 16514, false },
		{ "qemu://node02/system", "node02", 16514, false },
		{ "qemu+tcp://10.99.0.12/system", "10.99.0.12", 16509, false },
		{ "qemu+tcp://[fe80::1]:16510/session", "fe80::1", 16510, false },
		{ "qemu+tls://[::1]/system?no_verify=1&pkipath=/etc/pki/x", "::1", 16514,
			false },
		{ "qemu+ssh://n/system?keyfile=/root/.ssh/id&no_tty=1", "n", 22, true },
		{ "qemu+tls://n/system?tls_priority=NORMAL:-VERS-SSL3.0", "n", 16514,
			false },
		{ "qemu+ssh://n/session?mode=legacy", "n", 22, true },
		{ "qemu+ssh://n/system?", "n", 22, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct remote_uri uri;
		struct err e;

		assert_rc(read_uri(rows[i].uri, &uri, &e), RC_OK, &e);
		assert_string_equal(uri.host, rows[i].host);
		assert_int_equal(uri.port, rows[i].port);
		assert_int_equal(uri.by_ssh, rows[i].by_ssh);
	}
}

static void what_is_on_no_list_is_refused_in_words(void **state)
{
	static const struct {
		const char *uri, *words;
	} rows[] = {
		{ "", "does not begin with" },
		{ "node02", "does not begin with" },
		{ "qemu:///system", "no [user@]host" },
		{ "qemu+ext://node02/system?command=/bin/sh", "does not begin with" },
		{ "qemu+unix://node02/system", "does not begin with" },
		{ "test+ssh://node02/default", "does not begin with" },
		{ "QEMU+SSH://node02/system", "does not begin with" },
		{ "qemu+ssh://node02/system?command=/tmp/x", "\"command\"" },
		{ "qemu+ssh://node02/system?no_tty=1&netcat=/tmp/x", "\"netcat\"" },
		{ "qemu+ssh://node02/system?socket=/run/x", "\"socket\"" },
		{ "qemu+ssh://node02/system?proxy=netcat", "\"proxy\"" },
		{ "qemu+ssh://node02/system?name=test:///default", "\"name\"" },
		{ "qemu+ssh://node02/system?COMMAND=/tmp/x", "\"COMMAND\"" },
		{ "qemu+ssh://node02/system?%63ommand=/tmp/x", "is not accepted" },
		{ "qemu+ssh://node02/system?no_tty=1;command=/tmp/x", "0 or 1" },
		{ "qemu+ssh://node02/system?keyfile=id", "an absolute path" },
		{ "qemu+ssh://node02/system?keyfile=/a%20b", "an absolute path" },
		{ "qemu+ssh://node02/system?keyfile", "an absolute path" },
		{ "qemu+ssh://node02/system?no_verify=", "0 or 1" },
		{ "qemu+ssh://-oProxyCommand=x/system", "no [user@]host" },
		{ "qemu+ssh://-x@node02/system", "no [user@]host" },
		{ "qemu+ssh://a@b@node02/system", "no [user@]host" },
		{ "qemu+ssh://node02 /system", "no [user@]host" },
		{ "qemu+ssh://node02:/system", "no [user@]host" },
		{ "qemu+ssh://node02:0/system", "no [user@]host" },
		{ "qemu+ssh://node02:65536/system", "no [user@]host" },
		{ "qemu+ssh://node02:0x16/system", "no [user@]host" },
		{ "qemu+ssh://fe80::1/system", "no [user@]host" },
		{ "qemu+ssh://[fe80::1/system", "no [user@]host" },
		{ "qemu+ssh://[node02]/system", "no [user@]host" },
		{ "qemu+ssh://[::1]22/system", "no [user@]host" },
		{ "qemu+ssh://node02?command=x", "/system or /session" },
		{ "qemu+ssh://node02", "/system or /session" },
		{ "qemu+ssh://node02/", "/system or /session" },
		{ "qemu+ssh://node02/sys", "/system or /session" },
		{ "qemu+ssh://node02/system/x", "/system or /session" },
		{ "qemu+ssh://node02/system#x", "/system or /session" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct remote_uri uri;
		struct err e = { 0 };

		if (read_uri(rows[i].uri, &uri, &e) != RC_USAGE)
			fail_msg("not refused: %s", rows[i].uri);
		assert_contains(e.text, rows[i].words);
	}
}

static void one_that_is_longer_than_the_cap_is_refused(void **state)
{
	char uri[REMOTE_URI_MAX + 64] = "qemu+ssh://node02/system?keyfile=/";
	struct remote_uri out;
	struct err e;

	(void)state;
	memset(uri + strlen(uri), 'x', sizeof(uri) - strlen(uri) - 1);
	assert_rc(read_uri(uri, &out, &e), RC_USAGE, &e);
}

/* ---- at random */

struct pieces {
	const char *const *item;
	uint32_t count;
};

#define PIECES(...) \
	{ \
		(const char *const[]){ __VA_ARGS__ }, \
			sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *) \
	}

static const struct pieces begins = PIECES("qemu+ssh://node02/system?",
	"qemu+tls://root@[::1]:22/session?", "qemu://n/system", "qemu+ext://n/system?");
static const struct pieces names = PIECES("no_tty", "no_verify", "mode", "command",
	"netcat", "socket", "proxy", "name", "keyfile", "%63ommand", "Command");
static const struct pieces values = PIECES(
	"1", "0", "auto", "/tmp/x", "", "x;command=/x");
static const struct pieces betweens = PIECES("=", "=", "=", "=", "&", "?", "", "#");
static const struct pieces ends = PIECES("&", "&", "&", "&&", ";", "\n", "", "?");

static void add_one(char *uri, const struct pieces *from, uint64_t *seed)
{
	strcat(uri, from->item[test_random(seed) % from->count]);
}

static void make_uri(char *uri, uint64_t *seed)
{
	uint32_t parameters = 1 + test_random(seed) % 3;

	*uri = '\0';
	add_one(uri, &begins, seed);
	for (uint32_t i = 0; i < parameters; i++) {
		if (i)
			add_one(uri, &ends, seed);
		add_one(uri, &names, seed);
		add_one(uri, &betweens, seed);
		add_one(uri, &values, seed);
	}
}

static void no_accepted_uri_names_a_program_or_a_socket(void **state)
{
	static const char *const never[] = { "command", "Command", "netcat", "socket",
		"proxy", "name", "ext:", "%", ";", "#", "\n", NULL };
	uint64_t seed = 6;
	unsigned accepted = 0;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		struct arena arena = { 0 };
		struct remote_uri out;
		char uri[256];
		struct err e;

		make_uri(uri, &seed);
		if (remote_uri_read(uri, &arena, &out, &e) == RC_OK) {
			accepted++;
			for (const char *const *part = never; *part; part++)
				if (strstr(uri, *part))
					fail_msg("accepted: %s", uri);
		}
		arena_destroy(&arena);
	}
	assert_true(accepted > 100);
}

static void memory_goes_by_tcp_to_a_host_and_nowhere_else(void **state)
{
	static const char *const good[] = { "tcp://node02", "tcp://10.0.0.2:49152",
		"tcp://[fe80::1]", "tcp://[fe80::1]:49152" };
	static const char *const bad[] = { "tcp://", "tcp:node02", "node02:49152",
		"unix:///tmp/x", "exec:sh", "tcp://node02/x", "tcp://node02:", "tcp://-x",
		"fd:3", "tls://node02", "tcp://node02:49152,x" };
	uint32_t port;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_rc(remote_uri_read_data(good[i], &port, &e), RC_OK, &e);
		assert_int_equal(port, strstr(good[i], ":49152") ? 49152 : 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (remote_uri_read_data(bad[i], &port, &e) != RC_USAGE)
			fail_msg("not refused: %s", bad[i]);
	assert_rc(remote_uri_read_data("rdma://node02", &port, &e), RC_USAGE, &e);
	assert_contains(e.text, "rdma wants");
}

static void an_address_to_listen_on_has_no_port(void **state)
{
	static const char *const good[] = { "0.0.0.0", "10.0.0.2", "::", "fe80::1",
		"node02" };
	static const char *const bad[] = { "", "10.0.0.2:49152", "[::1]", "-x", "a b",
		"tcp://x" };
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_rc(remote_uri_check_listen(good[i], &e), RC_OK, &e);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (remote_uri_check_listen(bad[i], &e) != RC_USAGE)
			fail_msg("not refused: \"%s\"", bad[i]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(uris_of_libvirts_own_transports_are_taken_apart),
		cmocka_unit_test(what_is_on_no_list_is_refused_in_words),
		cmocka_unit_test(one_that_is_longer_than_the_cap_is_refused),
		cmocka_unit_test(no_accepted_uri_names_a_program_or_a_socket),
		cmocka_unit_test(memory_goes_by_tcp_to_a_host_and_nowhere_else),
		cmocka_unit_test(an_address_to_listen_on_has_no_port),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
