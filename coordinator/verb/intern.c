#include "coordinator/verb/intern.h"

#include <string.h>

#include "base/text.h"
#include "proto/dump.h"
#include "proto/limits.h"

enum { TEXT_BYTES_MAX = 64 * 1024 * 1024 };

/* A text without the lines of its own facts, and what was made of it. */
struct interned {
	struct bytes text;
	const struct node_facts *facts;
};

struct interned_body {
	enum body_id id;
	struct bytes content;
	struct registers registers;
	const char *text;
};

void own_put(struct node_facts *f, const struct own_facts *own)
{
	f->small.hostname = own->hostname;
	f->small.host_uuid = own->host_uuid;
	f->small.cmdline = own->cmdline;
	f->small.tsc_khz = own->tsc_khz;
}

static void own_take(struct node_facts *f, struct own_facts *own)
{
	static const struct own_facts none = { "", "", "", 0 };

	*own = (struct own_facts){ f->small.hostname, f->small.host_uuid,
		f->small.cmdline, f->small.tsc_khz };
	own_put(f, &none);
}

/* ---- copies */

static bool record_copy(const struct record *of, void *value, struct arena *arena);

static bool list_copy(const struct record *of, struct list *list, struct arena *arena)
{
	char *items = arena_alloc(arena, list->count + 1, of->size);

	if (!items)
		return false;
	if (list->count)
		memcpy(items, list->item, list->count * of->size);
	list->item = items;
	for (size_t i = 0; i < list->count; i++)
		if (!record_copy(of, items + i * of->size, arena))
			return false;
	return true;
}

/* Puts what the record points to into the arena; false: no memory. */
static bool record_copy(const struct record *of, void *value, struct arena *arena)
{
	for (size_t i = 0; i < of->field_count; i++) {
		const struct field *field = &of->fields[i];
		char *member = (char *)value + field->offset;
		const char **text = (const char **)(void *)member;

		if (field->type == TYPE_text && !(*text = arena_text(arena, *text)))
			return false;
		if (field->type == TYPE_list &&
			!list_copy(field->of, (struct list *)(void *)member, arena))
			return false;
	}
	return true;
}

/* ---- texts */

/* The value, where the line is the fact's as dump_write() writes it. */
static const char *value_of(const char *line, size_t size, const char *fact, size_t *left)
{
	size_t start = strlen(fact);

	if (size < start || memcmp(line, fact, start) != 0 || line[size - 1] == '\r')
		return NULL;
	*left = size - start;
	return line + start;
}

static enum rc own_line(struct intern *in, const char *line, size_t size,
	struct own_facts *own, bool *is_own, struct err *e)
{
	const struct {
		const char *fact, **value;
	} texts[] = {
		{ "fact hostname ", &own->hostname },
		{ "fact host_uuid ", &own->host_uuid },
		{ "fact cmdline ", &own->cmdline },
	};
	const char *value;
	size_t left;
	char number[32];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		value = value_of(line, size, texts[i].fact, &left);
		if (!value)
			continue;
		*is_own = true;
		*texts[i].value = arena_text_n(in->arena, value, left);
		return *texts[i].value ? RC_OK : err_memory(e);
	}
	value = value_of(line, size, "fact tsc_khz ", &left);
	if (!value || left >= sizeof(number))
		return RC_OK;
	memcpy(number, value, left);
	number[left] = '\0';
	*is_own = text_to_u32(number, &own->tsc_khz);
	return RC_OK;
}

/* Copies the text without its own lines into `rest`. */
static enum rc own_cut(struct intern *in, struct bytes text, struct own_facts *own,
	struct buf *rest, struct err *e)
{
	const char *at = (const char *)text.data, *end = at + text.size;
	const char *kept = at; /* not copied yet */
	enum rc rc = RC_OK;

	while (at < end && rc == RC_OK) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline ? newline + 1 : end;
		bool is_own = false;

		if (*at == 'f' && newline)
			rc = own_line(in, at, (size_t)(newline - at), own, &is_own, e);
		if (rc == RC_OK && is_own) {
			rc = buf_append(rest, kept, (size_t)(at - kept));
			kept = next;
		}
		at = next;
	}
	return rc == RC_OK ? buf_append(rest, kept, (size_t)(end - kept)) : rc;
}

