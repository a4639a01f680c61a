/* What an argument says: patterns and how they are joined.
 *
 *	argument = term ("," term)*
 *	term     = item (("!" | "&") item)*  |  "^" item
 *
 * Joined from left to right, as ClusterShell does. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/inventory/parts.h"

enum rc located(struct err *e, const struct place *place, size_t at)
{
	struct err inner = *e;

	if (inner.code != RC_INPUT)
		return inner.code;
	if (!place->file && !place->argument)
		return inner.code;
	/* "n4 names no node of this run" needs no "'n4', column 1" */
	if (!place->file && place->argument[0] &&
		text_starts_with(inner.text, place->argument))
		return inner.code;
	if (!place->file)
		return err_set(e, inner.code, inner.native, "'%.80s', column %zu: %s",
			place->argument, at + 1, inner.text);
	if (!place->line)
		return err_set(
			e, inner.code, inner.native, "%s: %s", place->file, inner.text);
	return err_set(e, inner.code, inner.native, "%s:%zu:%zu: %s", place->file,
		place->line, place->indent + at + 1, inner.text);
}

size_t inventory_word_length(const char *text)
{
	size_t length = 0, depth = 0;

	for (; text[length] && (depth || text[length] != ','); length++) {
		depth += text[length] == '[';
		depth -= depth && text[length] == ']';
	}
	return length;
}

/* An argument while it is read. */
struct reading {
	struct inventory *inv; /* of the run */
	struct inventory *to;  /* of this argument, where '!' or '&' works on it alone */
	const char *text;
	const struct place *place;
	size_t at;
	struct arena *arena;
};

static enum rc item_read(struct reading *r, struct pattern *p, struct err *e)
{
	char c = r->text[r->at];

	if (c == '!' || c == '&')
		return err_set(e, RC_INPUT, 0,
			"nothing stands before '%c'; ^NODE leaves a node out", c);
	return pattern_parse(r->text, &r->at, r->arena, p, e);
}

/* The text from `start` up to where the reading is. */
static const char *written(const struct reading *r, size_t start)
{
	return arena_text_n(r->arena, r->text + start, r->at - start);
}

/* ---- "^node07": out of the run, wherever it stands */

static enum rc exclusion_read(struct reading *r, struct err *e)
{
	struct inventory *inv = r->inv;
	struct name_word word = { .at = r->at++, .place = *r->place };
	struct pattern p;
	enum rc rc;

	if (r->text[r->at] && strchr("/.~", r->text[r->at]))
		return err_set(e, RC_INPUT, 0,
			"'^' leaves a node out; nodes from a file: --hosts FILE");
	rc = item_read(r, &p, e);
	if (rc != RC_OK)
		return rc;
	if (r->text[r->at] && r->text[r->at] != ',')
		return err_set(e, RC_INPUT, 0,
			"behind '^NODE' there can be only ',' or the end");
	if (!inv->left_out)
		inv->left_out = arena_alloc(r->arena, 1, sizeof(*inv->left_out));
	word.text = written(r, word.at);
	if (!inv->left_out || !word.text)
		return err_memory(e);
	return names_add(inv->left_out, &p, &word, r->arena, e);
}

/* ---- items and operators */

/* "A!B" and "A&B": of what the argument has so far, what is not (is) in B as well. */
static enum rc narrow(struct reading *r, const struct pattern *p, char joint,
	size_t start, struct err *e)
{
	struct name_word word = { .text = written(r, start), .at = start };
	struct names names = { 0 };
	bool *marked = arena_alloc(r->arena, r->to->count + 1, sizeof(*marked));
	enum rc rc = RC_OK;

	if (!word.text || !marked)
		return err_memory(e);
	rc = names_add(&names, p, &word, r->arena, e);
	if (rc != RC_OK)
		return rc;
	rc = names_mark(&names, r->to, marked, r->arena, e);
	if (rc == RC_INPUT)
		return err_set(e, RC_INPUT, 0, "%s names none of the nodes before '%c'",
			word.text, joint);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; joint == '!' && i < r->to->count; i++)
		marked[i] = !marked[i];
	nodes_keep(r->to, marked);
	return RC_OK;
}

