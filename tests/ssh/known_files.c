/* Whole known_hosts files, thrown together at random, judged by us and by ssh: two files
 * of the user and one of the system, a server with keys of two types.  Which of these it
 * shows depends on what it is asked for, so the order of algorithms is judged as well. */
#include <stdlib.h>

#include "coordinator/net/base64.h"
#include "coordinator/net/hostalgs.h"
#include "coordinator/net/hostkey.h"
#include "tests/ssh/server.h"
#include "tests/support/known.h"
#include "tests/support/test.h"

enum { FILES = 3, ROUNDS = 100 };

static struct site site;
static struct arena arena;
static uint64_t dice;
static const char *paths[FILES];

/* The server's two keys, and one more of each type. */
enum { SERVER_ED25519, SERVER_RSA, OTHER_ED25519, OTHER_RSA, KEYS };
static char keys[KEYS][KNOWN_KEY_MAX];

/* Who is asked for: a host, or an alias. */
static const struct target {
	const char *host, *alias;
} targets[] = {
	{ "node", NULL },
	{ "Node.example", NULL },
	{ "x", "[node]:2222" },
	{ "x", "Alias" },
	{ "10.1.2.3", NULL },
};

static const char *const words[] = { "node", "node", "NODE", "node,other", "other,node",
	"[node]:2222", "[node]:*", "[*]:2222", "n?de", "n*", "*", "*,!node", "!other,*",
	"!node", "node.example", "*.example", "*.EXAMPLE,!n*", "alias", "Alias", "a*",
	"10.1.2.3", "10.1.*", "10.1.2.?,node", "nod", "node,", ",node", "?" };
static const char *const hashed_names[] = { "node", "node", "[node]:2222", "node.example",
	"alias", "Alias", "10.1.2.3", "other" };
static const char *const odd_lines[] = { "# a comment\n", "\n", "  \t\n", "node\n",
	"node ssh-ed25519\n", "node ssh-ed25519 AAAA\n", "|1|x|y ssh-ed25519 AAAA\n",
	"@strange node ssh-ed25519 AAAA\n", "#node\n", "@revoked\n",
	"node 1024 35 12345\n" };
static const char *const line_ends[] = { "\n", "\n", "\r\n", " \n", " comment\n",
	"\t# two words\r\n" };

#define ANY(list) list[below(sizeof(list) / sizeof(*list))]

static uint32_t below(uint32_t n)
{
	return test_random(&dice) % n;
}

static void throw_line(uint32_t hashed_share, char *text)
{
	static const char *const markers[] = { "@revoked ", "@revoked ",
		"@cert-authority " };
	const char *word = below(10) < hashed_share
				   ? known_hashed_word(&arena, &dice, ANY(hashed_names))
				   : ANY(words);

	if (below(8) == 0)
		strcat(text, ANY(odd_lines));
	sprintf(text + strlen(text), "%s%s%s%s%s%s", below(6) ? "" : " \t",
		below(6) ? "" : ANY(markers), word, below(6) ? " " : "\t ",
		keys[below(KEYS)], ANY(line_ends));
}

/* Returns all of it, to be shown. */
static const char *throw_files(void)
{
	uint32_t hashed_share = below(11);
	const char *all = "";

	for (int f = 0; f < FILES; f++) {
		char text[16 * 1024] = "";

		for (uint32_t n = below(4); n > 0; n--)
			throw_line(hashed_share, text);
		if (*text && !below(4))
			text[strlen(text) - 1] = '\0'; /* the last line has no end */
		test_write_file(paths[f], text);
		all = arena_format(&arena, "%s--- %s\n%s", all, paths[f], text);
	}
	return all;
}

static struct bytes blob_of(int number)
{
	const char *base64 = strchr(keys[number], ' ') + 1;
	uint8_t *room = arena_alloc(&arena, KNOWN_KEY_MAX, 1);
	size_t size;

	assert_true(base64_decode(base64, strlen(base64), room, &size));
	return (struct bytes){ room, size };
}

/* Which key the server shows to one who asks for this list. */
static int shown_for(const char *list)
{
	static const char *const supported[] = { "ssh-ed25519", "rsa-sha2-512" };
	size_t first = strlen(list);
	int shown = -1;

	for (int i = 0; i < 2; i++) {
		const char *at = strstr(list, supported[i]);

		if (at && (size_t)(at - list) < first) {
			first = (size_t)(at - list);
			shown = i;
		}
	}
	assert_true(shown >= 0);
	return shown;
}

