#include "proto/codec.h"

#include <msgpack.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/scan.h"

/* ---- encoding */

struct sink {
	struct buf *out;
	enum rc rc; /* the first failure; msgpack only knows "failed" */
};

static int sink_write(void *data, const char *bytes, size_t size)
{
	struct sink *sink = data;

	if (sink->rc == RC_OK)
		sink->rc = buf_append(sink->out, bytes, size);
	return sink->rc == RC_OK ? 0 : -1;
}

static int pack_text(msgpack_packer *p, const char *s)
{
	return msgpack_pack_str_with_body(p, s ? s : "", s ? strlen(s) : 0);
}

static int pack_texts(msgpack_packer *p, const struct texts *t)
{
	int failed = msgpack_pack_array(p, t->count);

	for (size_t i = 0; i < t->count && !failed; i++)
		failed = pack_text(p, t->item[i]);
	return failed;
}

static int pack_record(msgpack_packer *p, const struct record *record, const void *value);

static int pack_list(msgpack_packer *p, const struct record *of, const struct list *list)
{
	int failed = msgpack_pack_array(p, list->count);

	for (size_t i = 0; i < list->count && !failed; i++)
		failed = pack_record(p, of, (const char *)list->item + i * of->size);
	return failed;
}

static int pack_field(msgpack_packer *p, const struct field *field, const void *member)
{
	const struct bytes *bytes = member;

	switch (field->type) {
	case TYPE_u32:
		return msgpack_pack_uint32(p, *(const uint32_t *)member);
	case TYPE_u64:
		return msgpack_pack_uint64(p, *(const uint64_t *)member);
	case TYPE_flag:
		return *(const bool *)member ? msgpack_pack_true(p)
					     : msgpack_pack_false(p);
	case TYPE_text:
		return pack_text(p, *(const char *const *)member);
	case TYPE_bytes:
		return msgpack_pack_bin_with_body(
			p, bytes->size ? (const char *)bytes->data : "", bytes->size);
	case TYPE_texts:
		return pack_texts(p, member);
	case TYPE_list:
		return pack_list(p, field->of, member);
	}
	return -1;
}

static int pack_record(msgpack_packer *p, const struct record *record, const void *value)
{
	int failed = msgpack_pack_array(p, record->field_count);

	for (size_t i = 0; i < record->field_count && !failed; i++) {
		const struct field *field = &record->fields[i];

		failed = pack_field(p, field, (const char *)value + field->offset);
	}
	return failed;
}

/* What went into the buffer before a failure must not stay there. */
static enum rc sink_finish(
	struct sink *sink, size_t before, const char *what, struct err *e)
{
	if (sink->rc == RC_OK)
		return RC_OK;
	sink->out->end = sink->out->start + before;
	if (sink->rc == RC_LIMIT)
		return err_set(e, RC_LIMIT, 0, "%s is larger than %zu bytes", what,
			sink->out->cap);
	return err_memory(e);
}

enum rc codec_encode(
	struct buf *out, const struct record *record, const void *value, struct err *e)
{
	struct sink sink = { out, RC_OK };
	size_t before = buf_bytes(out).size;
	msgpack_packer p;

	msgpack_packer_init(&p, &sink, sink_write);
	pack_record(&p, record, value);
	return sink_finish(&sink, before, record->name, e);
}

enum rc codec_encode_message(
	struct buf *out, enum message_tag tag, const void *value, struct err *e)
{
	const struct message_type *type = message_type_of(tag);
	struct sink sink = { out, RC_OK };
	size_t before = buf_bytes(out).size;
	msgpack_packer p;

	if (!type)
		return err_set(
			e, RC_INTERNAL, 0, "there is no message with tag %d", (int)tag);
	msgpack_packer_init(&p, &sink, sink_write);
	if (!msgpack_pack_array(&p, 2) && !msgpack_pack_uint32(&p, tag))
		pack_record(&p, type->record, value);
	return sink_finish(&sink, before, type->name, e);
}

