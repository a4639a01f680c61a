#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/lookup.h"
#include "base/text.h"
#include "base/token.h"
#include "tests/support/test.h"

static void an_error_text_is_one_printable_line(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(
		err_set(&e, RC_AUTH, 7, "said \"%s\"", "\033[31mno\nway\177"), RC_AUTH);
	assert_string_equal(e.text, "said \"?[31mno?way?\"");
	assert_int_equal(e.native, 7);
}

static void a_long_error_text_is_cut_not_overrun(void **state)
{
	struct err e;
	char big[2 * ERR_TEXT_MAX];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, RC_INPUT, 0, "%s", big);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
}

static void every_code_has_a_meaning_and_failures_have_a_status(void **state)
{
	(void)state;
	for (enum rc code = 0; code < RC_COUNT; code++) {
		assert_true(strlen(rc_name(code)) > 0);
		assert_true(strlen(rc_meaning(code)) > 0);
		if (code != RC_OK && code != RC_AGAIN)
			assert_true(rc_exit_status(code) > 1);
		for (enum rc other = RC_USAGE; other < code; other++)
			assert_int_not_equal(rc_exit_status(other), rc_exit_status(code));
	}
}

static void names_with_anything_but_letters_digits_dot_dash_underscore_are_refused(
	void **state)
{
	static const char *const good[] = { "a", "node01", "sse4.1", "tsc_adjust",
		"EPYC-Rome" };
	static const char *const bad[] = { "", ".", "..", ".ssh", "-v", "a/b", "a b",
		"a'b", "a\n", "\xc3\xa9", "a;b", "a<b" };
	char long_name[130];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(text_is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_name(bad[i]));
	memset(long_name, 'a', sizeof(long_name));
	long_name[129] = '\0';
	assert_false(text_is_name(long_name));
	long_name[128] = '\0';
	assert_true(text_is_name(long_name));
}

static void only_libvirts_form_of_a_uuid_is_one(void **state)
{
	static const char *const bad[] = { "", "web1", "../../etc",
		"C0FFEE00-0000-4000-8000-000000000001",
		"c0ffee00-0000-4000-8000-00000000000",
		"c0ffee00-0000-4000-8000-0000000000011",
		"c0ffee00000040008000000000000001",
		"c0ffee00/0000-4000-8000-000000000001" };

	(void)state;
	assert_true(text_is_uuid("c0ffee00-0000-4000-8000-000000000001"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_uuid(bad[i]));
}

/* The first write() is cut short at the limit, the second one fails. */
static void what_is_written_is_whole_or_an_error(void **state)
{
	static const uint8_t many[300000];
	const struct rlimit small = { 100000, RLIM_INFINITY };
	char name[] = "/tmp/base.XXXXXX";
	struct rlimit before;
	struct stat st;
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0 && unlink(name) == 0);
	assert_int_equal(file_write_all(fd, (struct bytes){ many, sizeof(many) }), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, sizeof(many));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(file_write_all(fd, (struct bytes){ many, sizeof(many) }), EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 100000);
	close(fd);
}

static void a_terminal_gets_no_control_bytes_but_utf8_stays(void **state)
{
	char s[] = "caf\xc3\xa9 \033]0;title\a \xc2\x9b"
		   "31m";

	(void)state;
	text_make_printable(s);
	assert_string_equal(s, "caf\xc3\xa9 ?]0;title? ??31m");
}

static void numbers_are_whole_and_fit(void **state)
{
	uint64_t wide;
	uint32_t narrow;

	(void)state;
	assert_true(text_to_u64("0xFFFFFFFFFFFFFFFF", &wide));
	assert_true(wide == UINT64_MAX);
	assert_false(text_to_u64("18446744073709551616", &wide));
	assert_true(text_to_u32("4294967295", &narrow));
	assert_false(text_to_u32("4294967296", &narrow));
	assert_false(text_to_u32("-1", &narrow));
	assert_false(text_to_u32(" 1", &narrow));
	assert_false(text_to_u32("1x", &narrow));
	assert_false(text_to_u32("0x", &narrow));
	assert_false(text_to_u32("", &narrow));
}

static void a_buffer_never_holds_more_than_its_cap(void **state)
{
	struct buf b = buf_with_cap(10);

	(void)state;
	assert_int_equal(buf_append(&b, "12345678", 8), RC_OK);
	assert_int_equal(buf_append(&b, "123", 3), RC_LIMIT);
	assert_int_equal(buf_bytes(&b).size, 8);
	buf_consume(&b, 5);
	assert_int_equal(buf_append(&b, "abcdefg", 7), RC_OK);
	assert_memory_equal(buf_bytes(&b).data, "678abcdefg", 10);
	buf_destroy(&b);
	buf_destroy(&b);
}

static void bytes_come_out_of_a_buffer_as_they_went_in(void **state)
{
	struct buf b = buf_with_cap(100000);
	uint64_t seed = 1;
	uint32_t in = 0, out = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint8_t byte = (uint8_t)in;

		if (test_random(&seed) % 3 && buf_append(&b, &byte, 1) == RC_OK)
			in++;
		else if (buf_bytes(&b).size) {
			assert_int_equal(buf_bytes(&b).data[0], (uint8_t)out++);
			buf_consume(&b, 1);
		}
	}
	assert_int_equal(in - out, buf_bytes(&b).size);
	buf_destroy(&b);
}

