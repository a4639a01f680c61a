/* ssh_config(5) as cpuherd reads it, held against `ssh -G`: files written for the purpose,
 * and files made at random (SEED=n makes another).  What ssh refuses is refused; what it
 * takes comes out the same, for the node and for each jump host on the way.
 */
#include <stdlib.h>

#include "coordinator/ssh/keyword.h"
#include "tests/ssh/referee.h"

/* ---- files written for the purpose */

static const struct config_case {
	const char *content, *host, *user;
	unsigned port;
	bool asked; /* must ssh be asked? */
} cases[] = {
	{ "", "foo", NULL, 0, false },
	{ "", "Foo.Example.ORG", "bob", 2222, false },
	{ "HostName %h.example.com\nUser bob\nPort 5\n", "FOO", NULL, 0, false },
	{ "User bob\nPort 5\n", "foo", "amy", 6, false },
	{ "Host foo\nHostName a%%b\n", "foo", NULL, 0, false },
	{ "HostName %p\n", "foo", NULL, 0, false },
	{ "HostName %h%\n", "foo", NULL, 0, false },
	{ "HostName ::0001\n", "foo", NULL, 0, false },
	{ "HostName [::1]\n", "foo", NULL, 0, false },
	{ "", "127.1", NULL, 0, false },
	{ "", "::0001", NULL, 0, false },
	{ "", "FE80::1%lo", NULL, 0, false },
	{ "", "0x7f000001", NULL, 0, false },
	{ "", "deadbeef", NULL, 0, false },
	{ "Port=5\nPort 6\n", "foo", NULL, 0, false },
	{ "Port = 5\n", "foo", NULL, 0, false },
	{ "Port\t5 # why\n", "foo", NULL, 0, false },
	{ "  PORT 5 \t\r\n\f\n", "foo", NULL, 0, false },
	{ "Port 022\n", "foo", NULL, 0, false },
	{ "Port 5 \f\n", "foo", NULL, 0, false },
	{ "Port 0\n", "foo", NULL, 0, true },
	{ "Port 65536\n", "foo", NULL, 0, true },
	{ "Port http\n", "foo", NULL, 0, true },
	{ "Port 0x16\n", "foo", NULL, 0, true },
	{ "Host x\nPort http\n", "foo", NULL, 0, true },
	{ "Host x\nPort nonsense\n", "foo", NULL, 0, true },
	{ "Port 22 33\n", "foo", NULL, 0, true },
	{ "Port\n", "foo", NULL, 0, false },
	{ "Port =\n", "foo", NULL, 0, false },
	{ "Nonsense 5\n", "foo", NULL, 0, true },
	{ "Host x\nNonsense 5\n", "foo", NULL, 0, true },
	{ "IgnoreUnknown nons*,x\nNonSense 5\n", "foo", NULL, 0, true },
	{ "Host x\nIgnoreUnknown *\nHost *\nNonsense 5\n", "foo", NULL, 0, true },
	{ "User \"a b\"\n", "foo", NULL, 0, false },
	{ "User 'a b'\n", "foo", NULL, 0, false },
	{ "User a\\ b\n", "foo", NULL, 0, false },
	{ "User a\\\\b\n", "foo", NULL, 0, false },
	{ "User a\\xb\n", "foo", NULL, 0, false },
	{ "User a\\\"b\n", "foo", NULL, 0, false },
	{ "User a\"b c\"d\n", "foo", NULL, 0, false },
	{ "User a#b\n", "foo", NULL, 0, false },
	{ "User a #b\n", "foo", NULL, 0, false },
	{ "User a=b\n", "foo", NULL, 0, false },
	{ "User \"a\n", "foo", NULL, 0, false },
	{ "User a'b\n", "foo", NULL, 0, false },
	{ "User \"\"\n", "foo", NULL, 0, true },
	{ "User a b\n", "foo", NULL, 0, true },
	{ "User #x\n", "foo", NULL, 0, true },
	{ "Host \"foo bar\nPort 5\n", "foo", NULL, 0, false },
	{ "Host foo\nPort 5\nHost bar\nPort 6\nHost *\nPort 7\nUser u\n", "foo", NULL, 0,
		false },
	{ "Host foo\nPort 5\nHost bar\nPort 6\nHost *\nPort 7\nUser u\n", "bar", NULL, 0,
		false },
	{ "Host foo\nPort 5\nHost bar\nPort 6\nHost *\nPort 7\nUser u\n", "baz", NULL, 0,
		false },
	{ "Host Foo\nPort 5\n", "foo", NULL, 0, false },
	{ "Host foo\nPort 5\n", "Foo", NULL, 0, false },
	{ "Host =foo\nPort 5\n", "foo", NULL, 0, false },
	{ "Host foo !f*\nPort 5\n", "foo", NULL, 0, false },
	{ "Host !f* foo\nPort 5\n", "foo", NULL, 0, false },
	{ "Host !bar\nPort 5\n", "foo", NULL, 0, false },
	{ "Host * !bar\nPort 5\n", "foo", NULL, 0, false },
	{ "Host bar,foo\nPort 5\n", "foo", NULL, 0, false },
	{ "Host bar foo # baz\nPort 5\n", "foo", NULL, 0, false },
	{ "Host bar \"foo\"\nPort 5\n", "foo", NULL, 0, false },
	{ "Host f?o\nPort 5\n", "foo", NULL, 0, false },
	{ "Host f*o*?o\nPort 5\n", "fxoyo", NULL, 0, false },
	{ "Host f[o]o\nPort 5\n", "foo", NULL, 0, false },
	{ "Host\nPort 5\n", "foo", NULL, 0, false },
	{ "Host node01 node02\nUser a\nHost node*\nUser b\n", "node02", NULL, 0, false },
	{ "IdentityFile ~/.ssh/%h_%r\nIdentityFile ~/.ssh/%h_%r\nIdentityFile none\n",
		"foo", NULL, 0, false },
	{ "IdentityFile none\n", "foo", NULL, 0, false },
	{ "IdentityFile %d/%u/%i/%n/%p/%k/%%_\nHostKeyAlias al\nPort 7\n", "foo", NULL, 0,
		false },
	{ "IdentityFile a b\n", "foo", NULL, 0, true },
	{ "IdentityFile2 /x\nIdentityFile \"/y z\"\n", "foo", NULL, 0, false },
	{ "IdentitiesOnly YES\n", "foo", NULL, 0, false },
	{ "IdentitiesOnly maybe\n", "foo", NULL, 0, true },
	{ "IdentityAgent none\n", "foo", NULL, 0, false },
	{ "IdentityAgent SSH_AUTH_SOCK\n", "foo", NULL, 0, false },
	{ "IdentityAgent $CPUHERD_TEST\n", "foo", NULL, 0, false },
	{ "IdentityAgent $CPUHERD_UNSET\n", "foo", NULL, 0, false },
	{ "IdentityAgent ~/x%h\n", "foo", NULL, 0, false },
	{ "IdentityAgent ${CPUHERD_TEST}/%n\n", "foo", NULL, 0, false },
	{ "UserKnownHostsFile ~/kh \"/x/%h\" /y\nGlobalKnownHostsFile /g h\n", "foo",
		NULL, 0, false },
	{ "UserKnownHostsFile none\n", "foo", NULL, 0, false },
	{ "UserKnownHostsFile /a none\n", "foo", NULL, 0, true },
	{ "UserKnownHostsFile \"\"\n", "foo", NULL, 0, true },
	{ "UserKnownHostsFile ~/%h/${CPUHERD_TEST}/%k%l%L\n", "foo", NULL, 0, false },
	{ "UserKnownHostsFile ${CPUHERD_UNSET}\n", "foo", NULL, 0, false },
	{ "UserKnownHostsFile ~nobody/x\n", "foo", NULL, 0, false },
	{ "UserKnownHostsFile ~no-such-user/x\n", "foo", NULL, 0, false },
	{ "UserKnownHostsFile2 u2\nUserKnownHostsFile /u\n", "foo", NULL, 0, false },
	{ "GlobalKnownHostsFile none\n", "foo", NULL, 0, false },
	{ "StrictHostKeyChecking off\n", "foo", NULL, 0, false },
	{ "StrictHostKeyChecking YES\n", "foo", NULL, 0, false },
	{ "StrictHostKeyChecking accept-new\n", "foo", NULL, 0, false },
	{ "StrictHostKeyChecking ask\n", "foo", NULL, 0, false },
	{ "StrictHostKeyChecking sometimes\n", "foo", NULL, 0, true },
	{ "HostKeyAlias a\\\\b\n", "foo", NULL, 0, false },
	{ "HostKeyAlgorithms +ssh-rsa\n", "foo", NULL, 0, false },
	{ "HostKeyAlgorithms ^ssh-rsa\n", "foo", NULL, 0, false },
	{ "HostKeyAlgorithms -ssh-rsa\n", "foo", NULL, 0, false },
	{ "HostKeyAlgorithms ssh-ed25519,rsa-sha2-512\n", "foo", NULL, 0, false },
	{ "HostKeyAlgorithms -ecdsa*\n", "foo", NULL, 0, true },
	{ "HostKeyAlgorithms nope\n", "foo", NULL, 0, true },
	{ "ConnectTimeout 1h30m\n", "foo", NULL, 0, false },
	{ "ConnectTimeout 1W2\n", "foo", NULL, 0, false },
	{ "ConnectTimeout none\n", "foo", NULL, 0, false },
	{ "ConnectTimeout 0\n", "foo", NULL, 0, false },
	{ "ConnectTimeout 5x\n", "foo", NULL, 0, true },
	{ "ConnectTimeout 99999999999\n", "foo", NULL, 0, true },
	{ "ConnectTimeout -1\n", "foo", NULL, 0, true },
	{ "ProxyCommand nc \"a b\" %h %p %r %n %%_  # x\n", "foo", NULL, 0, false },
	{ "ProxyCommand =nc a=b\n", "foo", NULL, 0, false },
	{ "ProxyCommand nc \"a\n", "foo", NULL, 0, false },
	{ "ProxyCommand none\nProxyJump b\n", "foo", NULL, 0, false },
	{ "ProxyCommand nc\nProxyJump b\n", "foo", NULL, 0, false },
	{ "ProxyJump none\nProxyCommand nc %h\n", "foo", NULL, 0, false },
	{ "ProxyJump none\nProxyJump b\n", "foo", NULL, 0, false },
	{ "ProxyJump none\nProxyCommand none\nProxyJump b\n", "foo", NULL, 0, false },
	{ "ProxyCommand nc\nProxyJump none\nProxyJump b\n", "foo", NULL, 0, false },
	{ "Host foo\nProxyJump b\nProxyCommand nc\n", "foo", NULL, 0, false },
	{ "Host foo\nProxyJump a,u@b:33\nHost a\nPort 7\nHost b\nUser x\nHostName c\n",
		"foo", NULL, 0, false },
	{ "Host foo\nProxyJump b\nHost b\nProxyJump c\nHost c\nProxyCommand nc %h\n",
		"foo", NULL, 0, false },
	{ "Host foo\nProxyJump a,b\nHost b\nProxyJump c\n", "foo", NULL, 0, false },
	{ "Host foo\nProxyJump %h-gw # the way in\n", "foo", NULL, 0, false },
	{ "Host foo\nProxyJump u@[::1]:44\n", "foo", NULL, 0, false },
	{ "Host foo\nProxyJump ssh://u@b:44\n", "foo", NULL, 0, true },
	{ "Host foo\nProxyJump =b#c\n", "foo", NULL, 0, false },
	{ "Host foo\nProxyJump b c\n", "foo", NULL, 0, false },
	{ "ProxyJump ::1\n", "foo", NULL, 0, true },
	{ "ProxyJump a,\n", "foo", NULL, 0, true },
	{ "ProxyJump foo\n", "foo", NULL, 0, false },
	{ "ProxyJump b\n", "foo", NULL, 0, false },
	{ "Host foo\nProxyJump a\nHost a\nProxyJump b\nHost b\nProxyJump a\n", "foo",
		NULL, 0, false },
	{ "Host *\nProxyJump b\nMatch final all\nPort 2\n", "foo", NULL, 0, false },
	{ "Match all\nPort 5\n", "foo", NULL, 0, false },
	{ "Match !all\nPort 5\n", "foo", NULL, 0, false },
	{ "Match\nPort 5\n", "foo", NULL, 0, false },
	{ "Match host\nPort 5\n", "foo", NULL, 0, true },
	{ "Match host=foo\nPort 5\n", "foo", NULL, 0, true },
	{ "Match host \"foo\"\nPort 5\n", "foo", NULL, 0, true },
	{ "Match host foo,bar\nPort 5\n", "FOO", NULL, 0, false },
	{ "Match host foo # x\nPort 5\n", "foo", NULL, 0, false },
	{ "Match host *,!foo\nPort 5\n", "foo", NULL, 0, false },
	{ "Match Host foo User amy\nPort 5\n", "foo", "amy", 0, false },
	{ "User bob\nMatch user amy,bo?\nPort 5\n", "foo", NULL, 0, false },
	{ "Match user bob\nPort 5\nMatch all\nUser bob\nMatch user bob\nPort 6\n", "foo",
		NULL, 0, false },
	{ "Match !user bob host foo\nPort 5\n", "foo", NULL, 0, false },
	{ "HostName BAR\nMatch host bar\nPort 5\nMatch originalhost foo\nUser x\n", "foo",
		NULL, 0, false },
	{ "HostName %h.org\nMatch host *.org\nPort 5\n", "foo", NULL, 0, false },
	{ "Match originalhost foo localuser nobody\nPort 5\n", "foo", NULL, 0, false },
	{ "Match # foo\nPort 5\n", "foo", NULL, 0, true },
	{ "Match all host foo\nPort 5\n", "foo", NULL, 0, true },
	{ "Match nonsense foo\nPort 5\n", "foo", NULL, 0, true },
	{ "Match canonical\nPort 5\n", "foo", NULL, 0, false },
	{ "Match final\nPort 5\n", "foo", NULL, 0, false },
	{ "Match !final\nPort 5\nMatch final\nUser x\n", "foo", NULL, 0, false },
	{ "Match canonical all\nPort 5\nMatch final all\nUser x\n", "foo", NULL, 0,
		false },
	{ "HostName Bar\nMatch final\nPort 5\nHost bar\nUser x\n", "foo", NULL, 0,
		false },
	{ "Host foo\nHostName 127.1\nMatch final host 127.0.0.1\nPort 5\n", "foo", NULL,
		0, false },
	{ "Match host bar final\nPort 5\nHost foo\nHostName bar\n", "foo", NULL, 0,
		false },
	{ "Match exec true\nPort 3\n", "foo", NULL, 0, true },
	{ "Match exec \"test %h = foo\"\nPort 3\n", "foo", NULL, 0, true },
	{ "Match exec false\nPort 3\n", "foo", NULL, 0, true },
	{ "Match host bar exec true\nPort 3\n", "foo", NULL, 0, false },
	{ "Match host bar exec true final\nPort 3\n", "foo", NULL, 0, true },
	{ "Match host foo exec true\nPort 3\nIdentityFile /x\nHostKeyAlgorithms "
	  "ssh-ed25519\n"
	  "Host *\nProxyJump b\nUserKnownHostsFile /y ~/z\nIdentityAgent ~/%h\n",
		"foo", NULL, 0, true },
	{ "CanonicalizeHostname no\nPort 5\n", "foo", NULL, 0, false },
	{ "CanonicalizeHostname always\nPort 5\n", "127.0.0.1", NULL, 0, true },
	{ "Host foo\nCanonicalizeHostname yes\n", "127.0.0.1", NULL, 0, false },
	{ "CanonicalizePermittedCNAMEs none\n", "foo", NULL, 0, false },
	{ "Include /nonexistent/x\nPort 5\n", "foo", NULL, 0, false },
	{ "Host foo\nInclude %h.conf ~nobody/x\nPort 5\n", "foo", NULL, 0, true },
	{ "IgnoreUnknown *\nInclude %h.conf\nPort 5\n", "foo", NULL, 0, true },
	{ "Host bar\nInclude ${HOME}\nHost *\nPort 5\n", "foo", NULL, 0, true },
	{ "RhostsRSAAuthentication yes\nPort x\n", "foo", NULL, 0, true },
	{ "Include \"\"\n", "foo", NULL, 0, false },
	{ "Compression maybe\n", "foo", NULL, 0, true },
	{ "ServerAliveCountMax x\n", "foo", NULL, 0, true },
	{ "ForwardAgent maybe\nRhostsRSAAuthentication x\nControlPath \"a b\"\n", "foo",
		NULL, 0, false },
	{ "\"Port\" 5\"\n", "foo", NULL, 0, false },
};

