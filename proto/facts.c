#include "proto/facts.h"

#include <string.h>

#include "proto/codec.h"
#include "proto/limits.h"

const struct body_row body_rows[BODY_COUNT] = {
#define BODY_ROW(body_name, kind, meaning) \
	[BODY_##body_name] = { #body_name, BODY_KIND_##kind, meaning },
	BODIES(BODY_ROW)
#undef BODY_ROW
};

enum body_id body_id_of(const char *name)
{
	enum body_id id = 0;

	while (id < BODY_COUNT && strcmp(body_rows[id].name, name) != 0)
		id++;
	return id;
}

void facts_init(struct node_facts *f)
{
	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < record_facts.field_count; i++) {
		const struct field *field = &record_facts.fields[i];

		if (field->type == TYPE_text)
			*(const char **)((char *)&f->small + field->offset) = "";
	}
	for (enum body_id id = 0; id < BODY_COUNT; id++)
		f->text[id] = "";
}

const char *facts_gap(const struct facts *f, const char *fact)
{
	const struct gap *gaps = f->gaps.item;

	for (size_t i = 0; i < f->gaps.count; i++)
		if (strcmp(gaps[i].fact, fact) == 0)
			return gaps[i].reason;
	return NULL;
}

enum rc facts_put_body(struct node_facts *f, enum body_id id, struct bytes content,
	struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	if (content.size > LIMIT_BODY_BYTES)
		return err_set(e, RC_LIMIT, 0, "%s of %zu bytes, at most %d are accepted",
			body_rows[id].name, content.size, LIMIT_BODY_BYTES);
	if (body_rows[id].kind == BODY_KIND_registers) {
		rc = codec_decode(&record_registers, content, PROTOCOL_VERSION, arena,
			&f->registers[id], e);
		if (rc == RC_AGAIN)
			rc = err_set(
				e, RC_PROTOCOL, 0, "%s is cut short", body_rows[id].name);
	} else if (content.size && memchr(content.data, '\0', content.size)) {
		rc = err_set(
			e, RC_PROTOCOL, 0, "%s holds a NUL byte", body_rows[id].name);
	} else {
		f->text[id] = arena_text_n(arena, content.data, content.size);
		if (!f->text[id])
			rc = err_memory(e);
	}
	f->present[id] = rc == RC_OK;
	return rc;
}

enum rc facts_body_bytes(
	const struct node_facts *f, enum body_id id, struct buf *out, struct err *e)
{
	enum rc rc;

	if (body_rows[id].kind == BODY_KIND_registers)
		return codec_encode(out, &record_registers, &f->registers[id], e);
	rc = buf_append_text(out, f->text[id]);
	if (rc == RC_LIMIT)
		return err_set(e, RC_LIMIT, 0, "%s is larger than %zu bytes",
			body_rows[id].name, out->cap);
	return rc == RC_OK ? RC_OK : err_memory(e);
}
