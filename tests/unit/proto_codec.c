#include "proto/codec.h"
#include "proto/limits.h"
#include "proto/scan.h"
#include "tests/support/fill.h"
#include "tests/support/test.h"

/* What the tests of one message need. */
struct fixture {
	struct arena arena;
	struct buf wire;
	struct err e;
};

static struct fixture fixture_new(void)
{
	return (struct fixture){ .wire = buf_with_cap(LIMIT_FRAME_BYTES) };
}

static void fixture_destroy(struct fixture *f)
{
	buf_destroy(&f->wire);
	arena_destroy(&f->arena);
}

static void encode(struct fixture *f, const struct message_type *type, const void *value)
{
	assert_rc(codec_encode_message(&f->wire, type->tag, value, &f->e), RC_OK, &f->e);
}

static enum rc decode(
	struct fixture *f, const char *bytes, size_t size, struct message *m)
{
	return codec_decode_message((struct bytes){ (const uint8_t *)bytes, size },
		PROTOCOL_VERSION, &f->arena, m, &f->e);
}

static void every_message_comes_back_as_it_was(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (size_t i = 0; i < message_type_count * 20; i++) {
		const struct message_type *type = &message_types[i % message_type_count];
		struct fixture f = fixture_new();
		struct buf again = buf_with_cap(LIMIT_FRAME_BYTES);
		struct message m;

		encode(&f, type, fill_record(&f.arena, type->record, &seed));
		assert_rc(codec_decode_message(buf_bytes(&f.wire), PROTOCOL_VERSION,
				  &f.arena, &m, &f.e),
			RC_OK, &f.e);
		assert_ptr_equal(m.type, type);
		codec_encode_message(&again, type->tag, m.value, &f.e);
		assert_int_equal(buf_bytes(&again).size, buf_bytes(&f.wire).size);
		assert_memory_equal(buf_bytes(&again).data, buf_bytes(&f.wire).data,
			buf_bytes(&f.wire).size);
		buf_destroy(&again);
		fixture_destroy(&f);
	}
}

/* The bytes themselves, so that encoder and decoder cannot be wrong together. */
static void a_hello_is_these_bytes(void **state)
{
	static const char wanted[] = "\x92\x01\x93\x01\x02\xa4"
				     "test";
	struct hello hello = { .version_min = 1, .version_max = 2, .connect = "test" };
	struct fixture f = fixture_new();
	struct message m;

	(void)state;
	encode(&f, message_type_of(MESSAGE_hello), &hello);
	assert_int_equal(buf_bytes(&f.wire).size, sizeof(wanted) - 1);
	assert_memory_equal(buf_bytes(&f.wire).data, wanted, sizeof(wanted) - 1);
	assert_rc(decode(&f, wanted, sizeof(wanted) - 1, &m), RC_OK, &f.e);
	assert_int_equal(((struct hello *)m.value)->version_max, 2);
	assert_string_equal(((struct hello *)m.value)->connect, "test");
	fixture_destroy(&f);
}

/* Each prefix is copied to memory of exactly its size, so that a read past its
 * end is seen by the address sanitizer. */
static void every_strict_prefix_of_every_message_needs_more(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (size_t i = 0; i < message_type_count; i++) {
		const struct message_type *type = &message_types[i];
		struct fixture f = fixture_new();
		struct bytes whole;

		encode(&f, type, fill_record(&f.arena, type->record, &seed));
		whole = buf_bytes(&f.wire);
		for (size_t size = 0; size < whole.size; size++) {
			char *prefix = test_malloc(size ? size : 1);
			struct message m;

			memcpy(prefix, whole.data, size);
			assert_rc(decode(&f, prefix, size, &m), RC_AGAIN, &f.e);
			test_free(prefix);
		}
		fixture_destroy(&f);
	}
}

/* One value of each kind, written out from msgpack's spec.md: a header that were
 * taken for shorter or longer than it is would shift everything behind it. */
