/* From ssh_config(5) and the command line to settings: what is refused and how it is said,
 * what the options do, what nodes share, and an ssh that misbehaves when it is asked.  That
 * files mean what they mean to ssh is the test ssh/config. */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "coordinator/ssh/ssh_config.h"
#include "tests/support/test.h"

static char folder[] = "/tmp/cpuherd-sshconfig-XXXXXX", *path_before;
static struct arena arena; /* of one test */

static char *in_folder(const char *name)
{
	return arena_format(&arena, "%s/%s", folder, name);
}

/* A file in the folder, of this text; options that name it. */
static struct ssh_options with_file(const char *text)
{
	struct ssh_options options = { .file = in_folder("config"), .home = folder };

	test_write_file(options.file, text);
	return options;
}

static enum rc resolve_all(const struct ssh_options *options,
	const struct ssh_target *targets, size_t count, const struct ssh_settings **out,
	struct err *e)
{
	struct ssh_config *c = ssh_config_load(options, &arena, e);

	return c ? ssh_config_resolve(c, targets, count, out, e) : e->code;
}

static enum rc resolve(const struct ssh_options *options, const char *host,
	const struct ssh_settings **out, struct err *e)
{
	const struct ssh_target target = { .host = host };

	return resolve_all(options, &target, 1, out, e);
}

static const struct ssh_settings *well(
	const struct ssh_options *options, const char *host)
{
	const struct ssh_settings *settings;
	struct err e;

	assert_rc(resolve(options, host, &settings, &e), RC_OK, &e);
	return settings;
}

static void refused(const struct ssh_options *options, const char *host, enum rc code,
	const char *words)
{
	const struct ssh_settings *settings;
	struct err e;

	assert_rc(resolve(options, host, &settings, &e), code, &e);
	assert_contains(e.text, words);
}

static int end_test(void **state)
{
	(void)state;
	setenv("PATH", path_before, 1);
	test_run("rm -rf %s/* %s/.ssh", folder, folder);
	arena_destroy(&arena);
	return 0;
}

/* An ssh that is this script. */
static void play_ssh(const char *script)
{
	char *bin = in_folder("bin"), *ssh = in_folder("bin/ssh");

	test_run("mkdir -p %s", bin);
	test_write_file(
		ssh, arena_format(&arena, "#!/bin/sh\ncd %s\n%s\n", folder, script));
	assert_int_equal(chmod(ssh, 0700), 0);
	setenv("PATH", arena_format(&arena, "%s:/usr/bin:/bin", bin), 1);
}

#define ANSWER "echo hostname h; echo user u; echo port 7\n"

/* ---- files that are refused */

static const struct refusal {
	const char *text, *words;
} refusals[] = {
	{ "Port 5\nUser \"a\n", "config:2: a quote is never closed" },
	{ "\n\n  User\n", "config:3: User needs a value" },
	{ "Port=\n", "config:1: Port needs a value" },
	{ "\"Port\" 5\n", "config:1: a keyword is needed, without quotes" },
	{ "Host\n", "config:1: Host needs a value" },
	{ "Include \"\"\n", "config:1: an empty name is included" },
	{ "Host x\nInclude config\n", "config:2: " },
	{ "HostName %h.%x\n", "config:1: HostName: %x has no meaning" },
	{ "HostName a%\n", "config:1: HostName: a % stands at the end" },
	{ "IdentityFile ~no-such-user/x\n",
		"IdentityFile: there is no user no-such-user" },
	{ "IdentityFile ${CPUHERD_UNSET}\n", "the variable CPUHERD_UNSET is not set" },
	{ "IdentityFile ${CPUHERD\n", "a ${ is never closed" },
	{ "IdentityFile %C\n", "config:1: IdentityFile: %C has no meaning for cpuherd" },
	{ "ProxyJump node\n",
		"config:1: ProxyJump: node would be reached through itself" },
	{ "Host node\nProxyJump a\nHost a\nProxyJump b\nHost b\nProxyJump a\n",
		"ProxyJump: more than 8 jump hosts" },
	{ "Port 5\nRevokedHostKeys /x\n",
		"config:2: RevokedHostKeys: a key revoked there" },
	{ "KnownHostsCommand /bin/x %h\n",
		"config:1: KnownHostsCommand: cpuherd runs no" },
	{ "ProxyCommand x\nProxyUseFdpass yes\n", "config:2: ProxyUseFdpass: " },
};