static void arena_memory_is_zeroed_aligned_and_apart(void **state)
{
	struct arena a = { 0 };
	unsigned char *previous = NULL;

	(void)state;
	for (size_t size = 1; size < 40000; size = size * 2 + 1) {
		unsigned char *p = arena_alloc(&a, 1, size);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
		if (previous)
			assert_int_equal(*previous, 0xff);
		previous = p;
	}
	assert_null(arena_alloc(&a, SIZE_MAX / 2, 4));
	arena_destroy(&a);
	arena_destroy(&a);
}

/* Crashed as an aligned AVX2 load from an array of bitsets. */
static void an_array_of_cache_lines_begins_on_one(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_non_null(arena_alloc(&a, 1, 1 + (size_t)i % 70));
		assert_int_equal(
			(uintptr_t)arena_alloc(&a, 1 + (size_t)i % 3, 128) % 64, 0);
	}
	arena_destroy(&a);
}

static void a_growing_array_keeps_its_items(void **state)
{
	struct arena a = { 0 };
	uint32_t *numbers = NULL;

	(void)state;
	for (uint32_t n = 0; n < 1000; n++) {
		numbers = arena_grow(&a, numbers, n, sizeof(*numbers));
		numbers[n] = n;
	}
	for (uint32_t n = 0; n < 1000; n++)
		assert_int_equal(numbers[n], n);
	arena_destroy(&a);
}

/* FIPS 180-2, appendix B.1 */
static void sha256_of_abc_is_the_published_one(void **state)
{
	struct digest d = digest_of("abc", 3);
	char hex[DIGEST_HEX_MAX];

	(void)state;
	digest_to_hex(&d, hex);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(digest_equals(&d, (struct bytes){ d.byte, DIGEST_BYTES }));
	assert_false(digest_equals(&d, (struct bytes){ d.byte, DIGEST_BYTES - 1 }));
}

static void tokens_are_hexadecimal_fill_their_room_and_differ(void **state)
{
	char first[33], second[33];
	struct err e;

	(void)state;
	assert_rc(token_make(first, sizeof(first), &e), RC_OK, &e);
	assert_rc(token_make(second, sizeof(second), &e), RC_OK, &e);
	assert_int_equal(strlen(first), 32);
	assert_int_equal(strspn(first, "0123456789abcdef"), 32);
	assert_string_not_equal(first, second);
	assert_rc(token_make(first, 1000, &e), RC_INTERNAL, &e);
}

static void every_byte_is_two_digits_and_comes_back(void **state)
{
	uint8_t all[256], back[256];
	char text[2 * sizeof(all) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	hex_write((struct bytes){ all, sizeof(all) }, text);
	assert_int_equal(strlen(text), 2 * sizeof(all));
	assert_memory_equal(text, "000102030405060708090a0b", 24);
	assert_true(hex_read(text, back, sizeof(back)));
	assert_memory_equal(all, back, sizeof(all));
	hex_write((struct bytes){ NULL, 0 }, text);
	assert_string_equal(text, "");
	assert_true(hex_read("", back, 0));
}

static void what_is_not_so_many_digits_is_no_bytes(void **state)
{
	static const char *const texts[] = { "", "a", "ab1", "ab123", "ab12cd", "ab12 ",
		"AB12", "ab 1", "0x12", "ab1g", "-112", "ab1\377" };
	uint8_t out[2];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (hex_read(texts[i], out, sizeof(out)))
			fail_msg("\"%s\" was read", texts[i]);
}

/* Hashes that are shared, as one who means harm would choose them. */
static void a_lookup_gives_all_numbers_of_a_hash_and_no_others(void **state)
{
	struct arena arena = { 0 };
	struct lookup l = { 0 };
	struct err e;

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		assert_rc(lookup_add(&l, i % 7 << 60 | i % 3, i, &arena, &e), RC_OK, &e);
	for (uint64_t h = 0; h < 21; h++) {
		size_t cursor = 0, found = 0, at;

		while ((at = lookup_next(&l, h % 7 << 60 | h % 3, &cursor)) != SIZE_MAX) {
			assert_int_equal(at % 21, h);
			found++;
		}
		assert_int_equal(found, 1000 / 21 + (h < 1000 % 21));
	}
	assert_true(lookup_hash((struct bytes){ (const uint8_t *)"a", 1 }) !=
		    lookup_hash((struct bytes){ (const uint8_t *)"a\0", 2 }));
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(every_byte_is_two_digits_and_comes_back),
		cmocka_unit_test(what_is_not_so_many_digits_is_no_bytes),
		cmocka_unit_test(an_error_text_is_one_printable_line),
		cmocka_unit_test(a_long_error_text_is_cut_not_overrun),
		cmocka_unit_test(every_code_has_a_meaning_and_failures_have_a_status),
		cmocka_unit_test(
			names_with_anything_but_letters_digits_dot_dash_underscore_are_refused),
		cmocka_unit_test(only_libvirts_form_of_a_uuid_is_one),
		cmocka_unit_test(what_is_written_is_whole_or_an_error),
		cmocka_unit_test(a_terminal_gets_no_control_bytes_but_utf8_stays),
		cmocka_unit_test(numbers_are_whole_and_fit),
		cmocka_unit_test(a_buffer_never_holds_more_than_its_cap),
		cmocka_unit_test(bytes_come_out_of_a_buffer_as_they_went_in),
		cmocka_unit_test(arena_memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(an_array_of_cache_lines_begins_on_one),
		cmocka_unit_test(a_growing_array_keeps_its_items),
		cmocka_unit_test(tokens_are_hexadecimal_fill_their_room_and_differ),
		cmocka_unit_test(a_lookup_gives_all_numbers_of_a_hash_and_no_others),
		cmocka_unit_test(sha256_of_abc_is_the_published_one),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
