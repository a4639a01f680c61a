#include "coordinator/verb/merged.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/lookup.h"
#include "base/text.h"
#include "coordinator/inventory/fold.h"
#include "proto/dump.h"
#include "proto/limits.h"

/* pattern.c reads no longer ones. */
enum { PATTERN_BYTES = 255 };

struct merged_body {
	enum body_id id;
	const void *shared; /* the memory of all facts that have it (intern.h) */
	char sha256[DIGEST_HEX_MAX];
	const char *text;
};

/* One text of facts; several struct node_facts may have it. */
struct class
{
	const struct node_facts *facts;
	const char *text; /* small facts and uses */
	size_t members;
	const struct class *same; /* the one that stands for all of its text */
};

struct member {
	const struct merged_node *node;
	struct class *class;
};

struct writer {
	struct arena arena;
	struct buf *out;
	struct merged_body *bodies;
	size_t body_count;
	struct lookup by_shared;
	struct class *classes;
	size_t class_count;
	struct member *members;
	size_t count;
	struct err *e;
};

/* A failed append, as the error that it is. */
static enum rc appended(struct writer *w, enum rc rc)
{
	if (rc == RC_LIMIT)
		return err_set(w->e, RC_LIMIT, 0,
			"the merged facts are larger than %zu "
			"bytes",
			w->out->cap);
	return rc == RC_OK ? RC_OK : err_memory(w->e);
}

static char *text_of(struct writer *w, struct buf *b)
{
	char *text = arena_text_n(&w->arena, buf_bytes(b).data, buf_bytes(b).size);

	buf_consume(b, buf_bytes(b).size);
	return text;
}

/* ---- classes */

static const void *shared_of(const struct node_facts *f, enum body_id id)
{
	return body_rows[id].kind == BODY_KIND_text
		       ? (const void *)f->text[id]
		       : (const void *)f->registers[id].sets.item;
}

static uint64_t shared_hash(const void *shared)
{
	return lookup_hash((struct bytes){ (const uint8_t *)&shared, sizeof(shared) });
}

static const struct merged_body *body_find(
	const struct writer *w, const struct node_facts *f, enum body_id id)
{
	const void *shared = shared_of(f, id);
	uint64_t hash = shared_hash(shared);
	size_t cursor = 0, at;

	while ((at = lookup_next(&w->by_shared, hash, &cursor)) != SIZE_MAX)
		if (w->bodies[at].id == id && w->bodies[at].shared == shared)
			return &w->bodies[at];
	return NULL;
}

static enum rc body_add(struct writer *w, const struct node_facts *f, enum body_id id)
{
	struct buf content = buf_with_cap(LIMIT_DUMP_BYTES);
	enum rc rc = appended(w, dump_write_body(&content, f, id));
	struct digest digest = digest_of(
		buf_bytes(&content).data, buf_bytes(&content).size);
	struct merged_body body = { .id = id, .shared = shared_of(f, id) };

	digest_to_hex(&digest, body.sha256);
	body.text = text_of(w, &content);
	buf_destroy(&content);
	if (rc != RC_OK)
		return rc;
	w->bodies = arena_grow(&w->arena, w->bodies, w->body_count, sizeof(body));
	if (!w->bodies || !body.text)
		return err_memory(w->e);
	w->bodies[w->body_count] = body;
	return lookup_add(&w->by_shared, shared_hash(body.shared), w->body_count++,
		&w->arena, w->e);
}

/* Many classes share a body: it is written and digested once. */
static enum rc body_use(
	struct writer *w, struct buf *text, const struct node_facts *f, enum body_id id)
{
	const struct merged_body *body = body_find(w, f, id);

	if (!body && body_add(w, f, id) != RC_OK)
		return w->e->code;
	if (!body)
		body = &w->bodies[w->body_count - 1];
	return appended(w, buf_format(text, "use %s\n", body->sha256));
}

/* What dump_write_small() writes, without the lines of own facts. */
static enum rc small_write(struct writer *w, struct buf *text, const struct facts *small)
{
	static const char *const own[] = { "fact hostname ", "fact host_uuid ",
		"fact cmdline ", "fact tsc_khz " };
	struct buf all = buf_with_cap(LIMIT_DUMP_BYTES);
	enum rc rc = appended(w, dump_write_small(&all, small));
	const char *at = rc == RC_OK ? text_of(w, &all) : NULL;

	buf_destroy(&all);
	if (!at)
		return rc == RC_OK ? err_memory(w->e) : rc;
	while (*at && rc == RC_OK) {
		size_t size = strcspn(at, "\n") + 1, i = 0;

		while (i < 4 && !text_starts_with(at, own[i]))
			i++;
		if (i == 4)
			rc = appended(w, buf_append(text, at, size));
		at += size;
	}
	return rc;
}

static enum rc class_add(struct writer *w, const struct node_facts *f)
{
	struct buf text = buf_with_cap(LIMIT_DUMP_BYTES);
	struct class *class = &w->classes[w->class_count++];
	enum rc rc = small_write(w, &text, &f->small);

	for (enum body_id id = 0; id < BODY_COUNT && rc == RC_OK; id++)
		if (f->present[id])
			rc = body_use(w, &text, f, id);
	*class = (struct class){ .facts = f, .text = text_of(w, &text) };
	buf_destroy(&text);
	return rc == RC_OK && !class->text ? err_memory(w->e) : rc;
}

static int by_facts(const void *left, const void *right)
{
	uintptr_t a = (uintptr_t)((const struct member *)left)->node->facts;
	uintptr_t b = (uintptr_t)((const struct member *)right)->node->facts;

	return (a > b) - (a < b);
}

