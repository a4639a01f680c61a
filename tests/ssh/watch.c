/* What a person sees while the built cpuherd talks to a real sshd: --verbose, --trace, and
 * the line on a terminal. */
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/ssh/herd.h"
#include "tests/support/shell.h"
#include "tests/support/test.h"

static struct arena arena;

/* `cpuherd probe` of two trusted servers, with these words in front of and behind it. */
static struct shell_result probe(const char *before, const char *after)
{
	struct server a = server_start(
		&site, &(struct server_options){ SERVER_SSHD, 0, NULL });
	struct server b = server_start(
		&site, &(struct server_options){ SERVER_SSHD, 0, NULL });
	struct shell_result result;
	struct herd h;

	herd_init(&h);
	trust(&h, &a, site.host_key);
	trust(&h, &b, site.host_key);
	setenv("WATCHED_A", arena_format(&arena, "127.0.0.1:%u", a.port), 1);
	setenv("WATCHED_B", arena_format(&arena, "127.0.0.1:%u", b.port), 1);
	result = shell_run(&arena, arena_format(&arena,
					   "%s " CPUHERD " probe $WATCHED_A "
					   "$WATCHED_B --no-agent -l %s "
					   "--known-hosts %s -i %s %s",
					   before, getpwuid(getuid())->pw_name, h.record,
					   site.user_key, after));
	server_stop(&a);
	server_stop(&b);
	return result;
}

/* What the node's line starts with: "cpuherd: 127.0.0.1:PORT: ". */
static const char *line_of(const char *variable, const char *text)
{
	return arena_format(&arena, "cpuherd: %s: %s", getenv(variable), text);
}

static void trace_names_the_frames_of_one_node(void **state)
{
	struct shell_result r = probe("", "--trace $WATCHED_A");
	const char *sends, *is_sent;

	(void)state;
	sends = strstr(r.err, line_of("WATCHED_A", "will send ask_facts, "));
	assert_non_null(strstr(r.err, line_of("WATCHED_A", "will send hello, ")));
	assert_non_null(sends);
	is_sent = strstr(sends, line_of("WATCHED_A", "is sent welcome, "));
	assert_non_null(is_sent);
	assert_non_null(strstr(is_sent, line_of("WATCHED_A", "is sent facts, ")));
	assert_null(strstr(r.err, line_of("WATCHED_B", "will send")));
	assert_null(strstr(r.err, line_of("WATCHED_B", "is sent")));
}

static void verbose_tells_every_state_of_every_node(void **state)
{
	static const char *const steps[] = { "idle -> name lookup",
		"connect -> ssh handshake", "ssh handshake -> host key",
		"channel -> command", "welcome -> request", "answer -> ready",
		"ready -> bye", "close -> done" };
	struct shell_result r = probe("", "--verbose");

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		assert_contains(r.err, line_of("WATCHED_A", steps[i]));
		assert_contains(r.err, line_of("WATCHED_B", steps[i]));
	}
}

static void a_terminal_gets_a_line_and_a_file_does_not(void **state)
{
	struct shell_result r = probe("", "");

	(void)state;
	assert_null(strstr(r.err, "facts 0/2"));
	assert_null(strchr(r.err, '\r'));
	r = probe("script -qec \"", "\" /dev/null");
	assert_contains(r.out, "\r\033[Kfacts 0/2");
	r = probe("script -qec \"", "--quiet\" /dev/null");
	assert_null(strstr(r.out, "facts 0/2"));
}

static void a_trace_of_nobody_is_refused(void **state)
{
	struct shell_result r = probe("", "--trace node99");

	(void)state;
	assert_int_equal(r.status, 3);
	assert_string_equal(r.err, "cpuherd: node99 names no node of this run\n");
}

static int make(void **state)
{
	unsetenv("NO_COLOR");
	return herd_make(state);
}

static int unmake(void **state)
{
	arena_destroy(&arena);
	return herd_unmake(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trace_names_the_frames_of_one_node),
		cmocka_unit_test(verbose_tells_every_state_of_every_node),
		cmocka_unit_test(a_terminal_gets_a_line_and_a_file_does_not),
		cmocka_unit_test(a_trace_of_nobody_is_refused),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, unmake);
}