static enum rc term_read(struct reading *r, char joint, struct err *e)
{
	size_t start = r->at;
	struct pattern p;
	enum rc rc;

	if (joint == ',' && r->text[start] == '^')
		return exclusion_read(r, e);
	rc = item_read(r, &p, e);
	if (rc != RC_OK)
		return rc;
	if (r->text[r->at] == '^')
		return err_set(e, RC_INPUT, 0,
			"'^' joins no patterns; ',^NODE' leaves a node out");
	rc = joint == ',' ? pattern_add(r->to, &p, r->arena, e)
			  : narrow(r, &p, joint, start, e);
	if (rc != RC_OK)
		r->at = start;
	return rc;
}

static enum rc argument_read(struct reading *r, struct err *e)
{
	char joint = ',';
	enum rc rc;

	for (;;) {
		rc = term_read(r, joint, e);
		if (rc != RC_OK || r->text[r->at] == '\0')
			return rc;
		joint = r->text[r->at++];
	}
}

enum rc words_add(struct inventory *inv, const char *text, const struct place *place,
	struct arena *arena, struct err *e)
{
	struct inventory own = { 0 };
	bool narrows = strpbrk(text, "!&") != NULL;
	struct reading r = { inv, narrows ? &own : inv, text, place, 0, arena };
	enum rc rc = argument_read(&r, e);

	for (size_t i = 0; i < own.count && rc == RC_OK; i++) {
		r.at = 0;
		rc = node_add(inv, &own.nodes[i], NULL, arena, e);
	}
	return rc == RC_OK ? RC_OK : located(e, place, r.at);
}

enum rc inventory_add_argument(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e)
{
	struct place place = { .argument = argument };

	return words_add(inv, argument, &place, arena, e);
}

/* ---- words of options: patterns joined by commas, no operators */

static enum rc names_read(
	struct names *names, const char *argument, struct arena *arena, struct err *e)
{
	struct place place = { .argument = argument };
	struct reading r = { NULL, NULL, argument, &place, 0, arena };
	enum rc rc;

	do {
		struct name_word word = { .at = r.at, .place = place };
		struct pattern p;

		rc = item_read(&r, &p, e);
		if (rc == RC_OK && argument[r.at] && argument[r.at] != ',')
			rc = err_set(e, RC_INPUT, 0,
				"'%c' where ',' or the end should be", argument[r.at]);
		if (rc != RC_OK)
			return located(e, &place, r.at);
		word.text = written(&r, word.at);
		rc = word.text ? names_add(names, &p, &word, arena, e) : err_memory(e);
	} while (rc == RC_OK && argument[r.at] == ',' && ++r.at);
	return rc == RC_OK ? RC_OK : located(e, &place, r.at);
}

enum rc inventory_leave_out(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e)
{
	if (!inv->left_out)
		inv->left_out = arena_alloc(arena, 1, sizeof(*inv->left_out));
	if (!inv->left_out)
		return err_memory(e);
	return names_read(inv->left_out, argument, arena, e);
}

enum rc inventory_mark(const struct inventory *inv, const char *argument, bool *marks,
	struct arena *arena, struct err *e)
{
	struct names names = { 0 };
	bool *marked = arena_alloc(arena, inv->count + 1, sizeof(*marked));
	enum rc rc = marked ? names_read(&names, argument, arena, e) : err_memory(e);

	if (rc == RC_OK)
		rc = names_mark(&names, inv, marked, arena, e);
	for (size_t i = 0; i < inv->count && rc == RC_OK; i++)
		marks[i] |= marked[i];
	return rc;
}

enum rc inventory_match(const struct inventory *inv, const char *argument, bool *found,
	struct arena *arena, struct err *e)
{
	struct names names = { 0 };
	bool *marked = arena_alloc(arena, inv->count + 1, sizeof(*marked));
	enum rc rc = marked ? names_read(&names, argument, arena, e) : err_memory(e);

	if (rc != RC_OK)
		return rc;
	rc = names_mark(&names, inv, marked, arena, e);
	*found = rc == RC_OK;
	return rc == RC_INPUT ? RC_OK : rc;
}
