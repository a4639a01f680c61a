#include "coordinator/verb/merged.h"

#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "coordinator/inventory/inventory.h"
#include "coordinator/inventory/pattern.h"
#include "proto/dump.h"
#include "proto/limits.h"

struct merged_body {
	char sha256[DIGEST_HEX_MAX];
	enum body_id id;
	struct registers registers;
	const char *text;
};

/* What the lines that are no line of ours belong to. */
enum part { PART_NONE, PART_BODY, PART_CLASS, PART_NODES, PART_END };

struct reader {
	struct lines *lines;
	struct intern *intern;
	merged_take *take;
	void *context;
	enum part part;
	struct buf text;   /* of the open part */
	size_t first_line; /* of that text */
	char sha256[DIGEST_HEX_MAX];
	struct merged_body *bodies;
	size_t body_count;
	struct node_facts *facts; /* of the open class */
	size_t members, wanted, total;
	struct err *e;
};

static enum rc bad_line(struct reader *r, const char *what)
{
	return err_set(
		r->e, RC_INPUT, 0, "%s:%zu: %s", r->lines->path, r->lines->number, what);
}

static enum rc wants_part(struct reader *r, enum part part, const char *word)
{
	if (r->part == part)
		return RC_OK;
	return err_set(r->e, RC_INPUT, 0, "%s:%zu: '%s' does not belong here",
		r->lines->path, r->lines->number, word);
}

static void part_open(struct reader *r, enum part part)
{
	r->part = part;
	r->first_line = r->lines->number + 1;
	buf_consume(&r->text, buf_bytes(&r->text).size);
}

/* ---- bodies */

static enum rc body_keep(struct reader *r, const struct node_facts *f)
{
	struct merged_body *b;
	size_t found = 0;

	r->bodies = arena_grow(
		r->intern->arena, r->bodies, r->body_count, sizeof(*r->bodies));
	if (!r->bodies)
		return err_memory(r->e);
	b = &r->bodies[r->body_count++];
	memcpy(b->sha256, r->sha256, sizeof(b->sha256));
	for (enum body_id id = 0; id < BODY_COUNT; id++) {
		if (!f->present[id])
			continue;
		found++;
		b->id = id;
		b->registers = f->registers[id];
		b->text = f->text[id];
	}
	return found == 1 ? RC_OK : bad_line(r, "a body is one source or text");
}

/* Its digest is its name: a line that was lost or changed on the way shows. */
static enum rc body_close(struct reader *r)
{
	struct bytes text = buf_bytes(&r->text);
	struct digest digest = digest_of(text.data, text.size);
	char sha256[DIGEST_HEX_MAX];
	struct arena scratch = { 0 };
	struct node_facts f;
	enum rc rc;

	digest_to_hex(&digest, sha256);
	if (strcmp(sha256, r->sha256) != 0)
		return bad_line(r, "the body above does not match its digest");
	facts_init(&f);
	rc = dump_read_part(text, r->lines->path, r->first_line, &scratch, &f, r->e);
	if (rc == RC_OK)
		rc = intern_bodies(r->intern, &f, r->e);
	if (rc == RC_OK)
		rc = body_keep(r, &f);
	arena_destroy(&scratch);
	return rc;
}

