/* The text of a journal as a run's plan, and how far it is. */
#include <string.h>

#include "base/digest.h"
#include "base/hex.h"
#include "base/text.h"
#include "coordinator/apply/journal.h"
#include "proto/texts.h"

enum { FIELDS_MAX = 12 };

struct piece {
	const char *text; /* NUL-terminated */
	size_t size;
};

struct reading_text {
	struct journal_plan *plan;
	struct arena *arena;
	struct bytes *contents;
	size_t content_count;
	struct stage *stages; /* one a node */
	struct texts units;
	bool begun, planned;
	struct err *e; /* of memory */
};

/* ---- one kind of line each; false: it is damaged, or memory was short */

static bool read_journal(struct reading_text *r, const struct piece *f, size_t count)
{
	(void)count;
	r->begun = strcmp(f[0].text, "1") == 0;
	return r->begun;
}

static bool read_run(struct reading_text *r, const struct piece *f, size_t count)
{
	struct journal_plan *p = r->plan;

	(void)count;
	p->run = f[0].text;
	p->begun = f[1].text;
	p->holder = f[2].text;
	p->level_name = f[3].text;
	p->linger = f[4].size != 0;
	return text_is_name(p->run);
}

static bool read_option(struct reading_text *r, const struct piece *f, size_t count)
{
	(void)count;
	return texts_add(&r->plan->options, f[0].text, r->arena, r->e) == RC_OK &&
	       texts_add(&r->plan->options, f[1].text, r->arena, r->e) == RC_OK;
}

static bool read_units(struct reading_text *r, const struct piece *f, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (texts_add(&r->units, f[i].text, r->arena, r->e) != RC_OK)
			return false;
	return true;
}

static bool read_content(struct reading_text *r, const struct piece *f, size_t count)
{
	(void)count;
	r->contents = arena_grow(
		r->arena, r->contents, r->content_count, sizeof(*r->contents));
	if (!r->contents)
		return false;
	r->contents[r->content_count++] = (struct bytes){ (const uint8_t *)f[0].text,
		f[0].size };
	return true;
}

static bool read_node(struct reading_text *r, const struct piece *f, size_t count)
{
	struct journal_plan *p = r->plan;
	struct stage *s = arena_alloc(r->arena, 1, sizeof(*s));
	uint32_t port, become;

	(void)count;
	p->nodes = arena_grow(r->arena, p->nodes, p->count, sizeof(*p->nodes));
	if (!s || !p->nodes || !p->run || !text_to_u32(f[3].text, &port) ||
		port > UINT16_MAX || !text_to_u32(f[6].text, &become) || become > 2)
		return false;
	*s = (struct stage){ .run = p->run,
		.holder = p->holder,
		.virt_type = f[7].text,
		.emulator = f[8].text,
		.arch = f[9].text,
		.machine = f[10].text,
		.units = r->units,
		.linger = p->linger };
	p->nodes[p->count++] = (struct journal_node){ .name = f[0].text,
		.host = f[1].text,
		.user = f[2].text,
		.port = (uint16_t)port,
		.identity = f[4].text,
		.alias = f[5].size != 0,
		.become = become,
		.stage = s };
	r->stages = s;
	return true;
}

static bool read_expected(
	struct reading_text *r, const struct piece *f, struct bytes *expected)
{
	uint8_t *digest = arena_alloc(r->arena, DIGEST_BYTES, 1);

	if (f->size == 0)
		return true;
	if (!digest || !hex_read(f->text, digest, DIGEST_BYTES))
		return false;
	*expected = (struct bytes){ digest, DIGEST_BYTES };
	return true;
}

/* Of the node in front of it. */
static bool read_change(struct reading_text *r, const struct piece *f, size_t count)
{
	struct journal_node *n = &r->plan->nodes[r->plan->count - 1];
	struct list *changes = r->plan->count ? &r->stages->changes : NULL;
	struct change *all, c = { .name = f[1].text, .machine = f[4].text };
	uint32_t content;

	(void)count;
	if (!changes || !text_to_u32(f[0].text, &c.place) || !place_of(c.place) ||
		!text_to_u32(f[2].text, &content) || content >= r->content_count ||
		!read_expected(r, &f[3], &c.expected))
		return false;
	c.content = r->contents[content];
	all = arena_grow(r->arena, changes->item, changes->count, sizeof(*all));
	if (!all)
		return false;
	all[changes->count] = c;
	*changes = (struct list){ all, changes->count + 1 };
	return texts_add(&n->titles, f[5].text, r->arena, r->e) == RC_OK;
}

