/* Our verdict on a host key against ssh's own, line by odd line. */
#include <stdlib.h>
#include <sys/wait.h>

#include "coordinator/net/base64.h"
#include "coordinator/net/known_hosts.h"
#include "tests/ssh/server.h"
#include "tests/support/known.h"
#include "tests/support/test.h"

static struct site site;
static struct arena arena;
static uint64_t dice = 1;
static char key[KNOWN_KEY_MAX], other[KNOWN_KEY_MAX],
	rsa[KNOWN_KEY_MAX]; /* "type blob" of the three */

/* In a text: K is the server's key, O another one of its type, R an RSA key,
 * {name} the hash of a name.  Y known, N not known, C changed, X revoked. */
static const struct odd_line {
	const char *text, *host;
	uint16_t port;
	char verdict;
} odd_lines[] = {
	{ "", "a", 22, 'N' },
	{ "a K\n", "a", 22, 'Y' },
	{ "a K", "a", 22, 'Y' },
	{ "a K comment with words\n", "a", 22, 'Y' },
	{ "  \t a   K\n", "a", 22, 'Y' },
	{ "a\tK\n", "a", 22, 'Y' },
	{ "a K\r\n", "a", 22, 'Y' },
	{ "#a K\n", "a", 22, 'N' },
	{ "  # a K\n", "a", 22, 'N' },
	{ "A K\n", "a", 22, 'Y' },
	{ "a K\n", "A", 22, 'Y' },
	{ "ab K\n", "a", 22, 'N' },
	{ "a O\n", "a", 22, 'C' },
	{ "a R\n", "a", 22, 'C' },
	{ "b O\n", "a", 22, 'N' },
	{ "a O\na K\n", "a", 22, 'Y' },
	{ "a K\na O\n", "a", 22, 'Y' },
	{ "b,a K\n", "a", 22, 'Y' },
	{ "b,a,c K\n", "c", 22, 'Y' },
	{ "b, a K\n", "a", 22, 'N' },
	{ "* K\n", "a", 22, 'Y' },
	{ "*.example K\n", "n.example", 22, 'Y' },
	{ "*.example K\n", "example", 22, 'N' },
	{ "n?.example K\n", "n1.example", 22, 'Y' },
	{ "n?.example K\n", "n.example", 22, 'N' },
	{ "n*e* K\n", "node.example", 22, 'Y' },
	{ "*,!a K\n", "a", 22, 'N' },
	{ "!a,* K\n", "a", 22, 'N' },
	{ "!b,* K\n", "a", 22, 'Y' },
	{ "!b K\n", "a", 22, 'N' },
	{ "!a O\n* K\n", "a", 22, 'Y' },
	{ "[a]:2222 K\n", "a", 2222, 'Y' },
	{ "[a]:2222 K\n", "a", 22, 'N' },
	{ "[a]:2222 K\n", "a", 2223, 'N' },
	{ "[a]:22 K\n", "a", 22, 'N' },
	{ "[*]:2222 K\n", "a", 2222, 'Y' },
	{ "[a]:* K\n", "a", 2222, 'Y' },
	{ "* K\n", "a", 2222, 'Y' },
	{ "a K\n", "a", 2222, 'N' },
	{ "{a} K\n", "a", 22, 'Y' },
	{ "{a} K\n", "b", 22, 'N' },
	{ "{a} O\n", "a", 22, 'C' },
	{ "{[a]:2222} K\n", "a", 2222, 'Y' },
	{ "{[a]:2222} K\n", "a", 22, 'N' },
	{ "{a},b K\n", "b", 22, 'N' },
	{ "|1|broken|hash K\n", "a", 22, 'N' },
	{ "|2|AAAA|BBBB K\na K\n", "a", 22, 'Y' },
	{ "@revoked a K\n", "a", 22, 'X' },
	{ "a K\n@revoked a K\n", "a", 22, 'X' },
	{ "@revoked a K\na K\n", "a", 22, 'X' },
	{ "@revoked * K\na K\n", "a", 22, 'X' },
	{ "@revoked {a} K\na K\n", "a", 22, 'X' },
	{ "@revoked a O\na K\n", "a", 22, 'Y' },
	{ "@revoked a O\n", "a", 22, 'N' },
	{ "@revoked b K\na K\n", "a", 22, 'Y' },
	{ "@cert-authority a K\n", "a", 22, 'N' },
	{ "@cert-authority a O\n", "a", 22, 'N' },
	{ "@cert-authority a O\na K\n", "a", 22, 'Y' },
	{ "@unknown a K\n", "a", 22, 'N' },
	{ "@revoked\n", "a", 22, 'N' },
	{ "a\n", "a", 22, 'N' },
	{ "a ssh-ed25519\n", "a", 22, 'N' },
	{ "a ssh-ed25519 AAAA\n", "a", 22, 'N' },
	{ "a ssh-ed25519 !!!!\na K\n", "a", 22, 'Y' },
	{ "garbage\n\n\na K\n", "a", 22, 'Y' },
	{ "a 1024 35 1234567\na K\n", "a", 22, 'Y' },
	{ "a ssh-new AAAAB3NzaC1uZXc=\n", "a", 22, 'N' },
	{ "fe80::1 K\n", "fe80::1", 22, 'Y' },
	{ "[fe80::1]:2222 K\n", "fe80::1", 2222, 'Y' },
	{ "10.0.0.* K\n", "10.0.0.7", 22, 'Y' },
};