static void what_is_wrong_is_named_by_file_and_line(void **state)
{
	(void)state;
	test_run("mkdir -p %s/.ssh && ln -sf ../config %s/.ssh/config", folder, folder);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		struct ssh_options options = with_file(refusals[i].text);

		refused(&options, "node", RC_INPUT, refusals[i].words);
	}
}

static void what_asks_for_nothing_is_not_refused(void **state)
{
	struct ssh_options options = with_file(
		"RevokedHostKeys none\nKnownHostsCommand none\nProxyUseFdpass yes\n"
		"Host other\nHostName %x\nIdentityFile ${CPUHERD_UNSET}\nProxyJump "
		"other\n"
		"Host *\nRevokedHostKeys /x\nAddressFamily any\nPubkeyAuthentication "
		"true\n");

	(void)state;
	assert_null(well(&options, "node")->proxy_command);
	refused(&options, "other", RC_INPUT, "config:5: HostName: ");
}

static void files_that_cannot_be_read_are_named(void **state)
{
	struct ssh_options options = { .home = folder };
	char nul[] = "Port 5\nUser \0x\n";
	FILE *file;

	(void)state;
	options.file = in_folder("none-such");
	refused(&options, "node", RC_INPUT, "none-such: No such file");
	options.file = folder;
	refused(&options, "node", RC_INPUT, "it is no file");
	options.file = in_folder("nul");
	file = fopen(options.file, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(nul, sizeof(nul) - 1, 1, file), 1);
	assert_int_equal(fclose(file), 0);
	refused(&options, "node", RC_INPUT, "nul: a NUL byte");
	options.file = "/dev/null";
	assert_int_equal(well(&options, "node")->port, 22);
	options.file = "none";
	assert_int_equal(well(&options, "node")->port, 22);
}

static void the_own_file_must_be_safe_from_others(void **state)
{
	struct ssh_options options = { .home = folder };
	char *own = in_folder(".ssh/config"), *more = in_folder(".ssh/more");

	(void)state;
	test_run("mkdir -p %s/.ssh", folder);
	test_write_file(own, "Port 5\nInclude more\n");
	test_write_file(more, "User m\n");
	assert_int_equal(well(&options, "node")->port, 5);
	assert_string_equal(well(&options, "node")->user, "m");
	assert_int_equal(chmod(more, 0646), 0);
	refused(&options, "node", RC_INPUT, "more: bad owner or permissions");
	assert_int_equal(chmod(more, 0600), 0);
	assert_int_equal(chmod(own, 0606), 0);
	refused(&options, "node", RC_INPUT, "config: bad owner or permissions");
	/* a group of one is fine with some, so ssh says */
	assert_int_equal(chmod(own, 0660), 0);
	play_ssh("echo 'Bad owner or permissions on x' >&2; exit 255");
	refused(&options, "node", RC_INPUT,
		"ssh refuses it: Bad owner or permissions on x");
	play_ssh(ANSWER);
	assert_int_equal(well(&options, "node")->port, 7);
}

/* ---- the command line */

static void options_come_before_files_and_targets_before_options(void **state)
{
	struct ssh_options options = with_file(
		"User f\nPort 1\nStrictHostKeyChecking yes\nConnectTimeout "
		"3\nUserKnownHostsFile "
		"/f\nIdentityAgent /a\n");
	const struct ssh_target targets[] = { { "a", NULL, 0, NULL },
		{ "b", "t", 9, NULL } };
	const char *known[] = { "/k" };
	const struct ssh_settings *s[2];
	struct err e;

	(void)state;
	assert_string_equal(well(&options, "a")->agent, "/a");
	assert_int_equal(well(&options, "a")->connect_timeout_s, 3);
	options.user = "o";
	options.port = 8;
	options.accept_new = options.no_agent = true;
	options.connect_timeout_s = 4;
	options.known_hosts = (struct texts){ known, 1 };
	assert_rc(resolve_all(&options, targets, 2, s, &e), RC_OK, &e);
	assert_string_equal(s[0]->user, "o");
	assert_int_equal(s[0]->port, 8);
	assert_string_equal(s[1]->user, "t");
	assert_int_equal(s[1]->port, 9);
	assert_int_equal(s[0]->strict, SSH_STRICT_NEW);
	assert_null(s[0]->agent);
	assert_int_equal(s[0]->connect_timeout_s, 4);
	assert_int_equal(s[0]->known_hosts.count, 1);
	assert_string_equal(s[0]->known_hosts.item[0], "/k");
}