static void files_mean_what_they_mean_to_ssh(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct config_case *c = &cases[i];
		struct question q = { .host = c->host, .user = c->user, .port = c->port };
		struct asked asked;

		test_write_file(file, c->content);
		asked = check(&q, NULL);
		if (asked.of_ssh != c->asked)
			fail_msg("ssh was %sasked for %s on\n%s",
				asked.of_ssh ? "" : "not ", c->host, c->content);
		arena_destroy(&arena);
	}
}

/* ---- Include */

static const struct include_case {
	const char *content, *included;
	bool asked;
} includes[] = {
	{ "Include %s\nPort 5\n", "Port 6\n", false },
	{ "Port 5\nInclude %s\n", "Port 6\nUser x\n", false },
	{ "Host bar\nInclude %s\nHost *\nUser y\n", "Port 6\nHost foo\nUser x\n", false },
	{ "Host foo\nInclude %s\nUser y\n", "Port 6\nHost bar\nUser x\n", false },
	{ "Host foo\nInclude /nonexistent %s*\nUser y\n", "Host *\nPort 6\n", false },
	{ "Include %s\n", "User a b\n", true },
	{ "Host bar\nInclude %s\n", "User a b\n", true },
	{ "Host bar\nInclude %s\n", "User \"a\n", false },
	{ "Include %s\n", "Match final\nPort 6\n", false },
	{ "HostName bar\nHost nobody\nInclude %s\nHost bar\nUser u\n",
		"Match final\nPort 6\n", true },
	{ "Include %s\nInclude %s\n", "Port 6\n", false },
};

