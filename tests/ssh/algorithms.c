/* Servers and keys that a libssh2 before 1.11 cannot cope with: they work, or the old
 * library is named as the cause.  Built once for each libssh2 that is here. */
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/net/transport.h"
#include "tests/ssh/herd.h"
#include "tests/support/test.h"

/* libssh2 1.11.1 forgets to free two keys for MACs, 96 bytes, of a connection that has GCM
 * and so no MAC.  LeakSanitizer looks for a function of this name. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:curve25519_sha256\n";
}

/* Has the libssh2 here all that this one had? */
static bool is_at_least(const char *version)
{
	return strverscmp(LIBSSH2_EXPECTED, version) >= 0;
}

static void the_libssh2_is_the_one_that_was_meant(void **state)
{
	(void)state;
	assert_string_equal(transport_version(), LIBSSH2_EXPECTED);
	assert_int_equal(transport_lacks() == NULL, is_at_least("1.11.1"));
}

/* The one node is asked for its facts, and answers. */
static void assert_answers(struct herd *h)
{
	assert_rc(herd_connect(h), RC_OK, &h->err);
	assert_rc(fleet_error(h->fleet, 0)->code, RC_OK, fleet_error(h->fleet, 0));
	assert_rc(herd_ask(h), RC_OK, &h->err);
	assert_int_equal(h->answers[0], 1);
}

/* ---- servers */

#define AEAD "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com"
#define ETM \
	"hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,umac-128-etm@" \
	"openssh.com"
#define RSA_ONLY "HostKey %s/rsa-host\nHostKeyAlgorithms "

static const struct choosy {
	const char *config;   /* %s: the site's folder */
	const char *host_key; /* which of the site's */
	const char *since;    /* the libssh2 that can */
	const char *words;    /* what an older one says */
} choosy[] = {
	{ "KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org\n"
	  "HostKeyAlgorithms ssh-ed25519\nCiphers " AEAD "\nMACs " ETM "\n",
		"host", "1.11.0", "no common cipher: the server offers only " AEAD },
	{ "Ciphers aes256-gcm@openssh.com,aes128-gcm@openssh.com\n", "host", "1.11.0",
		"aes256-gcm@openssh.com came with 1.11.0" },
	/* GCM needs no MAC in common (ChaCha20 neither, but libssh2 1.11.1 asks for one) */
	{ "Ciphers aes128-gcm@openssh.com\nMACs umac-128-etm@openssh.com\n", "host",
		"1.11.0", "aes128-gcm@openssh.com came with 1.11.0" },
	{ "Ciphers chacha20-poly1305@openssh.com\n", "host", "1.11.1",
		"chacha20-poly1305@openssh.com came with 1.11.1" },
	{ "Ciphers aes256-ctr\nMACs hmac-sha2-256-etm@openssh.com\n", "host", "1.11.0",
		"no common MAC: the server offers only hmac-sha2-256-etm@openssh.com" },
	{ "Ciphers aes128-ctr\nMACs hmac-sha2-512-etm@openssh.com\n", "host", "1.11.0",
		"hmac-sha2-512-etm@openssh.com came with 1.11.0" },
	{ RSA_ONLY "rsa-sha2-512\n", "rsa-host", "1.11.0",
		"no common host key type: the server offers only rsa-sha2-512, and the "
		"libssh2 here, " LIBSSH2_EXPECTED ", is too old" },
	{ RSA_ONLY "rsa-sha2-256\n", "rsa-host", "1.11.0",
		"rsa-sha2-256 came with 1.11.0" },
};

static void a_choosy_server_answers_or_the_old_libssh2_is_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(choosy) / sizeof(*choosy); i++) {
		char config[1024], key[96];
		struct server_options options = { SERVER_SSHD, 0, config };
		struct server s;
		struct herd h;

		snprintf(config, sizeof(config), choosy[i].config, site.folder);
		snprintf(key, sizeof(key), "%s/%s", site.folder, choosy[i].host_key);
		s = server_start(&site, &options);
		herd_init(&h);
		herd_add(&h, &s);
		trust(&h, &s, key);
		if (is_at_least(choosy[i].since)) {
			assert_answers(&h);
		} else {
			assert_refused(&h, RC_SSH, choosy[i].words);
			assert_contains(fleet_error(h.fleet, 0)->text, "is too old");
		}
		herd_end(&h, &s);
	}
}

