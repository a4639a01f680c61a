#include <string.h>

#include "base/text.h"
#include "proto/dump_line.h"
#include "proto/limits.h"

/* ---- the lines of a text section */

static enum rc append_content(struct dump_reader *r, const char *line)
{
	bool unfinished = text_starts_with(line, "|. ");
	enum rc rc;

	if (!r->in_text)
		return dump_line_bad(r, "a line of text outside a text section", "");
	line += unfinished ? 3 : text_starts_with(line, "| ") ? 2 : 1;
	rc = buf_append_text(&r->content, line);
	if (rc == RC_OK && !unfinished)
		rc = buf_append_text(&r->content, "\n");
	if (rc == RC_LIMIT)
		return dump_line_bad(r, "the text is too long", "");
	return rc == RC_OK ? RC_OK : err_memory(r->e);
}

static enum rc close_text(struct dump_reader *r)
{
	enum rc rc = RC_OK;

	if (r->in_text && r->text < BODY_COUNT)
		rc = facts_put_body(
			r->out, r->text, buf_bytes(&r->content), r->arena, r->e);
	buf_consume(&r->content, buf_bytes(&r->content).size);
	r->in_text = false;
	return rc;
}

static enum rc read_line(struct dump_reader *r, char *line)
{
	enum rc rc;

	if (line[0] == '|')
		return append_content(r, line);
	if (r->out->ended && line[strspn(line, " \t")] && line[0] != '#')
		return dump_line_bad(r, "a line behind the end of the facts", line);
	rc = close_text(r);
	return rc == RC_OK ? dump_line_read(r, line) : rc;
}

static enum rc read_lines(struct dump_reader *r, char *text)
{
	enum rc rc = RC_OK;

	while (*text && rc == RC_OK) {
		size_t n = strcspn(text, "\n");
		char *next = text + n + (text[n] == '\n');

		text[n] = '\0';
		if (n && text[n - 1] == '\r' && text[0] != '|')
			text[n - 1] = '\0';
		r->line++;
		rc = read_line(r, text);
		text = next;
	}
	return rc == RC_OK ? close_text(r) : rc;
}

/* A body that is neither there nor explained would be missing silently. */
enum rc dump_explain_gaps(struct arena *arena, struct node_facts *out, struct err *e)
{
	struct dump_reader r = { .arena = arena, .out = out, .e = e };

	for (enum body_id id = 0; id < BODY_COUNT; id++) {
		struct gap *gap;

		if (out->present[id] || facts_gap(&out->small, body_rows[id].name))
			continue;
		gap = dump_line_append(&r, &out->small.gaps, &record_gap);
		if (!gap)
			return RC_MEMORY;
		*gap = (struct gap){ body_rows[id].name, "not in this dump" };
	}
	return RC_OK;
}

enum rc dump_read_part(struct bytes in, const char *name, size_t first_line,
	struct arena *arena, struct node_facts *out, struct err *e)
{
	struct dump_reader r = { .name = name,
		.line = first_line - 1,
		.arena = arena,
		.out = out,
		.source = BODY_COUNT,
		.e = e };
	char *copy;
	enum rc rc;

	if (in.size > LIMIT_DUMP_BYTES)
		return err_set(e, RC_LIMIT, 0, "%s: %zu bytes, a dump has at most %d",
			name, in.size, LIMIT_DUMP_BYTES);
	if (in.size && memchr(in.data, '\0', in.size))
		return err_set(
			e, RC_INPUT, 0, "%s: not a text: it holds a NUL byte", name);
	copy = arena_text_n(arena, in.data, in.size);
	if (!copy)
		return err_memory(e);
	r.content = buf_with_cap(LIMIT_BODY_BYTES);
	rc = read_lines(&r, copy);
	buf_destroy(&r.content);
	return rc;
}

static bool needs_end(struct bytes in)
{
	const size_t size = strlen(DUMP_FIRST_LINE);

	return in.size >= size && memcmp(in.data, DUMP_FIRST_LINE, size) == 0;
}

enum rc dump_read(struct bytes in, const char *name, struct arena *arena,
	struct node_facts *out, struct err *e)
{
	enum rc rc;

	facts_init(out);
	rc = dump_read_part(in, name, 1, arena, out, e);
	if (rc == RC_OK && needs_end(in) && !out->ended)
		rc = err_set(e, RC_INPUT, 0,
			"%s: the facts are cut short: their last line, `end`, is missing",
			name);
	return rc == RC_OK ? dump_explain_gaps(arena, out, e) : rc;
}
