/* The built cpuherd-peer, called wrongly: one line on standard error, nothing on standard
 * output.  And started with its first words. */
#include "base/hex.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "tests/support/shell.h"
#include "tests/support/test.h"

/* CTest runs every unit test in the build folder. */
#define PEER "peer/cpuherd-peer"

static struct arena arena;

static int built(void **state)
{
	(void)state;
	return shell_find(PEER);
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static struct shell_result start(const char *arguments)
{
	return shell_run(&arena, arena_format(&arena, PEER " %s", arguments));
}

static void assert_misuse(const char *arguments, const char *words)
{
	struct shell_result r = start(arguments);

	assert_string_equal(r.err, arena_format(&arena, "cpuherd-peer: %s\n", words));
	assert_string_equal(r.out, "");
	assert_int_equal(r.status, rc_exit_status(RC_USAGE));
}

static const struct misuse {
	const char *arguments, *words;
} misuses[] = {
	{ "--bogus", "--bogus is no option; see cpuherd-peer --help" },
	{ "--version --help", "--help: one thing at a time" },
	{ "--connect", "--connect needs a URI" },
	{ "--connect qemu:///system", "--connect goes with --facts only" },
	{ "--facts --connect test:///default",
		"--connect test:///default: qemu:///system or qemu:///session is "
		"needed" },
	{ "--first", "--first needs hexadecimal digits" },
	{ "--first 00 --version", "--first goes with no other option" },
	{ "--facts --first 00", "--first goes with no other option" },
	{ "--first 0", "--first: two digits of 0-9a-f are needed for each byte" },
	{ "--first 0g", "--first: two digits of 0-9a-f are needed for each byte" },
	{ "--first 0A", "--first: two digits of 0-9a-f are needed for each byte" },
	{ "--first \"$(printf '00\\n11')\"",
		"--first: two digits of 0-9a-f are needed for each byte" },
};

static void misuse_is_one_line_and_nothing_is_served(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++)
		assert_misuse(misuses[i].arguments, misuses[i].words);
}

static void first_words_have_a_limit(void **state)
{
	char *hex = arena_alloc(&arena, 2 * LIMIT_FIRST_BYTES + 3, 1);

	(void)state;
	assert_non_null(hex);
	memset(hex, '0', 2 * LIMIT_FIRST_BYTES + 2);
	assert_misuse(arena_format(&arena, "--first %s", hex),
		"--first: 2049 bytes, 2048 are accepted");
	hex[2 * LIMIT_FIRST_BYTES] = '\0';
	/* as many as may be: now it is the frame that is wrong */
	assert_int_equal(start(arena_format(&arena, "--first %s", hex)).status,
		rc_exit_status(RC_PROTOCOL));
}

static void hello_on_the_command_line_is_answered_with_welcome(void **state)
{
	struct hello hello = { PROTOCOL_VERSION_MIN, PROTOCOL_VERSION, "" };
	struct buf wire = buf_with_cap(4096);
	struct bye bye = { 0 };
	uint8_t answer[256];
	struct shell_result r;
	struct message m;
	struct err e;
	char *hex;

	(void)state;
	assert_rc(frame_put(&wire, MESSAGE_hello, &hello, &e), RC_OK, &e);
	assert_rc(frame_put(&wire, MESSAGE_bye, &bye, &e), RC_OK, &e);
	hex = arena_alloc(&arena, 2 * buf_bytes(&wire).size + 1, 1);
	assert_non_null(hex);
	hex_write(buf_bytes(&wire), hex);
	r = start(
		arena_format(&arena, "--first %s | od -An -v -tx1 | tr -d ' \\n'", hex));
	assert_string_equal(r.err, "");
	assert_in_range(strlen(r.out), 2, 2 * sizeof(answer));
	assert_true(hex_read(r.out, answer, strlen(r.out) / 2));
	buf_consume(&wire, buf_bytes(&wire).size);
	buf_append(&wire, answer, strlen(r.out) / 2);
	assert_rc(frame_take(&wire, PROTOCOL_VERSION, &arena, &m, &e), RC_OK, &e);
	assert_int_equal(m.type->tag, MESSAGE_welcome);
	assert_int_equal(((const struct welcome *)m.value)->version, PROTOCOL_VERSION);
	assert_int_equal(buf_bytes(&wire).size, 0);
	buf_destroy(&wire);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test_teardown(
			misuse_is_one_line_and_nothing_is_served, forget),
		cmocka_unit_test_teardown(first_words_have_a_limit, forget),
		cmocka_unit_test_teardown(
			hello_on_the_command_line_is_answered_with_welcome, forget),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, built, NULL);
}