static void every_kind_of_value_ends_where_the_specification_says(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} values[] = {
#define VALUE(bytes) { bytes, sizeof(bytes) - 1 }
		VALUE("\x7f"),
		VALUE("\xff"),
		VALUE("\xc0"),
		VALUE("\xc2"),
		VALUE("\xc3"),
		VALUE("\x82\x01\x02\x03\x04"),
		VALUE("\x92\x01\x02"),
		VALUE("\xa2xy"),
		VALUE("\xc4\x02xy"),
		VALUE("\xc5\0\x02xy"),
		VALUE("\xc6\0\0\0\x02xy"),
		VALUE("\xc7\x02txy"),
		VALUE("\xc8\0\x02txy"),
		VALUE("\xc9\0\0\0\x02txy"),
		VALUE("\xca"
		      "1234"),
		VALUE("\xcb"
		      "12345678"),
		VALUE("\xcc"
		      "1"),
		VALUE("\xcd"
		      "12"),
		VALUE("\xce"
		      "1234"),
		VALUE("\xcf"
		      "12345678"),
		VALUE("\xd0"
		      "1"),
		VALUE("\xd1"
		      "12"),
		VALUE("\xd2"
		      "1234"),
		VALUE("\xd3"
		      "12345678"),
		VALUE("\xd4"
		      "t1"),
		VALUE("\xd5"
		      "t12"),
		VALUE("\xd6"
		      "t1234"),
		VALUE("\xd7"
		      "t12345678"),
		VALUE("\xd8"
		      "t1234567812345678"),
		VALUE("\xd9\x02xy"),
		VALUE("\xda\0\x02xy"),
		VALUE("\xdb\0\0\0\x02xy"),
		VALUE("\xdc\0\x02\x01\x02"),
		VALUE("\xdd\0\0\0\x02\x01\x02"),
		VALUE("\xde\0\x01\x01\x02"),
		VALUE("\xdf\0\0\0\x01\x01\x02"),
		VALUE("\x92\x91\xc0\x81\xa1x\x90"),
#undef VALUE
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		for (size_t cut = 0; cut <= values[i].size; cut++) {
			struct bytes in = { (const uint8_t *)values[i].bytes, cut };
			size_t size = 0;
			struct err e;

			assert_rc(scan_value(in, &size, &e),
				cut < values[i].size ? RC_AGAIN : RC_OK, &e);
			assert_int_equal(size, cut < values[i].size ? 0 : values[i].size);
		}
}

static void fields_of_a_newer_version_are_skipped(void **state)
{
	/* a welcome with two fields that nobody knows yet: a map and a list */
	static const char newer[] = "\x92\x02\x95\x01\xa3"
				    "9.9\x00\x81\xa1x\x05\x92\x01\x02";
	struct fixture f = fixture_new();
	struct message m;

	(void)state;
	assert_rc(decode(&f, newer, sizeof(newer) - 1, &m), RC_OK, &f.e);
	assert_string_equal(((struct welcome *)m.value)->peer_version, "9.9");
	fixture_destroy(&f);
}

static void a_missing_field_is_named_unless_the_sender_is_older_than_it(void **state)
{
	static const char short_welcome[] = "\x92\x02\x92\x01\xa3"
					    "0.1";
	struct fixture f = fixture_new();
	struct bytes in = { (const uint8_t *)short_welcome, sizeof(short_welcome) - 1 };
	struct message m;

	(void)state;
	assert_rc(codec_decode_message(in, 1, &f.arena, &m, &f.e), RC_PROTOCOL, &f.e);
	assert_contains(f.e.text, "welcome.uid is missing");
	assert_rc(codec_decode_message(in, 0, &f.arena, &m, &f.e), RC_OK, &f.e);
	assert_int_equal(((struct welcome *)m.value)->uid, 0);
	fixture_destroy(&f);
}

static const struct hostile {
	const char *why;
	const char *bytes;
	size_t size;
	enum rc rc;
	const char *text; /* part of the error */
} hostile[] = {
#define HOSTILE(why, bytes, rc, text) \
	{ \
		why, bytes, sizeof(bytes) - 1, rc, text \
	}
	HOSTILE("four billion elements in five bytes", "\xdd\xff\xff\xff\xff", RC_LIMIT,
		"list"),
	HOSTILE("a four gigabyte text", "\xdb\xff\xff\xff\xff", RC_LIMIT, "text"),
	HOSTILE("four gigabytes of bytes", "\xc6\xff\xff\xff\xff", RC_LIMIT, "text"),
	HOSTILE("a map of two billion pairs", "\xdf\x7f\xff\xff\xff", RC_LIMIT, "list"),
	HOSTILE("lists without end",
		"\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01", RC_LIMIT,
		"deeper"),
	HOSTILE("the byte that is never used", "\x92\xc1\x90", RC_PROTOCOL, "0xc1"),
	HOSTILE("no list at all", "\x05", RC_PROTOCOL, "not a message"),
	HOSTILE("an empty list", "\x90", RC_PROTOCOL, "not a message"),
	HOSTILE("a tag without a record", "\x91\x01", RC_PROTOCOL, "not a message"),
	HOSTILE("a negative tag", "\x92\xff\x90", RC_PROTOCOL, "not a message"),
	HOSTILE("an unknown tag", "\x92\xcd\x03\xe7\x90", RC_PROTOCOL, "999"),
	HOSTILE("a record that is a number", "\x92\x15\x05", RC_PROTOCOL, "not a record"),
	HOSTILE("a number beyond 32 bits",
		"\x92\x15\x91\xcf\x00\x00\x00\x01\x00\x00\x00\x00", RC_PROTOCOL,
		"bye.reserved is not a u32"),
	HOSTILE("a negative number", "\x92\x15\x91\xff", RC_PROTOCOL, "not a u32"),
	HOSTILE("a text with a NUL",
		"\x92\x0d\x91\xa3"
		"a\0b",
		RC_PROTOCOL, "commit.run"),
	HOSTILE("a number for a text", "\x92\x0d\x91\x05", RC_PROTOCOL, "commit.run"),
	HOSTILE("a number for a flag", "\x92\x0e\x91\x05", RC_PROTOCOL,
		"committed.changed"),
	HOSTILE("a text for bytes", "\x92\x06\x93\xa1x\xa1x\xc2", RC_PROTOCOL,
		"body.content"),
	HOSTILE("a text for a list", "\x92\x05\x91\xa1x", RC_PROTOCOL,
		"ask_bodies.names"),
	HOSTILE("two messages at once", "\x92\x15\x91\x00\x00", RC_PROTOCOL, "follow"),
};

