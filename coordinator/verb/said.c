#include "coordinator/verb/said.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/lock/drift.h"
#include "proto/texts.h"

/* One change of one node. */
struct line {
	const struct report_change *change;
	size_t node, at; /* its place among the node's changes */
	size_t first;	 /* the first node with an equal line */
	bool broken;	 /* the node is; else it does no harm */
};

static int compare_lines(const struct line *a, const struct line *b)
{
	int order = strcmp(a->change->what, b->change->what);

	if (!order)
		order = strcmp(a->change->was, b->change->was);
	if (!order)
		order = strcmp(a->change->is, b->change->is);
	return order ? order : a->broken - b->broken;
}

static int by_text(const void *left, const void *right)
{
	const struct line *a = left, *b = right;
	int order = compare_lines(a, b);

	return order ? order : (a->node > b->node) - (a->node < b->node);
}

static int by_first(const void *left, const void *right)
{
	const struct line *a = left, *b = right;

	if (a->first != b->first)
		return a->first > b->first ? 1 : -1;
	if (a->at != b->at)
		return a->at > b->at ? 1 : -1;
	return by_text(left, right);
}

static enum rc lines_collect(
	const struct run *run, struct arena *arena, struct line **out, size_t *count)
{
	*count = 0;
	*out = NULL;
	for (size_t i = 0; i < run->count; i++) {
		const struct report_node *n = &run->nodes[i];

		for (size_t k = 0; n->check && k < n->check->change_count; k++) {
			*out = arena_grow(arena, *out, *count, sizeof(**out));
			if (!*out)
				return RC_MEMORY;
			(*out)[(*count)++] = (struct line){ &n->check->changes[k], i, k,
				i, n->check->why[0] };
		}
	}
	return RC_OK;
}

static void lines_order(struct line *lines, size_t count)
{
	if (!count)
		return;
	qsort(lines, count, sizeof(*lines), by_text);
	for (size_t i = 1; i < count; i++)
		if (compare_lines(&lines[i - 1], &lines[i]) == 0) {
			lines[i].first = lines[i - 1].first;
			lines[i].at = lines[i - 1].at;
		}
	qsort(lines, count, sizeof(*lines), by_first);
}

/* What a change means where the level holds all the same. */
static const char *harm_of(const struct line *line)
{
	const char *what = line->change->what;

	if (line->broken || strcmp(what, "gone") == 0)
		return "";
	if (strcmp(what, "config") == 0)
		return ": running guests still migrate; new ones may get another CPU";
	return ": harmless";
}

static const char *text_of(struct run *run, const struct line *line)
{
	const struct report_change *c = line->change;
	const struct drift values = { .was = c->was, .is = c->is };
	bool plain = strcmp(c->what, "config") == 0 || strcmp(c->what, "gone") == 0;
	const char *text = plain ? arena_format(&run->arena, "%s%s%s", c->was,
					   c->was[0] ? " is " : "", c->is)
				 : drift_values(&values, &run->arena);

	return text ? arena_format(&run->arena, "%s%s", text, harm_of(line)) : NULL;
}

static bool is_warning(const struct line *line)
{
	return line->broken || strcmp(line->change->what, "config") == 0;
}

enum rc said_changes(struct run *run, struct err *e)
{
	struct arena scratch = { 0 };
	struct line *lines;
	size_t count, end;
	enum rc rc = lines_collect(run, &scratch, &lines, &count);

	if (rc != RC_OK)
		err_memory(e);
	lines_order(lines, rc == RC_OK ? count : 0);
	for (size_t i = 0; i < count && rc == RC_OK; i = end) {
		struct texts nodes = { 0 };

		for (end = i; end < count && rc == RC_OK; end++) {
			if (compare_lines(&lines[i], &lines[end]) != 0)
				break;
			rc = texts_add(
				&nodes, run->nodes[lines[end].node].name, &run->arena, e);
		}
		/* why a node did not answer stands with the node */
		if (rc == RC_OK && strcmp(lines[i].change->what, "gone") != 0)
			rc = run_remark_of(run, is_warning(&lines[i]),
				lines[i].change->what, nodes, text_of(run, &lines[i]), e);
	}
	arena_destroy(&scratch);
	return rc;
}

enum rc said_not_asked(struct run *run, struct err *e)
{
	return run_remark_of(run, false, "from", (struct texts){ 0 },
		"facts from files: no libvirt was asked for its vote, and no place was "
		"looked at",
		e);
}
