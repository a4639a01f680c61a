/* What a whole cpuherd says of its libssh2: with an old one, once, what cannot work. */
#include "tests/support/shell.h"
#include "tests/support/test.h"

static const char note[] = "libssh2 " LIBSSH2_EXPECTED " is old: ";

/* Runs cpuherd; how often does it say so on standard error? */
static unsigned count_notes(struct arena *arena, const char *arguments)
{
	char *line = arena_format(arena, "%s %s", CPUHERD, arguments);
	struct shell_result r = shell_run(arena, line);
	unsigned count = 0;

	for (const char *at = r.err; (at = strstr(at, note)); at++)
		count++;
	assert_null(strstr(r.out, note));
	return count;
}

static void an_old_libssh2_is_told_once_a_run_and_a_new_one_never(void **state)
{
	const unsigned once = strverscmp(LIBSSH2_EXPECTED, "1.11.1") < 0;
	/* nobody listens on port 1 */
	static const char probe[] = "probe --no-agent --tries 1 -p 1 127.0.0.1 127.0.0.2";
	struct arena arena = { 0 };

	(void)state;
	assert_int_equal(count_notes(&arena, "version"), once);
	assert_int_equal(count_notes(&arena, probe), once);
	assert_int_equal(
		count_notes(&arena, arena_format(&arena, "%s --json", probe)), once);
	assert_int_equal(
		count_notes(&arena, arena_format(&arena, "%s --quiet", probe)), 0);
	/* no node is asked */
	assert_int_equal(
		count_notes(&arena, "plan --from " TESTS_DIR "/cases/one-haswell"), 0);
	arena_destroy(&arena);
}

static void version_names_the_libssh2_in_use(void **state)
{
	struct arena arena = { 0 };
	struct shell_result r = shell_run(&arena, CPUHERD " version");

	(void)state;
	assert_int_equal(r.status, 0);
	assert_contains(r.out, "libssh2 " LIBSSH2_EXPECTED ",");
	r = shell_run(&arena, CPUHERD " version --json");
	assert_contains(r.out, "\"libssh2\": \"" LIBSSH2_EXPECTED "\"");
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_old_libssh2_is_told_once_a_run_and_a_new_one_never),
		cmocka_unit_test(version_names_the_libssh2_in_use),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