static void hostile_bytes_are_refused_and_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		const struct hostile *h = &hostile[i];
		struct fixture f = fixture_new();
		struct message m;

		print_message("  %s\n", h->why);
		assert_rc(decode(&f, h->bytes, h->size, &m), h->rc, &f.e);
		assert_contains(f.e.text, h->text);
		fixture_destroy(&f);
	}
}

/* One byte of each message changed in every way: any outcome but a crash, a
 * leak, or memory out of proportion (the fixture's arena is the only owner). */
static void no_changed_byte_does_harm(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (size_t i = 0; i < message_type_count; i++) {
		const struct message_type *type = &message_types[i];
		struct fixture f = fixture_new();
		struct bytes whole;

		encode(&f, type, fill_record(&f.arena, type->record, &seed));
		whole = buf_bytes(&f.wire);
		for (size_t at = 0; at < whole.size; at++)
			for (int byte = 0; byte < 256; byte += 5) {
				uint8_t saved = whole.data[at];
				struct message m;

				f.wire.memory[f.wire.start + at] = (uint8_t)byte;
				(void)decode(
					&f, (const char *)whole.data, whole.size, &m);
				f.wire.memory[f.wire.start + at] = saved;
			}
		fixture_destroy(&f);
	}
}

static void a_message_larger_than_the_buffer_leaves_no_half(void **state)
{
	struct fixture f = fixture_new();
	struct buf small = buf_with_cap(16);
	struct commit commit = {
		.run = "a name that is longer than the buffer may grow"
	};

	(void)state;
	assert_int_equal(buf_append_text(&small, "before"), RC_OK);
	assert_rc(codec_encode_message(&small, MESSAGE_commit, &commit, &f.e), RC_LIMIT,
		&f.e);
	assert_int_equal(buf_bytes(&small).size, 6);
	buf_destroy(&small);
	fixture_destroy(&f);
}

/* Tags and fields are a promise to nodes that run another version. */
static void tags_are_unique_and_every_answer_names_a_request(void **state)
{
	(void)state;
	for (size_t i = 0; i < message_type_count; i++) {
		const struct message_type *m = &message_types[i];
		bool found = m->direction == TO_PEER || m->tag == MESSAGE_failure;

		assert_ptr_equal(message_type_of(m->tag), m);
		for (size_t j = 0; j < message_type_count; j++)
			if (strcmp(message_types[j].name, m->answers) == 0)
				found = message_types[j].direction == TO_PEER;
		assert_true(found);
		for (size_t k = 1; k < m->record->field_count; k++)
			assert_true(m->record->fields[k].since >=
				    m->record->fields[k - 1].since);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(every_message_comes_back_as_it_was),
		cmocka_unit_test(a_hello_is_these_bytes),
		cmocka_unit_test(every_strict_prefix_of_every_message_needs_more),
		cmocka_unit_test(every_kind_of_value_ends_where_the_specification_says),
		cmocka_unit_test(fields_of_a_newer_version_are_skipped),
		cmocka_unit_test(
			a_missing_field_is_named_unless_the_sender_is_older_than_it),
		cmocka_unit_test(hostile_bytes_are_refused_and_named),
		cmocka_unit_test(no_changed_byte_does_harm),
		cmocka_unit_test(a_message_larger_than_the_buffer_leaves_no_half),
		cmocka_unit_test(tags_are_unique_and_every_answer_names_a_request),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