static void jump_hosts_get_the_files_but_not_the_options(void **state)
{
	const char *values[] = { "HostKeyAlias=x" }, *keys[] = { "/i" };
	struct ssh_options options = with_file("Host gw\nUser g\nPort 3\n");
	const struct ssh_settings *s;

	(void)state;
	options.user = "o";
	options.port = 8;
	options.jump = "gw";
	options.values = (struct texts){ values, 1 };
	options.identities = (struct texts){ keys, 1 };
	s = well(&options, "node");
	assert_string_equal(s->host_key_alias, "x");
	assert_true(s->identities_named);
	assert_string_equal(s->jump->host, "gw");
	assert_string_equal(s->jump->user, "g");
	assert_int_equal(s->jump->port, 3);
	assert_null(s->jump->host_key_alias);
	assert_null(s->jump->jump);
	assert_false(s->jump->identities_named);
}

/* A missing file is an error where keys were named, but never because of the files. */
static void keys_of_the_command_line_come_first(void **state)
{
	char *there = in_folder("there");
	const char *keys[] = { "/named" };
	struct ssh_options options = with_file(arena_format(&arena,
		"IdentityFile /missing\nIdentityFile %s\nIdentityFile none\n", there));
	const struct ssh_settings *s;

	(void)state;
	test_write_file(there, "");
	s = well(&options, "node");
	assert_false(s->identities_named);
	assert_int_equal(s->identity_files.count, 2);
	options.identities = (struct texts){ keys, 1 };
	s = well(&options, "node");
	assert_true(s->identities_named);
	assert_int_equal(s->identity_files.count, 2);
	assert_string_equal(s->identity_files.item[0], "/named");
	assert_string_equal(s->identity_files.item[1], there);
	test_write_file(options.file, "");
	assert_int_equal(well(&options, "node")->identity_files.count, 1);
}

static void the_key_of_a_node_stands_in_place_of_those_for_all(void **state)
{
	const char *keys[] = { "/named" };
	struct ssh_options options = with_file("User u\n");
	const struct ssh_target targets[] = { { "a", NULL, 0, "~/own" },
		{ "b", NULL, 0, NULL } };
	const struct ssh_settings *s[2];
	struct err e;

	(void)state;
	options.identities = (struct texts){ keys, 1 };
	assert_rc(resolve_all(&options, targets, 2, s, &e), RC_OK, &e);
	assert_true(s[0]->identities_named);
	assert_int_equal(s[0]->identity_files.count, 1);
	assert_string_equal(s[0]->identity_files.item[0], in_folder("own"));
	assert_string_equal(s[1]->identity_files.item[0], "/named");
	test_write_file(options.file, "Match exec true\nPort 9\n");
	play_ssh(ANSWER);
	assert_rc(resolve_all(&options, targets, 2, s, &e), RC_OK, &e);
	assert_int_equal(s[0]->port, 7);
	assert_int_equal(s[0]->identity_files.count, 1);
	assert_string_equal(s[0]->identity_files.item[0], in_folder("own"));
	assert_string_equal(s[1]->identity_files.item[0], "/named");
}

static void a_host_line_of_many_names_takes_memory_in_proportion(void **state)
{
	enum { NAMES = 5000, BYTES_MAX = 8 * 1024 * 1024 };
	struct buf text = buf_with_cap(NAMES * 16);
	struct ssh_options options;
	struct mallinfo2 before;
	size_t taken;

	(void)state;
	buf_append_text(&text, "Host");
	for (int i = 0; i < NAMES; i++)
		buf_format(&text, " node%d", i);
	buf_append(&text, "\n Port 5\n", sizeof("\n Port 5\n"));
	options = with_file((const char *)buf_bytes(&text).data);
	before = mallinfo2();
	assert_int_equal(well(&options, "node4999")->port, 5);
	taken = mallinfo2().uordblks + mallinfo2().hblkhd - before.uordblks -
		before.hblkhd;
	assert_true(taken < BYTES_MAX);
	buf_destroy(&text);
}