static int by_text(const void *left, const void *right)
{
	const struct class *const *a = left, *const *b = right;

	return strcmp((*a)->text, (*b)->text);
}

static int by_sha256(const void *left, const void *right)
{
	const struct merged_body *a = left, *b = right;

	return strcmp(a->sha256, b->sha256);
}

static enum rc classes_make(struct writer *w)
{
	enum rc rc = RC_OK;

	w->classes = arena_alloc(&w->arena, w->count + 1, sizeof(*w->classes));
	if (!w->classes)
		return err_memory(w->e);
	qsort(w->members, w->count, sizeof(*w->members), by_facts);
	for (size_t i = 0; i < w->count && rc == RC_OK; i++) {
		const struct node_facts *f = w->members[i].node->facts;

		if (i == 0 || f != w->members[i - 1].node->facts)
			rc = class_add(w, f);
		w->members[i].class = &w->classes[w->class_count - 1];
	}
	return rc;
}

/* Different structs of one text are one class. */
static enum rc classes_unite(struct writer *w)
{
	struct class **sorted = arena_alloc(
		&w->arena, w->class_count + 1, sizeof(struct class *));
	struct class *first = NULL;

	if (!sorted)
		return err_memory(w->e);
	for (size_t i = 0; i < w->class_count; i++)
		sorted[i] = &w->classes[i];
	qsort(sorted, w->class_count, sizeof(struct class *), by_text);
	for (size_t i = 0; i < w->class_count; i++) {
		if (!first || strcmp(first->text, sorted[i]->text) != 0)
			first = sorted[i];
		sorted[i]->same = first;
	}
	for (size_t i = 0; i < w->count; i++) {
		struct class *one = w->members[i].class;

		w->members[i].class = &w->classes[one->same - w->classes];
		w->members[i].class->members++;
	}
	return RC_OK;
}

/* ---- text */

static enum rc bodies_write(struct writer *w, struct merged_counts *counts)
{
	enum rc rc = RC_OK;

	if (w->body_count)
		qsort(w->bodies, w->body_count, sizeof(*w->bodies), by_sha256);
	for (size_t i = 0; i < w->body_count && rc == RC_OK; i++) {
		if (i > 0 && by_sha256(&w->bodies[i - 1], &w->bodies[i]) == 0)
			continue;
		counts->bodies++;
		rc = buf_format(w->out, "body %s\n", w->bodies[i].sha256);
		if (rc == RC_OK)
			rc = buf_append_text(w->out, w->bodies[i].text);
	}
	return appended(w, rc);
}

/* Large classes first. */
static int by_class(const void *left, const void *right)
{
	const struct member *a = left, *b = right;
	int order = (a->class->members < b->class->members) -
		    (a->class->members > b->class->members);

	if (!order)
		order = strcmp(a->class->text, b->class->text);
	if (!order)
		order = (a->node->tsc_khz > b->node->tsc_khz) -
			(a->node->tsc_khz < b->node->tsc_khz);
	return order ? order : strcmp(a->node->name, b->node->name);
}

/* The members from `from` on that have one TSC. */
static enum rc nodes_write(struct writer *w, size_t from, size_t end)
{
	struct texts names = { 0 }, patterns = { 0 };
	struct arena scratch = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = from; i < end && rc == RC_OK; i++)
		rc = texts_add(&names, w->members[i].node->name, &scratch, w->e);
	if (rc == RC_OK)
		rc = fold_names(&names, PATTERN_BYTES, &scratch, &patterns, w->e);
	for (size_t i = 0; i < patterns.count && rc == RC_OK; i++)
		rc = appended(
			w, buf_format(w->out, "nodes %u %s\n",
				   w->members[from].node->tsc_khz, patterns.item[i]));
	arena_destroy(&scratch);
	return rc;
}

static enum rc classes_write(struct writer *w, struct merged_counts *counts)
{
	enum rc rc = RC_OK;

	qsort(w->members, w->count, sizeof(*w->members), by_class);
	for (size_t i = 0, end; i < w->count && rc == RC_OK; i = end) {
		const struct member *m = &w->members[i];

		if (i == 0 || m->class != m[-1].class) {
			counts->classes++;
			rc = appended(w, buf_format(w->out, "class %zu\n%s",
						 m->class->members, m->class->text));
		}
		for (end = i; end < w->count && w->members[end].class == m->class &&
			      w->members[end].node->tsc_khz == m->node->tsc_khz;)
			end++;
		if (rc == RC_OK)
			rc = nodes_write(w, i, end);
	}
	return rc;
}

enum rc merged_write(struct buf *out, const struct merged_node *nodes, size_t count,
	struct merged_counts *counts, struct err *e)
{
	struct writer w = { .out = out, .count = count, .e = e };
	enum rc rc = RC_OK;

	*counts = (struct merged_counts){ 0 };
	w.members = arena_alloc(&w.arena, count + 1, sizeof(*w.members));
	if (!w.members)
		return err_memory(e);
	for (size_t i = 0; i < count; i++)
		w.members[i].node = &nodes[i];
	if (count)
		rc = classes_make(&w);
	if (rc == RC_OK)
		rc = classes_unite(&w);
	if (rc == RC_OK)
		rc = appended(&w, buf_append_text(out, MERGED_FIRST_LINE "\n"));
	if (rc == RC_OK)
		rc = bodies_write(&w, counts);
	if (rc == RC_OK)
		rc = classes_write(&w, counts);
	if (rc == RC_OK)
		rc = appended(&w, buf_format(out, "end %zu\n", count));
	arena_destroy(&w.arena);
	return rc;
}
