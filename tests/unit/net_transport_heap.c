/* What a server can make libssh2 keep has a bound. */
#include <stdlib.h>

#include "coordinator/net/transport_libssh2.h"
#include "tests/support/test.h"

enum { BLOCK = 32 * 1024, MORE_THAN_FIT = 1024 };

static void packets_that_nobody_asked_for_end(void **state)
{
	struct transport t = { .session_bytes = 1, .shaken = true };
	void *abstract = &t, *blocks[MORE_THAN_FIT];
	size_t count = 0;
	struct err e;

	(void)state;
	while (count < MORE_THAN_FIT &&
		(blocks[count] = transport_allocate(BLOCK, &abstract)))
		count++;
	assert_in_range(count, 4 * 1024 * 1024 / BLOCK, 8 * 1024 * 1024 / BLOCK);
	assert_true(t.too_much);
	assert_null(transport_resize(blocks[0], 2 * BLOCK, &abstract));
	assert_rc(transport_explain_flood(&t, "opening a channel", &e), RC_LIMIT, &e);
	assert_contains(e.text, "opening a channel: the server sent more than 8 MiB");
	while (count > 0)
		transport_release(blocks[--count], &abstract);
	assert_int_equal(t.heap, 0);
}

static void what_is_given_back_may_be_had_again(void **state)
{
	struct transport t = { .session_bytes = 1 };
	void *abstract = &t, *block = NULL;

	(void)state;
	for (int i = 0; i < MORE_THAN_FIT; i++) {
		block = transport_allocate(BLOCK, &abstract);
		assert_non_null(block);
		block = transport_resize(block, (size_t)BLOCK * (i % 4 + 1), &abstract);
		assert_non_null(block);
		transport_release(block, &abstract);
	}
	assert_false(t.too_much);
	assert_int_equal(t.heap, 0);
	assert_null(transport_allocate(SIZE_MAX, &abstract));
}

static void a_block_of_ours_is_no_credit(void **state)
{
	struct transport t = { .session_bytes = 1 };
	void *abstract = &t, *block = transport_allocate(BLOCK, &abstract);

	(void)state;
	transport_release(malloc(4 * (size_t)BLOCK), &abstract);
	assert_int_equal(t.heap, 0);
	transport_release(block, &abstract);
	assert_int_equal(t.heap, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_that_nobody_asked_for_end),
		cmocka_unit_test(what_is_given_back_may_be_had_again),
		cmocka_unit_test(a_block_of_ours_is_no_credit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