static bool read_planned(struct reading_text *r, const struct piece *f, size_t count)
{
	(void)count;
	r->planned = r->plan->run && strcmp(f[0].text, r->plan->run) == 0;
	return r->planned;
}

static bool read_phase(struct reading_text *r, const struct piece *f, size_t count)
{
	enum twophase_phase phase = twophase_phase_of(f[0].text);

	(void)count;
	if (phase == PHASE_NONE)
		return false;
	r->plan->phase = phase;
	r->plan->committed |= phase == PHASE_COMMITTING;
	return true;
}

static bool read_over(struct reading_text *r, const struct piece *f, size_t count)
{
	uint32_t node;

	(void)count;
	if (!text_to_u32(f[0].text, &node) || node >= r->plan->count)
		return false;
	r->plan->nodes[node].over = true;
	return true;
}

/* What may stand where: before the plan is complete, and after it. */
static const struct {
	const char *word;
	size_t fields; /* 0: any number */
	bool planned;
	bool (*read)(struct reading_text *r, const struct piece *f, size_t count);
} rows[] = {
	{ "journal", 1, false, read_journal },
	{ "run", 5, false, read_run },
	{ "option", 2, false, read_option },
	{ "units", 0, false, read_units },
	{ "content", 1, false, read_content },
	{ "node", 11, false, read_node },
	{ "change", 6, false, read_change },
	{ "planned", 1, false, read_planned },
	{ "phase", 1, true, read_phase },
	{ "over", 1, true, read_over },
};

/* ---- lines */

static bool fields_split(struct reading_text *r, const char *text, const char *end,
	struct piece *fields, size_t *count)
{
	*count = 0;
	while (text < end) {
		const char *blank = memchr(text, ' ', (size_t)(end - text));
		const char *stop = blank ? blank : end;
		struct piece *f = &fields[*count];

		if (*count == FIELDS_MAX)
			return false;
		f->text = journal_unescape(
			text, (size_t)(stop - text), &f->size, r->arena);
		if (!f->text)
			return false;
		*count += 1;
		text = blank ? blank + 1 : end;
	}
	return *count > 0;
}

static bool line_read(struct reading_text *r, const char *text, const char *end)
{
	struct piece fields[FIELDS_MAX];
	size_t count;

	if (!fields_split(r, text, end, fields, &count))
		return false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].word, fields[0].text) == 0)
			return (rows[i].fields == 0 || rows[i].fields == count - 1) &&
			       rows[i].planned == r->planned && (r->begun || i == 0) &&
			       rows[i].read(r, fields + 1, count - 1);
	return false;
}

/* Its checksum is over itself and all lines before it. */
static bool line_check(const char *text, const char *end, char *sum)
{
	size_t size = JOURNAL_SUM_MAX - 1;

	if ((size_t)(end - text) <= size + 1 || text[size] != ' ')
		return false;
	journal_sum_line(sum, (struct bytes){ (const uint8_t *)text + size + 1,
				      (size_t)(end - text) - size - 1 });
	return memcmp(sum, text, size) == 0;
}

enum rc journal_read(const char *path, struct bytes text, struct journal_plan *plan,
	char *sum, size_t *size, struct arena *arena, struct err *e)
{
	struct reading_text r = { .plan = plan, .arena = arena, .e = e };
	const char *at = (const char *)text.data, *end = at + text.size, *newline;

	*plan = (struct journal_plan){ 0 };
	sum[0] = '\0';
	for (size_t line = 1; (newline = memchr(at, '\n', (size_t)(end - at))); line++) {
		if (!line_check(at, newline, sum) ||
			!line_read(&r, at + JOURNAL_SUM_MAX, newline))
			return err_set(e, RC_INPUT, 0,
				"%s:%zu: this line is damaged: without the journal the "
				"nodes themselves can be asked: cpuherd rollback RUN "
				"--on NODES",
				path, line);
		at = newline + 1;
		if (at == end)
			break;
	}
	*size = (size_t)(at - (const char *)text.data);
	if (!r.planned)
		plan->run = NULL;
	return RC_OK;
}