static const struct merged_body *body_find(const struct reader *r, const char *sha256)
{
	size_t from = 0, to = r->body_count;

	while (from < to) { /* they are sorted: body_begin() */
		size_t middle = from + (to - from) / 2;
		int order = strcmp(r->bodies[middle].sha256, sha256);

		if (order == 0)
			return &r->bodies[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

/* ---- the lines of ours; each gets what follows its word */

static enum rc class_close(struct reader *r)
{
	if (r->members != r->wanted)
		return bad_line(r, "the class above has not as many nodes as it says");
	return RC_OK;
}

static enum rc part_close(struct reader *r)
{
	if (r->part == PART_BODY)
		return body_close(r);
	if (r->part == PART_NODES)
		return class_close(r);
	return r->part == PART_CLASS ? bad_line(r, "the class above has no nodes")
				     : RC_OK;
}

static enum rc begin_body(struct reader *r, const char *rest)
{
	enum rc rc = part_close(r);

	if (rc != RC_OK)
		return rc;
	if (r->total || r->part == PART_NODES)
		return bad_line(r, "bodies come before classes");
	if (strlen(rest) != DIGEST_HEX_MAX - 1 ||
		strspn(rest, "0123456789abcdef") != DIGEST_HEX_MAX - 1)
		return bad_line(r, "body needs a SHA-256");
	if (r->body_count && strcmp(r->bodies[r->body_count - 1].sha256, rest) >= 0)
		return bad_line(r, "bodies are sorted, and each is there once");
	memcpy(r->sha256, rest, DIGEST_HEX_MAX);
	part_open(r, PART_BODY);
	return RC_OK;
}

static enum rc begin_class(struct reader *r, const char *rest)
{
	uint32_t count;
	enum rc rc = part_close(r);

	if (rc != RC_OK)
		return rc;
	if (!text_to_u32(rest, &count) || count == 0)
		return bad_line(r, "class needs the number of its nodes");
	r->wanted = count;
	r->members = 0;
	r->facts = arena_alloc(r->intern->arena, 1, sizeof(*r->facts));
	if (!r->facts)
		return err_memory(r->e);
	facts_init(r->facts);
	part_open(r, PART_CLASS);
	return RC_OK;
}

static enum rc use_body(struct reader *r, const char *rest)
{
	const struct merged_body *b = body_find(r, rest);
	enum rc rc = wants_part(r, PART_CLASS, "use");

	if (rc != RC_OK)
		return rc;
	if (!b)
		return bad_line(r, "there is no body of that name");
	if (r->facts->present[b->id])
		return bad_line(r, "a second body of one kind");
	r->facts->present[b->id] = true;
	r->facts->registers[b->id] = b->registers;
	r->facts->text[b->id] = b->text;
	return RC_OK;
}

static bool has_bodies(const struct node_facts *f)
{
	for (enum body_id id = 0; id < BODY_COUNT; id++)
		if (f->present[id])
			return true;
	return false;
}

/* The small facts of the class are all there. */
static enum rc facts_read(struct reader *r)
{
	static const struct own_facts none = { "", "", "", 0 };
	struct node_facts small;
	enum rc rc;

	facts_init(&small);
	rc = dump_read_part(buf_bytes(&r->text), r->lines->path, r->first_line,
		r->intern->arena, &small, r->e);
	if (rc == RC_OK && has_bodies(&small))
		return bad_line(r, "the class above holds a body that should be above");
	if (rc != RC_OK)
		return rc;
	own_put(&small, &none);
	r->facts->small = small.small;
	r->facts->ended = true;
	r->part = PART_NODES;
	return dump_explain_gaps(r->intern->arena, r->facts, r->e);
}

static enum rc node_take(struct reader *r, const char *name, uint32_t tsc_khz)
{
	struct merged_node node = { name, r->facts, tsc_khz };

	if (!name)
		return err_memory(r->e);
	if (!text_is_name(name))
		return bad_line(r, "that is no node's name");
	r->members++;
	r->total++;
	return r->take(r->context, &node, r->e);
}

static enum rc pattern_take(struct reader *r, const char *text, uint32_t tsc_khz)
{
	struct arena scratch = { 0 };
	struct pattern p;
	struct err why;
	size_t at = 0;
	enum rc rc = pattern_parse(text, &at, &scratch, &p, &why);

	if (rc != RC_OK)
		rc = bad_line(r, why.text);
	else if (text[at] || p.user || p.port || p.address)
		rc = bad_line(r, "nodes needs one pattern of names");
	else if (p.count > r->wanted - r->members)
		rc = bad_line(r, "these are more nodes than the class has");
	else if (p.count > INVENTORY_NODES_MAX - r->total)
		rc = err_set(r->e, RC_INPUT, 0, "%s:%zu: this makes more than %d nodes",
			r->lines->path, r->lines->number, INVENTORY_NODES_MAX);
	for (uint64_t i = 0; rc == RC_OK && i < p.count; i++)
		rc = node_take(r, pattern_host(&p, i, r->intern->arena), tsc_khz);
	arena_destroy(&scratch);
	return rc;
}

static enum rc take_nodes(struct reader *r, const char *rest)
{
	size_t size = strcspn(rest, " ");
	char number[16];
	uint32_t tsc_khz;
	enum rc rc = r->part == PART_CLASS ? facts_read(r)
					   : wants_part(r, PART_NODES, "nodes");

	if (rc != RC_OK)
		return rc;
	if (size >= sizeof(number) || rest[size] != ' ')
		return bad_line(r, "nodes needs kHz and a pattern");
	memcpy(number, rest, size);
	number[size] = '\0';
	if (!text_to_u32(number, &tsc_khz))
		return bad_line(r, "nodes needs kHz and a pattern");
	return pattern_take(r, rest + size + 1, tsc_khz);
}

static enum rc take_end(struct reader *r, const char *rest)
{
	uint32_t count;
	enum rc rc = part_close(r);

	if (rc != RC_OK)
		return rc;
	if (!text_to_u32(rest, &count) || count != r->total)
		return bad_line(r, "end does not say as many nodes as there are");
	part_open(r, PART_END);
	return RC_OK;
}

static const struct line_kind {
	const char *word;
	enum rc (*read)(struct reader *r, const char *rest);
} line_kinds[] = {
	{ "body ", begin_body },
	{ "class ", begin_class },
	{ "use ", use_body },
	{ "nodes ", take_nodes },
	{ "end ", take_end },
};

static enum rc text_line(struct reader *r)
{
	const char *line = r->lines->line;
	enum rc rc;

	if (line[0] == '#' || line[0] == '\0')
		return RC_OK;
	if (r->part == PART_END)
		return bad_line(r, "a line behind the end");
	if (r->part != PART_BODY && r->part != PART_CLASS)
		return bad_line(r, "this line belongs to no body and no class");
	rc = buf_append_text(&r->text, line);
	if (rc == RC_OK)
		rc = buf_append_text(&r->text, "\n");
	if (rc == RC_LIMIT)
		return bad_line(r, "the facts are too long");
	return rc == RC_OK ? RC_OK : err_memory(r->e);
}

static enum rc line_read(struct reader *r)
{
	const char *line = r->lines->line;

	if (r->lines->total > LIMIT_MERGED_BYTES)
		return bad_line(r, "merged facts are at most 1 GiB");
	for (size_t i = 0; i < sizeof(line_kinds) / sizeof(line_kinds[0]); i++)
		if (text_starts_with(line, line_kinds[i].word) && r->part != PART_END)
			return line_kinds[i].read(r, line + strlen(line_kinds[i].word));
	return text_line(r);
}

enum rc merged_read(struct lines *l, struct intern *in, merged_take *take, void *context,
	struct err *e)
{
	struct reader r = { .lines = l,
		.intern = in,
		.take = take,
		.context = context,
		.text = buf_with_cap(LIMIT_DUMP_BYTES),
		.e = e };
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		rc = line_read(&r);
		if (rc == RC_OK)
			rc = lines_next(l, e);
	}
	if (rc == RC_AGAIN && r.part != PART_END)
		rc = err_set(e, RC_INPUT, 0,
			"%s:%zu: the file is cut short: its last line, `end`, is missing",
			l->path, l->number);
	buf_destroy(&r.text);
	return rc == RC_AGAIN ? RC_OK : rc;
}