static bool same_bytes(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static const struct interned *text_find(
	const struct intern *in, struct bytes text, uint64_t hash)
{
	size_t cursor = 0, at;

	while ((at = lookup_next(&in->texts, hash, &cursor)) != SIZE_MAX)
		if (same_bytes(in->all[at].text, text))
			return &in->all[at];
	return NULL;
}

/* Where no two texts are equal it is of no use to keep them all. */
static enum rc text_keep(struct intern *in, struct bytes text, uint64_t hash,
	const struct node_facts *facts, struct err *e)
{
	struct interned *one;

	if (in->text_bytes + text.size > TEXT_BYTES_MAX)
		return RC_OK;
	in->text_bytes += text.size;
	in->all = arena_grow(in->arena, in->all, in->count, sizeof(*in->all));
	if (!in->all)
		return err_memory(e);
	one = &in->all[in->count];
	one->facts = facts;
	one->text.size = text.size;
	one->text.data = (const uint8_t *)arena_text_n(in->arena, text.data, text.size);
	if (!one->text.data)
		return err_memory(e);
	return lookup_add(&in->texts, hash, in->count++, in->arena, e);
}

/* Bulky as a text is, what stays of it is little: the bodies are shared. */
static enum rc facts_keep(struct intern *in, struct node_facts *parsed,
	const struct node_facts **out, struct own_facts *own, struct err *e)
{
	struct node_facts *facts = arena_alloc(in->arena, 1, sizeof(*facts));

	if (!facts)
		return err_memory(e);
	if (!record_copy(&record_facts, &parsed->small, in->arena))
		return err_memory(e);
	*facts = *parsed;
	own_take(facts, own);
	*out = facts;
	return intern_bodies(in, facts, e);
}

/* The text as a whole goes to dump_read(), so that its errors name the right line. */
static enum rc text_read(struct intern *in, struct bytes text, const char *name,
	const struct node_facts **out, struct own_facts *own, struct err *e)
{
	struct arena scratch = { 0 };
	struct node_facts parsed;
	enum rc rc = dump_read(text, name, &scratch, &parsed, e);

	if (rc == RC_OK)
		rc = facts_keep(in, &parsed, out, own, e);
	arena_destroy(&scratch);
	return rc;
}

enum rc intern_dump(struct intern *in, struct bytes text, const char *name,
	const struct node_facts **out, struct own_facts *own, struct err *e)
{
	struct buf rest = buf_with_cap(text.size + 1);
	const struct interned *found;
	uint64_t hash;
	enum rc rc;

	*own = (struct own_facts){ "", "", "", 0 };
	rc = own_cut(in, text, own, &rest, e);
	if (rc != RC_OK)
		rc = err_memory(e);
	hash = lookup_hash(buf_bytes(&rest));
	found = rc == RC_OK ? text_find(in, buf_bytes(&rest), hash) : NULL;
	if (found)
		*out = found->facts;
	else if (rc == RC_OK)
		rc = text_read(in, text, name, out, own, e);
	if (rc == RC_OK && !found)
		rc = text_keep(in, buf_bytes(&rest), hash, *out, e);
	buf_destroy(&rest);
	return rc;
}

/* ---- bodies */

static const struct interned_body *body_find(
	const struct intern *in, enum body_id id, struct bytes content, uint64_t hash)
{
	size_t cursor = 0, at;

	while ((at = lookup_next(&in->by_body, hash, &cursor)) != SIZE_MAX)
		if (in->bodies[at].id == id &&
			same_bytes(in->bodies[at].content, content))
			return &in->bodies[at];
	return NULL;
}

static enum rc body_keep(struct intern *in, const struct node_facts *f, enum body_id id,
	struct bytes content, uint64_t hash, struct err *e)
{
	struct interned_body *one;

	in->bodies = arena_grow(
		in->arena, in->bodies, in->body_count, sizeof(*in->bodies));
	if (!in->bodies)
		return err_memory(e);
	one = &in->bodies[in->body_count];
	*one = (struct interned_body){ id, { NULL, content.size }, f->registers[id], "" };
	one->content.data = (const uint8_t *)arena_text_n(
		in->arena, content.data, content.size);
	if (!one->content.data ||
		!record_copy(&record_registers, &one->registers, in->arena))
		return err_memory(e);
	if (body_rows[id].kind == BODY_KIND_text)
		one->text = (const char *)one->content.data;
	return lookup_add(&in->by_body, hash, in->body_count++, in->arena, e);
}

static enum rc body_intern(
	struct intern *in, struct node_facts *f, enum body_id id, struct err *e)
{
	struct buf bytes = buf_with_cap(LIMIT_DUMP_BYTES);
	const struct interned_body *kept;
	enum rc rc = facts_body_bytes(f, id, &bytes, e);
	uint64_t hash = lookup_hash(buf_bytes(&bytes));

	kept = rc == RC_OK ? body_find(in, id, buf_bytes(&bytes), hash) : NULL;
	if (rc == RC_OK && !kept) {
		rc = body_keep(in, f, id, buf_bytes(&bytes), hash, e);
		kept = &in->bodies[in->body_count - 1];
	}
	if (rc == RC_OK) {
		f->registers[id] = kept->registers;
		f->text[id] = kept->text;
	}
	buf_destroy(&bytes);
	return rc;
}

enum rc intern_bodies(struct intern *in, struct node_facts *f, struct err *e)
{
	enum rc rc = RC_OK;

	for (enum body_id id = 0; id < BODY_COUNT && rc == RC_OK; id++)
		if (f->present[id])
			rc = body_intern(in, f, id, e);
	return rc;
}

/* ---- order */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_pointers(const void *a, const void *b)
{
	return compare_numbers((uintptr_t)a, (uintptr_t)b);
}

static int compare_fields(const struct record *of, const void *a, const void *b);

static int compare_lists(
	const struct record *of, const struct list *a, const struct list *b)
{
	int order = compare_numbers(a->count, b->count);

	for (size_t i = 0; i < a->count && order == 0 && a->item != b->item; i++)
		order = compare_fields(of, (const char *)a->item + i * of->size,
			(const char *)b->item + i * of->size);
	return order;
}

static int compare_members(const struct field *field, const void *a, const void *b)
{
	switch (field->type) {
	case TYPE_u32:
		return compare_numbers(*(const uint32_t *)a, *(const uint32_t *)b);
	case TYPE_u64:
		return compare_numbers(*(const uint64_t *)a, *(const uint64_t *)b);
	case TYPE_flag:
		return compare_numbers(*(const bool *)a, *(const bool *)b);
	case TYPE_text:
		return strcmp(*(const char *const *)a, *(const char *const *)b);
	case TYPE_list:
		return compare_lists(field->of, a, b);
	default:
		return 0; /* facts have no others */
	}
}

/* Own facts decide nothing (the TSC is compared by itself), and the bodies' digests are of
 * what is compared. */
static bool is_compared(const struct record *of, const struct field *field)
{
	static const size_t not [] = { offsetof(struct facts, hostname),
		offsetof(struct facts, host_uuid), offsetof(struct facts, cmdline),
		offsetof(struct facts, tsc_khz), offsetof(struct facts, bodies) };

	for (size_t i = 0; of == &record_facts && i < sizeof(not ) / sizeof(not [0]); i++)
		if (field->offset == not [i])
			return false;
	return true;
}

static int compare_fields(const struct record *of, const void *a, const void *b)
{
	int order = 0;

	for (size_t i = 0; i < of->field_count && order == 0; i++)
		if (is_compared(of, &of->fields[i]))
			order = compare_members(&of->fields[i],
				(const char *)a + of->fields[i].offset,
				(const char *)b + of->fields[i].offset);
	return order;
}

static int compare_bodies(
	const struct node_facts *a, const struct node_facts *b, enum body_id id)
{
	int order = compare_numbers(a->present[id], b->present[id]);

	if (order || !a->present[id])
		return order;
	return body_rows[id].kind == BODY_KIND_registers
		       ? compare_pointers(
				 a->registers[id].sets.item, b->registers[id].sets.item)
		       : compare_pointers(a->text[id], b->text[id]);
}

static int compare_but_tsc(const struct node_facts *a, const struct node_facts *b)
{
	int order = 0;

	for (enum body_id id = 0; id < BODY_COUNT && order == 0; id++)
		order = compare_bodies(a, b, id);
	return order ? order : compare_fields(&record_facts, &a->small, &b->small);
}

int intern_compare(const struct node_facts *a, const struct node_facts *b)
{
	int order = compare_but_tsc(a, b);

	return order ? order : compare_numbers(a->small.tsc_khz, b->small.tsc_khz);
}

bool intern_same_but_tsc(const struct node_facts *a, const struct node_facts *b)
{
	return compare_but_tsc(a, b) == 0;
}
