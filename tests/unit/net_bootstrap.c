/* The text of the one shell line, and its answers behind a shell's chatter. */
#include <ctype.h>
#include <stdlib.h>

#include "coordinator/net/image.h"
#include "proto/limits.h"
#include "tests/support/boot.h"

static void the_command_survives_single_quotes_in_any_shell(void **state)
{
	struct arena arena = { NULL };
	const char *command = make_command(&arena, true);
	unsigned quotes = 0;

	(void)state;
	for (const char *c = command; *c; c++) {
		quotes += *c == '\'';
		assert_true(*c != '!' && *c != '\\' && *c != '\n');
		assert_true(isprint((unsigned char)*c));
	}
	assert_int_equal(quotes, 2);
	arena_destroy(&arena);
}

/* Room for a nonce, sizes, a machine and a protocol of any length is in the 200 bytes. */
static void the_longest_command_is_short_enough_for_every_server(void **state)
{
	static const uint8_t frames[LIMIT_FIRST_BYTES + 1];
	struct arena arena = { NULL };
	struct bytes most = { frames, LIMIT_FIRST_BYTES };

	(void)state;
	first_words = bootstrap_first(most, &arena);
	assert_non_null(first_words);
	assert_int_equal(strlen(first_words), 2 * LIMIT_FIRST_BYTES);
	assert_in_range(
		strlen(make_command(&arena, true)), 2 * LIMIT_FIRST_BYTES, 9000 - 200);
	first_words = "";
	most.size++;
	assert_string_equal(bootstrap_first(most, &arena), "");
	arena_destroy(&arena);
}

static void the_first_words_are_the_last_argument(void **state)
{
	static const uint8_t frames[] = { 0, '\'', '\n', 0xff };
	struct arena arena = { NULL };
	struct bootstrap without = { nonce, hash, 1, 1, 1, "m", false, NULL };
	const char *command;

	(void)state;
	assert_string_equal(bootstrap_first((struct bytes){ NULL, 0 }, &arena), "");
	first_words = bootstrap_first((struct bytes){ frames, 4 }, &arena);
	command = make_command(&arena, true);
	assert_string_equal(command + strlen(command) - 11, " 1 00270aff");
	first_words = "";
	command = bootstrap_command(&without, &arena);
	assert_string_equal(command + strlen(command) - 5, " m 0 ");
	arena_destroy(&arena);
}

static enum rc take(const char *text, struct bootstrap_start *out, size_t *left)
{
	struct buf in = buf_with_cap(1024 * 1024);
	struct err e;
	enum rc rc;

	buf_append_text(&in, text);
	rc = bootstrap_take_start(&in, nonce, out, &e);
	*left = buf_bytes(&in).size;
	buf_destroy(&in);
	return rc;
}

static void a_start_line_is_found_behind_chatter_at_every_cut(void **state)
{
	static const char text[] = "motd\ncpuherd-start 123 have x\nno newline"
				   "cpuherd-start 00112233445566778899aabbccddeeff "
				   "need gzip /tmp\n";
	struct bootstrap_start start;
	size_t left;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char part[sizeof(text)];

		snprintf(part, sizeof(part), "%.*s", (int)n, text);
		assert_int_equal(take(part, &start, &left), RC_AGAIN);
		assert_int_equal(left, n);
	}
	assert_int_equal(take(text, &start, &left), RC_OK);
	assert_int_equal(left, 0);
	assert_int_equal(start.word, BOOTSTRAP_NEED);
	assert_string_equal(start.text, "gzip /tmp");
	assert_true(bootstrap_wants_gzip(&start));
}

static void bytes_behind_the_start_line_stay(void **state)
{
	struct bootstrap_start start;
	size_t left;

	(void)state;
	assert_int_equal(take("cpuherd-start 00112233445566778899aabbccddeeff have "
			      "cached /x\nFRAME",
				 &start, &left),
		RC_OK);
	assert_int_equal(left, 5);
	assert_int_equal(start.word, BOOTSTRAP_HAVE);
}

static void nonsense_in_a_start_line_is_refused(void **state)
{
	struct bootstrap_start start;
	size_t left;

	(void)state;
	assert_int_equal(take("cpuherd-start 00112233445566778899aabbccddeeff what\n",
				 &start, &left),
		RC_PEER);
}

static void control_bytes_in_a_start_line_do_not_reach_a_terminal(void **state)
{
	struct bootstrap_start start;
	size_t left;

	(void)state;
	assert_int_equal(take("cpuherd-start 00112233445566778899aabbccddeeff fail "
			      "\033[2Jx\n",
				 &start, &left),
		RC_OK);
	assert_null(strchr(start.text, '\033'));
}

static void endless_chatter_is_refused(void **state)
{
	struct bootstrap_start start;
	char *text = malloc(BOOTSTRAP_NOISE_MAX + 2);
	size_t left;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', BOOTSTRAP_NOISE_MAX + 1);
	text[BOOTSTRAP_NOISE_MAX + 1] = '\0';
	assert_int_equal(take(text, &start, &left), RC_LIMIT);
	free(text);
}

static void the_image_in_the_program_is_a_gzipped_executable(void **state)
{
	struct image image = image_of_peer();

	(void)state;
	assert_true(image.raw.size > 1000 && image.raw.size < 320 * 1024);
	assert_memory_equal(image.raw.data, "\177ELF", 4);
	assert_true(image.gzip.size < image.raw.size);
	assert_memory_equal(image.gzip.data, "\037\213", 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_survives_single_quotes_in_any_shell),
		cmocka_unit_test(the_longest_command_is_short_enough_for_every_server),
		cmocka_unit_test(the_first_words_are_the_last_argument),
		cmocka_unit_test(a_start_line_is_found_behind_chatter_at_every_cut),
		cmocka_unit_test(bytes_behind_the_start_line_stay),
		cmocka_unit_test(nonsense_in_a_start_line_is_refused),
		cmocka_unit_test(control_bytes_in_a_start_line_do_not_reach_a_terminal),
		cmocka_unit_test(endless_chatter_is_refused),
		cmocka_unit_test(the_image_in_the_program_is_a_gzipped_executable),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, boot_make, boot_unmake);
}