static void included_files_stand_where_they_are_included(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(includes) / sizeof(*includes); i++) {
		const struct include_case *c = &includes[i];
		struct question q = { .host = "foo" };

		test_write_file(
			file, arena_format(&arena, c->content, included, included));
		test_write_file(included, c->included);
		if (check(&q, NULL).of_ssh != c->asked)
			fail_msg("ssh was %sasked on\n%s", c->asked ? "not " : "",
				c->content);
		arena_destroy(&arena);
	}
}

static void a_file_that_includes_itself_is_refused(void **state)
{
	struct question q = { .host = "foo" };
	struct asked asked;

	(void)state;
	test_write_file(file, arena_format(&arena, "Include %s\n", included));
	test_write_file(included, arena_format(&arena, "Port 5\nInclude %s\n", included));
	asked = check(&q, NULL);
	assert_true(asked.refused);
	assert_contains(
		asked.err.text, arena_format(&arena, "%s:2: files include", included));
	arena_destroy(&arena);
}

/* ---- the command line */

static const struct value_case {
	const char *options;
	const char *values[3];
	bool asked;
} values[] = {
	{ "-o Port=5", { "Port=5" }, false },
	{ "-o 'port 5' -o Port=6", { "port 5", "Port=6" }, false },
	{ "-o 'User \"a b\"'", { "User \"a b\"" }, false },
	{ "-o StrictHostKeyChecking=no -o HostName=%h.x",
		{ "StrictHostKeyChecking=no", "HostName=%h.x" }, false },
	{ "-o ProxyCommand='nc %h'", { "ProxyCommand=nc %h" }, false },
	{ "-o ProxyCommand=none", { "ProxyCommand=none" }, false },
	{ "-o IdentityFile=/x", { "IdentityFile=/x" }, false },
	{ "-o Port=http", { "Port=http" }, true },
	{ "-o Port=no-such-service", { "Port=no-such-service" }, true },
};