/* ssh would find the pipe empty, and say where the node would be without it. */
static void a_pipe_that_only_ssh_can_judge_is_not_read_as_an_empty_file(void **state)
{
	static const char odd[] = "Port 5\nMatch exec true\nPort 6\n";
	struct ssh_options options = { .home = folder };
	int ends[2], input = dup(STDIN_FILENO);

	(void)state;
	play_ssh(ANSWER);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], odd, sizeof(odd) - 1), sizeof(odd) - 1);
	close(ends[1]);
	options.file = arena_format(&arena, "/dev/fd/%d", ends[0]);
	refused(&options, "node", RC_INPUT, "it must be a regular file (/dev/fd/");
	close(ends[0]);
	/* the same where standard input is a file: ssh gets none */
	options = with_file(odd);
	assert_non_null(freopen(options.file, "r", stdin));
	options.file = "/dev/stdin";
	refused(&options, "node", RC_INPUT, "could not read /dev/stdin after us");
	dup2(input, STDIN_FILENO);
	close(input);
}

static void options_that_belong_into_a_file_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{ "Host=x", "'Host=x': Host belongs into a file" },
		{ "Match all", "Match belongs" }, { "Include=/x", "Include belongs" },
		{ "#", "a keyword is needed" }, { "User", "User needs a value" },
		{ "User 'x", "a quote is never closed" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *values[] = { bad[i][0] };
		struct ssh_options options = { .file = "none", .values = { values, 1 } };

		refused(&options, "node", RC_USAGE, bad[i][1]);
	}
}

/* New keys go to the first file: never into the system's. */
static void without_known_hosts_of_the_user_new_keys_go_nowhere(void **state)
{
	struct ssh_options options = with_file("UserKnownHostsFile none\n");
	const struct texts *list = &well(&options, "node")->known_hosts;

	(void)state;
	assert_int_equal(list->count, 3);
	assert_string_equal(list->item[0], "/dev/null");
}

/* A name of the inventory goes into a line of shell. */
static void a_name_that_a_shell_would_act_on_gets_no_proxy_command(void **state)
{
	struct ssh_options options = with_file("ProxyCommand nc %h %p\n");
	const struct ssh_target bad = { "node", "a`b", 0, NULL };
	const struct ssh_settings *s;
	struct err e;

	(void)state;
	assert_string_equal(well(&options, "node")->proxy_command, "nc node 22");
	refused(&options, "a;b", RC_INPUT, "is nothing to give to a shell");
	refused(&options, "-x", RC_INPUT, "is nothing to give to a shell");
	assert_rc(resolve_all(&options, &bad, 1, &s, &e), RC_INPUT, &e);
}

/* ---- many nodes */

enum { MANY = 10 * 1000 };

static struct ssh_target *many_targets(void)
{
	struct ssh_target *targets = arena_alloc(&arena, MANY, sizeof(*targets));

	for (size_t i = 0; i < MANY; i++)
		targets[i].host = arena_format(&arena, "node%05zu", i);
	return targets;
}

static void many_nodes_share_what_is_the_same(void **state)
{
	struct ssh_options options = with_file("Host node*7\nIdentityFile ~/%h\nHost "
					       "*gw\nPort 7\nHost *\nProxyJump a,gw\n"
					       "Match final all\nIdentityFile ~/k\n");
	const struct ssh_settings **s = arena_alloc(&arena, MANY, sizeof(*s));
	struct ssh_target *targets = many_targets();
	struct err e;

	(void)state;
	test_write_file(options.file, "Host node*7\nIdentityFile ~/%h\nHost *gw\nPort "
				      "7\nProxyJump none\nHost a\n"
				      "ProxyJump none\nHost *\nProxyJump a,gw\nMatch "
				      "final all\nIdentityFile ~/k\n");
	assert_rc(resolve_all(&options, targets, MANY, s, &e), RC_OK, &e);
	for (size_t i = 1; i < MANY; i++) {
		assert_ptr_equal(s[i]->jump, s[0]->jump);
		assert_ptr_equal(s[i]->known_hosts.item, s[0]->known_hosts.item);
		if (i % 10 == 7)
			assert_true(text_ends_with(
				s[i]->identity_files.item[0], targets[i].host));
		else
			assert_ptr_equal(
				s[i]->identity_files.item, s[0]->identity_files.item);
	}
	assert_int_equal(s[0]->jump->port, 7);
	assert_string_equal(s[0]->jump->jump->host, "a");
	assert_null(s[0]->jump->jump->jump);
}