/* ---- decoding */

/* What every step of decoding needs; path names the field for error texts. */
struct reader {
	struct arena *arena;
	uint32_t version;
	const char *record, *field;
	struct err *e;
};

static enum rc wrong_type(const struct reader *r, const char *wanted)
{
	return err_set(
		r->e, RC_PROTOCOL, 0, "%s.%s is not %s", r->record, r->field, wanted);
}

static enum rc read_unsigned(
	const struct reader *r, const msgpack_object *o, uint64_t max, uint64_t *out)
{
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > max)
		return wrong_type(r, max == UINT32_MAX ? "a u32" : "a u64");
	*out = o->via.u64;
	return RC_OK;
}

static enum rc read_text(
	const struct reader *r, const msgpack_object *o, const char **out)
{
	/* msgpack-c gives NULL for the empty string */
	if (o->type != MSGPACK_OBJECT_STR ||
		(o->via.str.size && memchr(o->via.str.ptr, '\0', o->via.str.size)))
		return wrong_type(r, "a text");
	*out = arena_text_n(r->arena, o->via.str.ptr, o->via.str.size);
	return *out ? RC_OK : err_memory(r->e);
}

static enum rc read_bytes(
	const struct reader *r, const msgpack_object *o, struct bytes *out)
{
	if (o->type != MSGPACK_OBJECT_BIN)
		return wrong_type(r, "bytes");
	out->data = (uint8_t *)arena_text_n(r->arena, o->via.bin.ptr, o->via.bin.size);
	out->size = o->via.bin.size;
	return out->data ? RC_OK : err_memory(r->e);
}

static enum rc read_texts(
	const struct reader *r, const msgpack_object *o, struct texts *out)
{
	enum rc rc = RC_OK;

	if (o->type != MSGPACK_OBJECT_ARRAY)
		return wrong_type(r, "a list");
	out->count = o->via.array.size;
	out->item = arena_alloc(r->arena, out->count, sizeof(out->item[0]));
	if (!out->item)
		return err_memory(r->e);
	for (size_t i = 0; i < out->count && rc == RC_OK; i++)
		rc = read_text(r, &o->via.array.ptr[i], &out->item[i]);
	return rc;
}

static enum rc read_record(struct reader r, const msgpack_object *o,
	const struct record *record, void *value);

static enum rc read_list(const struct reader *r, const msgpack_object *o,
	const struct record *of, struct list *out)
{
	enum rc rc = RC_OK;

	if (o->type != MSGPACK_OBJECT_ARRAY)
		return wrong_type(r, "a list");
	out->count = o->via.array.size;
	out->item = arena_alloc(r->arena, out->count, of->size);
	if (!out->item)
		return err_memory(r->e);
	for (size_t i = 0; i < out->count && rc == RC_OK; i++)
		rc = read_record(
			*r, &o->via.array.ptr[i], of, (char *)out->item + i * of->size);
	return rc;
}

static enum rc read_field(const struct reader *r, const msgpack_object *o,
	const struct field *field, void *member)
{
	uint64_t number = 0;
	enum rc rc = RC_INTERNAL;

	switch (field->type) {
	case TYPE_u32:
		rc = read_unsigned(r, o, UINT32_MAX, &number);
		*(uint32_t *)member = (uint32_t)number;
		return rc;
	case TYPE_u64:
		return read_unsigned(r, o, UINT64_MAX, member);
	case TYPE_flag:
		if (o->type != MSGPACK_OBJECT_BOOLEAN)
			return wrong_type(r, "a flag");
		*(bool *)member = o->via.boolean;
		return RC_OK;
	case TYPE_text:
		return read_text(r, o, member);
	case TYPE_bytes:
		return read_bytes(r, o, member);
	case TYPE_texts:
		return read_texts(r, o, member);
	case TYPE_list:
		return read_list(r, o, field->of, member);
	}
	return rc;
}