static void options_stand_before_the_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct question q = { .host = "foo", .options = values[i].options };
		struct texts list = { 0 };
		struct err e;

		for (size_t n = 0; n < 3 && values[i].values[n]; n++)
			assert_rc(texts_add(&list, values[i].values[n], &arena, &e),
				RC_OK, &e);
		test_write_file(file,
			"Host foo\nPort 1\nUser u\nProxyJump gw\nIdentityFile /y\n");
		assert_int_equal(check(&q, &list).of_ssh, values[i].asked);
		arena_destroy(&arena);
	}
}

static void a_jump_of_the_command_line_comes_before_the_files(void **state)
{
	static const char *const jumps[] = { "b", "a,u@b:7", "none", "a,[::1]:5" };

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(*jumps); i++) {
		struct question q = { .host = "foo", .jump = jumps[i] };

		test_write_file(file, "Host foo\nProxyJump gw\nHost b\nUser x\n");
		assert_false(check(&q, NULL).of_ssh);
		arena_destroy(&arena);
	}
}

/* ---- files made at random */

static const char *const pieces[] = { "User u%u", "User \"u %u\"", "Port 2%u", "Port=2%u",
	"port = 2%u # why", "HostName h%u.example.org", "HostName %%h.D%u",
	"HostName 10.0.%u", "IdentityFile ~/.ssh/k%u",
	"IdentityFile /k/%%h_%%r_%%p_%%n_%u", "IdentityFile none", "IdentitiesOnly yes",
	"IdentitiesOnly no", "IdentityAgent none", "IdentityAgent $CPUHERD_TEST",
	"IdentityAgent /a/%%h%u", "UserKnownHostsFile /u%u ~/v",
	"UserKnownHostsFile none", "GlobalKnownHostsFile /g%u",
	"StrictHostKeyChecking no", "StrictHostKeyChecking accept-new",
	"StrictHostKeyChecking yes", "HostKeyAlias alias%u",
	"HostKeyAlgorithms ssh-ed25519", "HostKeyAlgorithms +ssh-rsa", "ProxyJump none",
	"ProxyJump gw%u", "ProxyJump a%u,u@gw1:7", "ProxyCommand none",
	"ProxyCommand nc -x %u \"%%h\" %%p", "ConnectTimeout %u", "ConnectTimeout %um",
	"ServerAliveInterval 5", "SendEnv LANG LC_*", "ForwardAgent yes", "Host foo",
	"Host *", "Host f* !fo?", "Host !foo *", "Host gw%u foo", "Host gw*",
	"Host bar \"foo\"", "Match all", "Match host foo", "Match host *.org,gw*",
	"Match originalhost foo,bar", "Match user u%u", "Match !user u%u host *o",
	"Match final", "Match !final host f*", "Match host *.d%u final",
	"Match exec true", "Match host nobody exec true", "Include INCLUDED",
	"CanonicalizeHostname no", "# nothing %u", "" };