static void each_of_many_blocks_is_for_its_node(void **state)
{
	struct ssh_options options = { .file = in_folder("config"), .home = folder };
	const struct ssh_settings **s = arena_alloc(&arena, MANY, sizeof(*s));
	struct ssh_target *targets = many_targets();
	FILE *file = fopen(options.file, "w");
	struct err e;

	(void)state;
	assert_non_null(file);
	for (size_t i = 0; i < MANY; i++)
		fprintf(file,
			"Host alias%zu node%05zu\nPort %zu\nHostName 10.0.%zu.%zu\n", i,
			i, i + 1, i / 256, i % 256);
	assert_int_equal(fclose(file), 0);
	assert_rc(resolve_all(&options, targets, MANY, s, &e), RC_OK, &e);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(s[i]->port, i + 1);
}

/* ---- asking ssh */

static void only_nodes_that_need_it_are_asked_about(void **state)
{
	struct ssh_options options = with_file(
		"Port 5\nMatch host b,c exec true\nPort 6\n");
	const struct ssh_target targets[] = { { "a", NULL, 0, NULL },
		{ "b", "u", 3, NULL }, { "c", NULL, 0, NULL }, { "d", NULL, 0, NULL } };
	const struct ssh_settings *s[4];
	struct ssh_config *c;
	struct err e;

	(void)state;
	play_ssh("for last; do :; done; echo \"$*\" >>log; echo hostname $last.real\n"
		 "echo user x; echo port 7; echo proxyjump g; echo identityfile /k$last");
	c = ssh_config_load(&options, &arena, &e);
	assert_non_null(c);
	assert_rc(ssh_config_resolve(c, targets, 4, s, &e), RC_OK, &e);
	assert_int_equal(ssh_config_asked(c), 3);
	assert_int_equal(s[0]->port, 5);
	assert_string_equal(s[1]->host, "b.real");
	assert_int_equal(s[2]->port, 7);
	assert_string_equal(s[2]->identity_files.item[0], "/kc");
	assert_string_equal(s[3]->host, "d");
	assert_contains(test_read_file(&arena, in_folder("log")),
		arena_format(&arena, "-GT -F %s -l u -p 3 -- b\n", options.file));
}

static void a_missing_ssh_is_named_with_the_line_that_needs_it(void **state)
{
	struct ssh_options options = with_file(
		"Port 5\nMatch host b exec true\nPort 6\n");

	(void)state;
	setenv("PATH", folder, 1);
	assert_int_equal(well(&options, "a")->port, 5);
	refused(&options, "b", RC_INPUT, "b: ssh cannot be run: No such file");
	refused(&options, "b", RC_INPUT, "config:2: Match");
	test_write_file(options.file, "Nonsense 5\n");
	refused(&options, "b", RC_INPUT, "config:1: Nonsense");
}

static void an_ssh_that_hangs_is_ended_with_all_that_it_started(void **state)
{
	struct ssh_options options = with_file("Match exec true\nPort 6\n");
	pid_t pid;

	(void)state;
	options.ask_limit_ms = 500;
	play_ssh("sleep 1000 & echo $! >pid.new; mv pid.new pid; wait");
	refused(&options, "b", RC_INPUT, "gave no answer in time");
	pid = (pid_t)strtol(test_read_file(&arena, in_folder("pid")), NULL, 10);
	assert_true(pid > 1);
	/* the kernel takes a moment */
	test_run("for i in $(seq 200); do grep -q '^State:.[RSD]' /proc/%d/status "
		 "2>/dev/null || exit 0; sleep 0.05; done; exit 1",
		(int)pid);
}

static const struct refusal answers[] = {
	{ "exec cat /dev/zero", "ssh was asked, and said too much" },
	{ "cat /dev/zero >&2", "ssh was asked, and said too much" },
	{ "exit 0", "the answer makes no sense" },
	{ "exit 3", "it does not say why" },
	{ "kill -9 $$", "it does not say why" },
	{ "echo; echo 'x line 3: Bad.' >&2; echo more >&2; exit 255",
		"it: x line 3: Bad.; more" },
	{ "printf 'a\\033[2Jb\\n' >&2; exit 255", "it: a?[2Jb" },
};

static void an_ssh_that_gives_no_answer_is_an_error(void **state)
{
	struct ssh_options options = with_file("Match exec true\nPort 6\n");

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		play_ssh(answers[i].text);
		refused(&options, "b", RC_INPUT, answers[i].words);
	}
}

