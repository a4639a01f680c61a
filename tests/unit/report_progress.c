/* The line on the terminal while a run is under way. */
#include <string.h>

#include "coordinator/report/progress.h"
#include "tests/support/test.h"

static const struct progress busy = {
	.phase = "facts",
	.done = 7312,
	.failed = 12,
	.total = 10000,
	.seconds = 9,
	.stages = { { "queued", 2440 }, { "to be tried again", 0 }, { "connecting", 230 },
		{ "asked", 18 } },
	.slowest = { { "node07", "logging in", 4.2 }, { "node9", "asked", 1.6 },
		{ "node3", "asked", 0.4 } },
};

static void it_says_how_far_and_who_is_slow(void **state)
{
	char line[PROGRESS_WIDTH_MAX + 1];

	(void)state;
	progress_format(&busy, 200, line);
	assert_string_equal(line, "facts 7312/10000, 12 failed, 2440 queued, 230 "
				  "connecting, 18 asked, 812/s; "
				  "slowest: node07 4 s (logging in), node9 2 s (asked)");
}

static void a_quick_phase_is_counts_only(void **state)
{
	const struct progress quick = { .phase = "vote",
		.done = 1,
		.total = 3,
		.seconds = 0.2,
		.stages = { { "asked", 2 } },
		.slowest = { { "a", "asked", 0.2 } } };
	char line[PROGRESS_WIDTH_MAX + 1];

	(void)state;
	progress_format(&quick, 80, line);
	assert_string_equal(line, "vote 1/3, 2 asked");
}

/* Whole parts are left out, and nothing is ever wider than the terminal. */
static void no_line_is_wider_than_the_terminal(void **state)
{
	char line[PROGRESS_WIDTH_MAX + 1], wide[PROGRESS_WIDTH_MAX + 1];

	(void)state;
	progress_format(&busy, 1000, wide);
	for (size_t columns = 0; columns <= 1000; columns++) {
		size_t n;

		progress_format(&busy, columns, line);
		n = strlen(line);
		assert_true(n <= columns && n <= PROGRESS_WIDTH_MAX);
		assert_memory_equal(line, wide, n);
		assert_true(
			wide[n] == '\0' || wide[n] == ',' || wide[n] == ';' || n == 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_how_far_and_who_is_slow),
		cmocka_unit_test(a_quick_phase_is_counts_only),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