static char *make_file(uint64_t *seed, size_t lines)
{
	char *text = arena_text(&arena, "");

	while (lines--) {
		const char *piece =
			pieces[test_random(seed) % (sizeof(pieces) / sizeof(*pieces))];
		unsigned number = test_random(seed) % 3;
		char line[256];

		if (strcmp(piece, "Include INCLUDED") == 0)
			snprintf(line, sizeof(line), "Include %s", included);
		else
			snprintf(line, sizeof(line), piece, number);
		text = arena_format(&arena, "%s%s%s\n", text,
			test_random(seed) % 3 ? "" : "  ", line);
	}
	return text;
}

/* Without its Includes: it is the included one. */
static char *without_includes(char *text)
{
	for (char *at = text; (at = strstr(at, "Include ")); at++)
		*at = '#';
	return text;
}

static void files_at_random_mean_what_they_mean_to_ssh(void **state)
{
	const char *wish = getenv("SEED");
	unsigned from = wish ? (unsigned)strtoul(wish, NULL, 10) : 1;
	unsigned count = wish ? 1 : 50;

	(void)state;
	for (unsigned n = from; n < from + count; n++) {
		uint64_t seed = n;
		struct question q = { .host = n % 3 ? "foo" : "Bar",
			.user = n % 5 ? NULL : "u1",
			.port = n % 7 ? 0 : 77 };

		test_write_file(included, without_includes(make_file(&seed, 6)));
		test_write_file(file, make_file(&seed, 4 + n % 20));
		print_message("SEED=%u\n", n);
		check(&q, NULL);
		arena_destroy(&arena);
	}
}

