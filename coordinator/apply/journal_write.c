/* A run's plan as the text of its journal. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/lookup.h"
#include "coordinator/apply/journal.h"
#include "proto/texts.h"

enum { LINE_BYTES_MAX = 64 * 1024 * 1024 };

struct planning_text {
	struct buf *out;
	char *sum;
	struct arena scratch;
	struct lookup seen;	/* contents by hash */
	struct bytes *contents; /* each once, in the order of their lines */
	size_t content_count;
};

/* ---- lines */

static enum rc line_append(
	struct buf *out, char *sum, const struct buf *line, struct err *e)
{
	enum rc rc;

	journal_sum_line(sum, buf_bytes(line));
	rc = buf_append_text(out, sum);
	if (rc == RC_OK)
		rc = buf_append_text(out, " ");
	if (rc == RC_OK)
		rc = buf_append(out, buf_bytes(line).data, buf_bytes(line).size);
	if (rc == RC_OK)
		rc = buf_append_text(out, "\n");
	return rc == RC_OK ? RC_OK : err_memory(e);
}

enum rc journal_write_line(struct buf *out, char *sum, const char *word,
	const struct texts *fields, struct err *e)
{
	struct buf line = buf_with_cap(LINE_BYTES_MAX);
	enum rc rc = buf_append_text(&line, word);

	for (size_t i = 0; i < fields->count && rc == RC_OK; i++)
		rc = journal_escape(&line, bytes_of(fields->item[i]));
	rc = rc == RC_OK ? line_append(out, sum, &line, e) : err_memory(e);
	buf_destroy(&line);
	return rc;
}

static enum rc line_of(struct planning_text *t, const char *word,
	const char *const *fields, size_t count, struct err *e)
{
	struct texts texts = { (const char **)fields, count };

	return journal_write_line(t->out, t->sum, word, &texts, e);
}

#define LINE(t, word, e, ...) \
	line_of(t, word, (const char *const[]){ __VA_ARGS__ }, \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *), e)

/* ---- contents: each once */

static enum rc content_line(struct planning_text *t, struct bytes content, struct err *e)
{
	struct buf line = buf_with_cap(LINE_BYTES_MAX);
	enum rc rc = buf_append_text(&line, "content");

	if (rc == RC_OK)
		rc = journal_escape(&line, content);
	rc = rc == RC_OK ? line_append(t->out, t->sum, &line, e) : err_memory(e);
	buf_destroy(&line);
	return rc;
}

static enum rc content_number(
	struct planning_text *t, struct bytes content, size_t *number, struct err *e)
{
	uint64_t hash = lookup_hash(content);
	size_t cursor = 0;

	while (t->contents &&
		(*number = lookup_next(&t->seen, hash, &cursor)) != SIZE_MAX) {
		const struct bytes *c = &t->contents[*number];

		if (c->size == content.size &&
			(c->size == 0 || memcmp(c->data, content.data, c->size) == 0))
			return RC_OK;
	}
	t->contents = arena_grow(
		&t->scratch, t->contents, t->content_count, sizeof(*t->contents));
	if (!t->contents)
		return err_memory(e);
	*number = t->content_count++;
	t->contents[*number] = content;
	if (lookup_add(&t->seen, hash, *number, &t->scratch, e) != RC_OK)
		return e->code;
	return content_line(t, content, e);
}

/* ---- nodes */

static enum rc change_write(
	struct planning_text *t, const struct change *c, const char *title, struct err *e)
{
	char place[16], number[32], expected[DIGEST_HEX_MAX] = "";
	struct digest digest;
	size_t content;

	if (content_number(t, c->content, &content, e) != RC_OK)
		return e->code;
	if (c->expected.size == DIGEST_BYTES) {
		memcpy(digest.byte, c->expected.data, DIGEST_BYTES);
		digest_to_hex(&digest, expected);
	}
	snprintf(place, sizeof(place), "%u", (unsigned)c->place);
	snprintf(number, sizeof(number), "%zu", content);
	return LINE(t, "change", e, place, c->name, number, expected, c->machine, title);
}

static enum rc node_write(
	struct planning_text *t, const struct journal_node *n, struct err *e)
{
	const struct stage *s = n->stage;
	const struct change *changes = s->changes.item;
	char port[16], become[16];
	enum rc rc;

	snprintf(port, sizeof(port), "%u", (unsigned)n->port);
	snprintf(become, sizeof(become), "%u", (unsigned)n->become);
	rc = LINE(t, "node", e, n->name, n->host, n->user, port, n->identity,
		n->alias ? "alias" : "", become, s->virt_type, s->emulator, s->arch,
		s->machine);
	for (size_t i = 0; i < s->changes.count && rc == RC_OK; i++)
		rc = change_write(t, &changes[i], n->titles.item[i], e);
	return rc;
}

static enum rc plan_write(
	struct planning_text *t, const struct journal_plan *plan, struct err *e)
{
	enum rc rc = LINE(t, "journal", e, "1");

	if (rc == RC_OK)
		rc = LINE(t, "run", e, plan->run, plan->begun, plan->holder,
			plan->level_name, plan->linger ? "linger" : "");
	for (size_t i = 0; i + 1 < plan->options.count && rc == RC_OK; i += 2)
		rc = LINE(
			t, "option", e, plan->options.item[i], plan->options.item[i + 1]);
	if (rc == RC_OK && plan->count)
		rc = journal_write_line(
			t->out, t->sum, "units", &plan->nodes[0].stage->units, e);
	for (size_t i = 0; i < plan->count && rc == RC_OK; i++)
		rc = node_write(t, &plan->nodes[i], e);
	return rc == RC_OK ? LINE(t, "planned", e, plan->run) : rc;
}

enum rc journal_write_plan(
	struct buf *out, const struct journal_plan *plan, char *sum, struct err *e)
{
	struct planning_text t = { .out = out, .sum = sum };
	enum rc rc;

	sum[0] = '\0';
	rc = plan_write(&t, plan, e);
	arena_destroy(&t.scratch);
	return rc;
}
