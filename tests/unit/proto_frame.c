#include "proto/frame.h"
#include "proto/limits.h"
#include "tests/support/test.h"

struct fixture {
	struct arena arena;
	struct buf stream;
	struct err e;
	struct message m;
};

static struct fixture fixture_new(void)
{
	return (struct fixture){ .stream = buf_with_cap(2 * LIMIT_FRAME_BYTES) };
}

static void fixture_destroy(struct fixture *f)
{
	buf_destroy(&f->stream);
	arena_destroy(&f->arena);
}

static enum rc take(struct fixture *f)
{
	return frame_take(&f->stream, PROTOCOL_VERSION, &f->arena, &f->m, &f->e);
}

static void put_commit(struct fixture *f, const char *run)
{
	struct commit commit = { .run = run };

	assert_rc(frame_put(&f->stream, MESSAGE_commit, &commit, &f->e), RC_OK, &f->e);
}

static void frames_come_out_one_by_one_in_order(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	put_commit(&f, "first");
	put_commit(&f, "second");
	assert_rc(take(&f), RC_OK, &f.e);
	assert_string_equal(((struct commit *)f.m.value)->run, "first");
	assert_rc(take(&f), RC_OK, &f.e);
	assert_string_equal(((struct commit *)f.m.value)->run, "second");
	assert_rc(take(&f), RC_AGAIN, &f.e);
	fixture_destroy(&f);
}

static void a_frame_that_arrives_byte_by_byte_is_one_frame(void **state)
{
	struct fixture f = fixture_new(), whole = fixture_new();
	struct bytes bytes;

	(void)state;
	put_commit(&whole, "run");
	bytes = buf_bytes(&whole.stream);
	for (size_t i = 0; i < bytes.size; i++) {
		assert_rc(take(&f), RC_AGAIN, &f.e);
		assert_int_equal(buf_append(&f.stream, bytes.data + i, 1), RC_OK);
	}
	assert_rc(take(&f), RC_OK, &f.e);
	assert_int_equal(buf_bytes(&f.stream).size, 0);
	fixture_destroy(&f);
	fixture_destroy(&whole);
}

static void frame_longer_than_cap_is_refused_before_its_bytes_arrive(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(buf_append(&f.stream, "\x7f\xff\xff\xff", 4), RC_OK);
	assert_rc(take(&f), RC_LIMIT, &f.e);
	assert_contains(f.e.text, "2147483647");
	fixture_destroy(&f);
}

static void empty_frame_is_refused(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(buf_append(&f.stream, "\0\0\0\0", 4), RC_OK);
	assert_rc(take(&f), RC_PROTOCOL, &f.e);
	fixture_destroy(&f);
}

/* "need more" inside a whole frame would wait for ever */
static void a_message_cut_short_inside_a_whole_frame_is_an_error(void **state)
{
	struct fixture f = fixture_new();

	(void)state;
	assert_int_equal(buf_append(&f.stream, "\0\0\0\x03\x92\x0d\x91", 7), RC_OK);
	assert_rc(take(&f), RC_PROTOCOL, &f.e);
	fixture_destroy(&f);
}

static void a_message_too_large_for_a_frame_is_not_put(void **state)
{
	struct fixture f = fixture_new();
	struct body body = { .name = "host" };
	uint8_t *big = test_calloc(1, LIMIT_FRAME_BYTES);

	(void)state;
	body.content = (struct bytes){ big, LIMIT_FRAME_BYTES };
	assert_rc(frame_put(&f.stream, MESSAGE_body, &body, &f.e), RC_LIMIT, &f.e);
	assert_int_equal(buf_bytes(&f.stream).size, 0);
	put_commit(&f, "still usable");
	assert_rc(take(&f), RC_OK, &f.e);
	test_free(big);
	fixture_destroy(&f);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(frames_come_out_one_by_one_in_order),
		cmocka_unit_test(a_frame_that_arrives_byte_by_byte_is_one_frame),
		cmocka_unit_test(
			frame_longer_than_cap_is_refused_before_its_bytes_arrive),
		cmocka_unit_test(empty_frame_is_refused),
		cmocka_unit_test(a_message_cut_short_inside_a_whole_frame_is_an_error),
		cmocka_unit_test(a_message_too_large_for_a_frame_is_not_put),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