/* Puts keys and hashes into a text. */
static void expand(const char *text, char out[static 8192])
{
	*out = '\0';
	for (; *text; text++) {
		if (text[0] == 'K')
			strcat(out, key);
		else if (text[0] == 'O')
			strcat(out, other);
		else if (text[0] == 'R')
			strcat(out, rsa);
		else if (text[0] == '{') {
			size_t n = strcspn(text + 1, "}");
			const char *name = arena_text_n(&arena, text + 1, n);

			strcat(out, known_hashed_word(&arena, &dice, name));
			text += n + 1;
		} else
			strncat(out, text, 1);
	}
}

static struct bytes blob_of(const char *key_text, uint8_t *room)
{
	const char *base64 = strchr(key_text, ' ') + 1;
	size_t size;

	assert_true(base64_decode(base64, strlen(base64), room, &size));
	return (struct bytes){ room, size };
}

static char our_verdict(const struct odd_line *row, const char *text)
{
	static const char letters[] = { [KNOWN_YES] = 'Y',
		[KNOWN_NOT] = 'N',
		[KNOWN_CHANGED] = 'C',
		[KNOWN_IS_REVOKED] = 'X' };
	struct arena mine = { NULL };
	char name[KNOWN_NAME_MAX], any_port[KNOWN_NAME_MAX];
	struct known_hosts known, *file = &known;
	struct known_query q = { &file, 1, name, any_port };
	struct known_answer answer;
	uint8_t room[512];
	struct err e;

	known_hosts_init(&known, &mine, NULL, NULL);
	assert_rc(known_hosts_add(&known, "f",
			  (struct bytes){ (const uint8_t *)text, strlen(text) }, &e),
		RC_OK, &e);
	known_name(row->host, row->port, name);
	known_name(row->host, 22, any_port);
	assert_rc(known_hosts_check(&q, blob_of(key, room), &answer, &e), RC_OK, &e);
	arena_destroy(&mine);
	return letters[answer.verdict];
}

/* What ssh does with the server that shows K, when it is called with these arguments. */
static char ssh_verdict(const char *arguments)
{
	char path[128], verdict = 'Y';
	char *log;

	test_run("cd %s && ssh -F none -i user -o UserKnownHostsFile=known "
		 "-o GlobalKnownHostsFile=none -o BatchMode=yes "
		 "-o StrictHostKeyChecking=yes -o UpdateHostKeys=no "
		 "-o KexAlgorithms=curve25519-sha256 "
		 "-o ProxyCommand='/usr/sbin/sshd -i -f sshd.conf -E sshd.log' %s true "
		 "</dev/null >log 2>&1 || true",
		site.folder, arguments);
	snprintf(path, sizeof(path), "%s/log", site.folder);
	log = read_text(path);
	if (strstr(log, "REVOKED") || strstr(log, "revoked"))
		verdict = 'X';
	else if (strstr(log, "HAS CHANGED"))
		verdict = 'C';
	else if (strstr(log, "host key is known for"))
		verdict = 'N';
	else if (strstr(log, "failed"))
		verdict = '?';
	free(log);
	return verdict;
}

/* The file of the row; its text as well. */
static void write_known(const struct odd_line *row, char text[static 8192])
{
	char path[128];

	expand(row->text, text);
	snprintf(path, sizeof(path), "%s/known", site.folder);
	test_write_file(path, text);
}