/* ---- the table of keywords */

/* What is passed over here is known to ssh: no typing error hides behind it. */
static void every_keyword_of_the_table_is_one_of_ssh(void **state)
{
	const char *content;
	struct question q = { .host = "foo" };
	const struct keyword_row *row;
	size_t known = 0;

	(void)state;
	while ((row = keyword_of_index(known))) {
		content = arena_format(&arena, "Host nobody\n%s x\n", row->name);
		test_write_file(file, content);
		if (strstr(ask_ssh(&q).words, "Bad configuration option"))
			fail_msg("ssh does not know %s", row->name);
		known++;
		arena_destroy(&arena);
	}
	assert_true(known > 100);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_mean_what_they_mean_to_ssh),
		cmocka_unit_test(included_files_stand_where_they_are_included),
		cmocka_unit_test(a_file_that_includes_itself_is_refused),
		cmocka_unit_test(options_stand_before_the_files),
		cmocka_unit_test(a_jump_of_the_command_line_comes_before_the_files),
		cmocka_unit_test(files_at_random_mean_what_they_mean_to_ssh),
		cmocka_unit_test(every_keyword_of_the_table_is_one_of_ssh),
	};

	test_filter(argc, argv);
	if (system("ssh -V 2>/dev/null") != 0) {
		puts("SKIP: there is no ssh to compare with");
		return 77;
	}
	return cmocka_run_group_tests(tests, referee_make, referee_unmake);
}