static void a_few_are_asked_at_once_and_never_more(void **state)
{
	struct ssh_options options = with_file("Match exec true\nPort 6\n");
	struct ssh_target targets[30];
	const struct ssh_settings *s[30];
	struct err e;
	long most;

	(void)state;
	for (size_t i = 0; i < 30; i++)
		targets[i] = (struct ssh_target){ .host = arena_format(
							  &arena, "n%zu", i) };
	play_ssh("mkdir -p now; : >now/$$; ls now | wc -l >>counts; sleep 0.1; " ANSWER
		 "rm now/$$");
	assert_rc(resolve_all(&options, targets, 30, s, &e), RC_OK, &e);
	test_run("test $(wc -l <%s/counts) = 31", folder);
	test_run("sort -n %s/counts | tail -1 >%s/most", folder, folder);
	most = strtol(test_read_file(&arena, in_folder("most")), NULL, 10);
	assert_in_range(most, 2, 8);
}

/* The user's Ctrl-C: all is ended, and the caller hears of it once. */
static void an_interrupt_ends_the_asking(void **state)
{
	struct ssh_options options = with_file("Match exec true\nPort 6\n");
	sigset_t pending, mask;

	(void)state;
	signal(SIGINT, SIG_DFL); /* a shell may have had it ignored */
	play_ssh("kill -INT $PPID; sleep 1000");
	refused(&options, "b", RC_INTERRUPTED, "interrupted");
	assert_int_equal(sigpending(&pending), 0);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(sigismember(&pending, SIGINT), 0);
	assert_int_equal(sigismember(&mask, SIGINT), 0);
}

static void an_odd_line_is_put_to_ssh_once(void **state)
{
	struct ssh_options options = with_file("Port 5\nHost nobody\nNonsense 5\n");
	const struct ssh_target targets[] = { { "a", NULL, 0, NULL },
		{ "b", NULL, 0, NULL } };
	const struct ssh_settings *s[2];
	struct ssh_config *c;
	struct err e;

	(void)state;
	play_ssh(ANSWER);
	c = ssh_config_load(&options, &arena, &e);
	assert_non_null(c);
	assert_rc(ssh_config_resolve(c, targets, 2, s, &e), RC_OK, &e);
	assert_rc(ssh_config_resolve(c, targets, 2, s, &e), RC_OK, &e);
	assert_int_equal(ssh_config_asked(c), 2);
	assert_int_equal(s[1]->port, 5);
	play_ssh("echo no >&2; exit 1");
	refused(&options, "a", RC_INPUT, "config:3: Nonsense: cpuherd does not know");
}

#define TEST(name) cmocka_unit_test_teardown(name, end_test)

static int make_folder(void **state)
{
	(void)state;
	unsetenv("CPUHERD_UNSET");
	path_before = strdup(getenv("PATH"));
	return path_before && mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	free(path_before);
	return rmdir(folder);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_wrong_is_named_by_file_and_line),
		TEST(what_asks_for_nothing_is_not_refused),
		TEST(files_that_cannot_be_read_are_named),
		TEST(the_own_file_must_be_safe_from_others),
		TEST(options_come_before_files_and_targets_before_options),
		TEST(jump_hosts_get_the_files_but_not_the_options),
		TEST(keys_of_the_command_line_come_first),
		TEST(the_key_of_a_node_stands_in_place_of_those_for_all),
		TEST(a_host_line_of_many_names_takes_memory_in_proportion),
		TEST(a_pipe_that_only_ssh_can_judge_is_not_read_as_an_empty_file),
		TEST(options_that_belong_into_a_file_are_refused),
		TEST(without_known_hosts_of_the_user_new_keys_go_nowhere),
		TEST(a_name_that_a_shell_would_act_on_gets_no_proxy_command),
		TEST(many_nodes_share_what_is_the_same),
		TEST(each_of_many_blocks_is_for_its_node),
		TEST(only_nodes_that_need_it_are_asked_about),
		TEST(a_missing_ssh_is_named_with_the_line_that_needs_it),
		TEST(an_ssh_that_hangs_is_ended_with_all_that_it_started),
		TEST(an_ssh_that_gives_no_answer_is_an_error),
		TEST(a_few_are_asked_at_once_and_never_more),
		TEST(an_interrupt_ends_the_asking),
		TEST(an_odd_line_is_put_to_ssh_once),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