/* Post-quantum only: no libssh2 has it. */
static void a_server_that_no_libssh2_can_please_is_told_what_to_allow(void **state)
{
	struct herd h;
	struct server s = herd_one(
		&h, &(struct server_options){ SERVER_SSHD, 0,
			    "KexAlgorithms sntrup761x25519-sha512@openssh.com\n" });

	(void)state;
	assert_refused(
		&h, RC_SSH, "the server offers only sntrup761x25519-sha512@openssh.com");
	assert_contains(fleet_error(h.fleet, 0)->text,
		"let its sshd take one of curve25519-sha256, ");
	assert_contains(fleet_error(h.fleet, 0)->text, "(KexAlgorithms in sshd_config)");
	herd_end(&h, &s);
}

/* ---- keys */

static const char *const user_keys[] = { "user", "ecdsa256", "ecdsa384", "ecdsa521",
	"rsa" };

/* Logs in with that key, from a file or an agent. */
static void assert_lets_in(struct herd *h, const char *name)
{
	if (strcmp(name, "rsa") == 0 && !is_at_least("1.11.0"))
		assert_refused(h, RC_AUTH,
			"only RSA keys were tried, and the libssh2 here is too old");
	else
		assert_answers(h);
}

static void a_key_file_of_every_type_logs_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(user_keys) / sizeof(*user_keys); i++) {
		struct herd h;
		struct server s = herd_one(
			&h, &(struct server_options){ SERVER_SSHD, 0, NULL });
		char path[96];

		snprintf(path, sizeof(path), "%s/%s", site.folder, user_keys[i]);
		h.identities[0] = path;
		assert_lets_in(&h, user_keys[i]);
		herd_end(&h, &s);
	}
}

static void an_agent_logs_in_with_a_key_of_every_type(void **state)
{
	struct real_agent agent;

	(void)state;
	real_agent_start(&agent, "");
	for (size_t i = 0; i < sizeof(user_keys) / sizeof(*user_keys); i++) {
		struct herd h;
		struct server s = herd_one(
			&h, &(struct server_options){ SERVER_SSHD, 0, NULL });

		test_run("SSH_AUTH_SOCK=%s ssh-add -q -D && "
			 "SSH_AUTH_SOCK=%s ssh-add -q %s/%s",
			agent.socket, agent.socket, site.folder, user_keys[i]);
		setenv("SSH_AUTH_SOCK", agent.socket, 1);
		h.settings.agent = agent.socket;
		h.settings.identity_files.count = 0;
		assert_lets_in(&h, user_keys[i]);
		unsetenv("SSH_AUTH_SOCK");
		herd_end(&h, &s);
	}
	real_agent_end(&agent);
}

static int make_keys(void **state)
{
	if (herd_make(state) != 0)
		return -1;
	test_run("cd %s && for bits in 256 384 521; do "
		 "ssh-keygen -q -t ecdsa -b $bits -N '' -C test -f ecdsa$bits; done && "
		 "ssh-keygen -q -t rsa -b 2048 -N '' -C test -f rsa-host && "
		 "cat ecdsa*.pub >>authorized",
		site.folder);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_libssh2_is_the_one_that_was_meant),
		cmocka_unit_test(
			a_choosy_server_answers_or_the_old_libssh2_is_the_reason),
		cmocka_unit_test(
			a_server_that_no_libssh2_can_please_is_told_what_to_allow),
		cmocka_unit_test(a_key_file_of_every_type_logs_in),
		cmocka_unit_test(an_agent_logs_in_with_a_key_of_every_type),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make_keys, herd_unmake);
}
