#include "proto/texts.h"

#include "tests/support/test.h"

static struct texts letters(size_t count, struct arena *arena)
{
	static const char *const all[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
	struct texts list = { 0 };
	struct err e;

	assert_true(count <= sizeof(all) / sizeof(all[0]));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(texts_add(&list, all[i], arena, &e), RC_OK);
	return list;
}

static void a_list_keeps_what_was_added_in_its_order(void **state)
{
	struct arena arena = { 0 };
	struct texts list = letters(9, &arena);

	(void)state;
	assert_int_equal(list.count, 9);
	assert_string_equal(list.item[0], "a");
	assert_string_equal(list.item[8], "i");
	assert_true(texts_have(&list, "i"));
	assert_false(texts_have(&list, "j"));
	arena_destroy(&arena);
}

static void a_text_that_memory_was_short_of_is_not_added(void **state)
{
	struct arena arena = { 0 };
	struct texts list = letters(2, &arena);
	struct err e;

	(void)state;
	assert_int_equal(texts_add(&list, NULL, &arena, &e), RC_MEMORY);
	assert_int_equal(list.count, 2);
	arena_destroy(&arena);
}

static void a_long_list_says_how_many_it_does_not_show(void **state)
{
	static const struct {
		size_t count, most;
		const char *text;
	} cases[] = {
		{ 0, 4, "" },
		{ 1, 4, "a" },
		{ 4, 4, "a, b, c, d" },
		{ 5, 4, "a, b, c, d and 1 more" },
		{ 9, 2, "a, b and 7 more" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena arena = { 0 };
		struct texts list = letters(cases[i].count, &arena);

		assert_string_equal(
			texts_join(&list, cases[i].most, &arena), cases[i].text);
		arena_destroy(&arena);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_keeps_what_was_added_in_its_order),
		cmocka_unit_test(a_text_that_memory_was_short_of_is_not_added),
		cmocka_unit_test(a_long_list_says_how_many_it_does_not_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