/* A sender of an older version knows nothing of the last fields. */
static void default_field(const struct field *field, void *member)
{
	if (field->type == TYPE_text)
		*(const char **)member = "";
}

static enum rc read_record(struct reader r, const msgpack_object *o,
	const struct record *record, void *value)
{
	enum rc rc = RC_OK;

	if (o->type != MSGPACK_OBJECT_ARRAY)
		return err_set(r.e, RC_PROTOCOL, 0, "%s is not a record", record->name);
	r.record = record->name;
	for (size_t i = 0; i < record->field_count && rc == RC_OK; i++) {
		const struct field *field = &record->fields[i];
		void *member = (char *)value + field->offset;

		r.field = field->name;
		if (i < o->via.array.size)
			rc = read_field(&r, &o->via.array.ptr[i], field, member);
		else if (field->since <= r.version)
			rc = err_set(r.e, RC_PROTOCOL, 0, "%s.%s is missing",
				record->name, field->name);
		else
			default_field(field, member);
	}
	return rc;
}

/* Parses exactly one value; *unpacked owns it. */
static enum rc unpack_all(struct bytes in, msgpack_unpacked *unpacked, struct err *e)
{
	size_t size, offset = 0;
	enum rc rc = scan_value(in, &size, e);

	if (rc == RC_AGAIN)
		err_set(e, RC_AGAIN, 0, "it ends too early");
	if (rc != RC_OK)
		return rc;
	if (size != in.size)
		return err_set(
			e, RC_PROTOCOL, 0, "%zu bytes follow the value", in.size - size);
	switch (msgpack_unpack_next(unpacked, (const char *)in.data, in.size, &offset)) {
	case MSGPACK_UNPACK_SUCCESS:
	case MSGPACK_UNPACK_EXTRA_BYTES:
		return RC_OK;
	case MSGPACK_UNPACK_NOMEM_ERROR:
		return err_memory(e);
	default:
		return err_set(e, RC_PROTOCOL, 0, "no msgpack value");
	}
}

enum rc codec_decode(const struct record *record, struct bytes in, uint32_t version,
	struct arena *arena, void *value, struct err *e)
{
	struct reader r = { arena, version, record->name, "", e };
	msgpack_unpacked unpacked;
	enum rc rc;

	msgpack_unpacked_init(&unpacked);
	rc = unpack_all(in, &unpacked, e);
	if (rc == RC_OK)
		rc = read_record(r, &unpacked.data, record, value);
	msgpack_unpacked_destroy(&unpacked);
	return rc;
}

static enum rc read_message(struct reader r, const msgpack_object *o, struct message *out)
{
	const msgpack_object *tag = o->via.array.ptr;

	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size < 2 ||
		tag->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return err_set(r.e, RC_PROTOCOL, 0, "not a message");
	out->type = tag->via.u64 <= UINT32_MAX ? message_type_of((uint32_t)tag->via.u64)
					       : NULL;
	if (!out->type)
		return err_set(r.e, RC_PROTOCOL, 0, "a message with the unknown tag %llu",
			(unsigned long long)tag->via.u64);
	out->value = arena_alloc(r.arena, 1, out->type->record->size);
	if (!out->value)
		return err_memory(r.e);
	return read_record(r, &o->via.array.ptr[1], out->type->record, out->value);
}

enum rc codec_decode_message(struct bytes in, uint32_t version, struct arena *arena,
	struct message *out, struct err *e)
{
	struct reader r = { arena, version, "message", "", e };
	msgpack_unpacked unpacked;
	enum rc rc;

	msgpack_unpacked_init(&unpacked);
	rc = unpack_all(in, &unpacked, e);
	if (rc == RC_OK)
		rc = read_message(r, &unpacked.data, out);
	msgpack_unpacked_destroy(&unpacked);
	return rc;
}
