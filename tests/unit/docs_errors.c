/* docs/errors.md holds the list of codes, and the list is a good one. */
#include "coordinator/report/report.h"
#include "tests/support/document.h"
#include "tests/support/test.h"

#include <stdlib.h>

static void errors_page_is_printed_from_the_list_of_codes(void **state)
{
	struct buf text = buf_with_cap(1 << 20);
	char *memory = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&memory, &size);

	(void)state;
	assert_non_null(out);
	errors_print(out);
	fclose(out);
	assert_int_equal(buf_append(&text, memory, size), RC_OK);
	assert_document_part("errors.md", "base/err.h", &text);
	buf_destroy(&text);
	free(memory);
}

static void every_failure_has_a_status_of_its_own_and_says_what_it_means(void **state)
{
	(void)state;
	for (int a = 0; a < RC_COUNT; a++) {
		assert_true(rc_meaning((enum rc)a)[0]);
		if (a == RC_AGAIN) /* never an outcome */
			continue;
		for (int b = 0; b < a; b++)
			assert_true(b == RC_AGAIN || rc_exit_status((enum rc)a) !=
							     rc_exit_status((enum rc)b));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(errors_page_is_printed_from_the_list_of_codes),
		cmocka_unit_test(
			every_failure_has_a_status_of_its_own_and_says_what_it_means),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