static char our_verdict(const struct target *target, int *shown)
{
	static const char *const supported[] = { "ssh-ed25519", "ecdsa-sha2-nistp256",
		"rsa-sha2-512", "rsa-sha2-256", "ssh-rsa", NULL };
	struct ssh_settings node = { .host = target->host,
		.port = 22,
		.host_key_alias = target->alias,
		.known_hosts = { paths, FILES } };
	const char *types[KNOWN_TYPES_MAX + 1];
	struct hostkey_policy policy;
	char list[HOSTALGS_BYTES];
	struct err e;
	enum rc rc;

	hostkey_init(&policy);
	assert_rc(hostkey_types(&policy, &node, types, &e), RC_OK, &e);
	assert_rc(hostalgs_choose(NULL, types, supported, list, &e), RC_OK, &e);
	*shown = shown_for(list);
	rc = hostkey_judge(&policy, &node, blob_of(*shown), &e);
	hostkey_destroy(&policy);
	if (rc == RC_OK)
		return 'Y';
	if (strstr(e.text, "is revoked by"))
		return 'X';
	return strstr(e.text, "HOST KEY CHANGED") ? 'C' : 'N';
}

static char ssh_verdict(const struct target *target, int *shown)
{
	char path[128], alias[64] = "", verdict = '?';
	char *log;

	if (target->alias)
		snprintf(alias, sizeof(alias), "-o HostKeyAlias='%s'", target->alias);
	test_run("cd %s && ssh -v -F none -i user -o UserKnownHostsFile='%s %s' "
		 "-o GlobalKnownHostsFile=%s %s -o BatchMode=yes "
		 "-o StrictHostKeyChecking=yes -o UpdateHostKeys=no "
		 "-o KexAlgorithms=curve25519-sha256 "
		 "-o PreferredAuthentications=none "
		 "-o ProxyCommand='/usr/sbin/sshd -i -f sshd.conf -E sshd.log' %s true "
		 "</dev/null >log 2>&1 || true",
		site.folder, paths[0], paths[1], paths[2], alias, target->host);
	snprintf(path, sizeof(path), "%s/log", site.folder);
	log = read_text(path);
	*shown = strstr(log, "Server host key: ssh-rsa") ? SERVER_RSA : SERVER_ED25519;
	if (strstr(log, "REVOKED") || strstr(log, "revoked"))
		verdict = 'X';
	else if (strstr(log, "HAS CHANGED"))
		verdict = 'C';
	else if (strstr(log, "host key is known for"))
		verdict = 'N';
	else if (strstr(log, "Permission denied"))
		verdict = 'Y';
	free(log);
	return verdict;
}

static void random_files_are_judged_as_ssh_judges_them(void **state)
{
	unsigned wrong = 0, seen[128] = { 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		const struct target *target;
		int our_key, their_key;
		const char *all;
		char ours, theirs;

		dice = seed;
		all = throw_files();
		target = &ANY(targets);
		ours = our_verdict(target, &our_key);
		theirs = ssh_verdict(target, &their_key);
		seen[(unsigned char)theirs]++;
		if (ours == theirs && (our_key == their_key || ours != 'Y'))
			continue;
		/* Asked for keys of a host that nobody knows we may prefer another. */
		if (our_key != their_key && strchr("NX", ours) && strchr("NX", theirs))
			continue;
		wrong++;
		fflush(stdout);
		print_error("seed %u, %s as %s: ours %c key %d, ssh %c key %d\n%s\n",
			(unsigned)seed, target->host,
			target->alias ? target->alias : "itself", ours, our_key, theirs,
			their_key, all);
	}
	assert_int_equal(wrong, 0);
	/* each verdict has been given often enough to mean something */
	assert_true(seen['Y'] > 10 && seen['N'] > 10 && seen['C'] > 10 && seen['X'] > 3);
}

static int make(void **state)
{
	char config[512];

	(void)state;
	site_make(&site, true);
	test_run("cd %s && for k in ra rb; do ssh-keygen -q -t rsa -b 2048 -N '' -f $k; "
		 "done",
		site.folder);
	known_read_key(site.host_key, keys[SERVER_ED25519]);
	known_read_key(site.other_host_key, keys[OTHER_ED25519]);
	known_read_key(arena_format(&arena, "%s/ra", site.folder), keys[SERVER_RSA]);
	known_read_key(arena_format(&arena, "%s/rb", site.folder), keys[OTHER_RSA]);
	for (int f = 0; f < FILES; f++)
		paths[f] = arena_format(&arena, "%s/known%d", site.folder, f);
	snprintf(config, sizeof(config),
		"HostKey %s\nHostKey %s/ra\nUsePAM no\nPidFile none\n", site.host_key,
		site.folder);
	test_write_file(arena_format(&arena, "%s/sshd.conf", site.folder), config);
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
		cmocka_unit_test(random_files_are_judged_as_ssh_judges_them),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, unmake);
}