/* The name is given to ssh as the alias that it looks up. */
static void every_odd_line_is_judged_as_ssh_judges_it(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(odd_lines) / sizeof(*odd_lines); i++) {
		const struct odd_line *row = &odd_lines[i];
		char text[8192], name[KNOWN_NAME_MAX], arguments[512];
		char ours, theirs;

		write_known(row, text);
		known_name(row->host, row->port, name);
		snprintf(arguments, sizeof(arguments), "-o HostKeyAlias='%s' x", name);
		ours = our_verdict(row, text);
		theirs = ssh_verdict(arguments);
		if (ours == row->verdict && theirs == ours)
			continue;
		wrong++;
		print_error("%s port %u with \"%s\": expected %c, ours %c, ssh %c\n",
			row->host, row->port, row->text, row->verdict, ours, theirs);
	}
	assert_int_equal(wrong, 0);
}

/* Where we differ from ssh, and how: ours is never the more trusting one. */
static const struct stricter_line {
	struct odd_line line;
	char ssh;
} stricter_lines[] = {
	/* ssh takes an entry without a port for one of every port */
	{ { "a K\n", "a", 2222, 'N' }, 'Y' },
	{ { "{a} K\n", "a", 2222, 'N' }, 'Y' },
	{ { "a O\n", "a", 2222, 'N' }, 'N' },
	/* but not when it revokes, where the port has an entry of its own */
	{ { "@revoked a K\n[a]:2222 K\n", "a", 2222, 'X' }, 'Y' },
	{ { "@revoked {a} K\n[a]:2222 K\n", "a", 2222, 'X' }, 'Y' },
	{ { "@revoked a K\n", "a", 2222, 'X' }, 'X' },
	{ { "@revoked [a]:2222 K\n[a]:2222 K\n", "a", 2222, 'X' }, 'X' },
	{ { "@revoked [a]:2222 K\na K\n", "a", 22, 'Y' }, 'Y' },
	/* ssh reads a marker up to a blank, so a tab makes the line void */
	{ { "@revoked\ta K\na K\n", "a", 22, 'X' }, 'Y' },
	{ { "@revoked\ta\tK\na K\n", "a", 22, 'X' }, 'Y' },
	{ { "A K\n", "A", 2222, 'N' }, 'Y' },
	{ { "[A]:2222 K\n", "A", 2222, 'Y' }, 'Y' },
};

static void what_is_not_judged_as_ssh_does_is_judged_more_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stricter_lines) / sizeof(*stricter_lines); i++) {
		const struct odd_line *row = &stricter_lines[i].line;
		char text[8192], arguments[512];
		char ours, theirs;

		write_known(row, text);
		snprintf(
			arguments, sizeof(arguments), "-p %u '%s'", row->port, row->host);
		ours = our_verdict(row, text);
		theirs = ssh_verdict(arguments);
		if (ours != row->verdict || theirs != stricter_lines[i].ssh)
			fail_msg("%s port %u with \"%s\": ours %c, ssh %c", row->host,
				row->port, row->text, ours, theirs);
	}
}

/* ssh-keygen -F finds a host exactly where we know one of its keys. */
static void every_odd_line_is_found_as_ssh_keygen_finds_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(odd_lines) / sizeof(*odd_lines); i++) {
		const struct odd_line *row = &odd_lines[i];
		char text[8192], name[KNOWN_NAME_MAX], command[512];
		bool found;

		/* it prints what is marked, and broken keys, as well */
		if (strchr(row->text, '@') || strstr(row->text, "ssh-"))
			continue;
		write_known(row, text);
		known_name(row->host, row->port, name);
		snprintf(command, sizeof(command),
			"ssh-keygen -F '%s' -f %s/known >/dev/null 2>&1", name,
			site.folder);
		found = system(command) == 0;
		if (found != (row->verdict != 'N'))
			fail_msg("\"%s\": ssh-keygen %s %s", row->text,
				found ? "finds" : "does not find", name);
	}
}

static int make(void **state)
{
	char path[128], config[512];

	(void)state;
	site_make(&site, true);
	known_read_key(site.host_key, key);
	known_read_key(site.other_host_key, other);
	known_read_key(site.rsa_key, rsa);
	snprintf(path, sizeof(path), "%s/sshd.conf", site.folder);
	snprintf(config, sizeof(config),
		"HostKey %s\nAuthorizedKeysFile %s/authorized\nStrictModes no\nUsePAM "
		"no\n"
		"PidFile none\nPermitRootLogin yes\nSetEnv HOME=%s\n",
		site.host_key, site.folder, site.home);
	test_write_file(path, config);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	arena_destroy(&arena);
	site_remove(&site);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_odd_line_is_judged_as_ssh_judges_it),
		cmocka_unit_test(what_is_not_judged_as_ssh_does_is_judged_more_strictly),
		cmocka_unit_test(every_odd_line_is_found_as_ssh_keygen_finds_it),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, unmake);
}
