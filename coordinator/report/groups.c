#include "coordinator/report/groups.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/inventory/fold.h"
#include "coordinator/report/edits.h"
#include "proto/texts.h"

/* A pattern is short enough for whoever reads it back in; a list fits a few lines. */
enum { PATTERN_BYTES = 255, LIST_BYTES = 240 };

static bool stands_alone(const struct report_node *n)
{
	return n->err.code != RC_OK || n->note[0] || n->class == REPORT_NO_CLASS;
}

static int compare_sizes(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_refused(const struct texts *a, const struct texts *b)
{
	int order = compare_sizes(a->count, b->count);

	for (size_t i = 0; i < a->count && order == 0; i++)
		order = strcmp(a->item[i], b->item[i]);
	return order;
}

/* 0: nothing but the names differs in what is said of them. */
static int compare_nodes(const struct report_node *a, const struct report_node *b)
{
	int order = compare_sizes(a->kind, b->kind);

	if (!order)
		order = compare_sizes(a->vote, b->vote);
	if (!order)
		order = strcmp(a->outcome, b->outcome);
	if (!order)
		order = edits_compare(&a->edits, &b->edits);
	return order ? order : compare_refused(&a->refused, &b->refused);
}

static int by_likeness(const void *left, const void *right)
{
	const struct report_node *a = *(const struct report_node *const *)left;
	const struct report_node *b = *(const struct report_node *const *)right;
	int order = stands_alone(a) - stands_alone(b);

	if (!order)
		order = compare_nodes(a, b);
	return order ? order : (a > b) - (a < b);
}

static int by_first(const void *left, const void *right)
{
	const struct report_group *a = left, *b = right;

	return (a->like > b->like) - (a->like < b->like);
}

static bool is_of_group(const struct report_group *g, const struct report_node *n)
{
	return !stands_alone(n) && !stands_alone(g->like) &&
	       compare_nodes(g->like, n) == 0;
}

enum rc groups_make(const struct report *r, size_t few, struct arena *arena,
	struct report_group **out, size_t *count, struct err *e)
{
	const struct report_node **sorted = arena_alloc(
		arena, r->count + 1, sizeof(struct report_node *));
	struct report_group *groups = arena_alloc(arena, r->count + 1, sizeof(*groups));
	enum rc rc = RC_OK;

	*count = 0;
	*out = groups;
	if (!sorted || !groups)
		return err_memory(e);
	for (size_t i = 0; i < r->count; i++)
		sorted[i] = &r->nodes[i];
	if (r->count > few)
		qsort(sorted, r->count, sizeof(struct report_node *), by_likeness);
	for (size_t i = 0; i < r->count && rc == RC_OK; i++) {
		if (i == 0 || r->count <= few ||
			!is_of_group(&groups[*count - 1], sorted[i]))
			groups[(*count)++].like = sorted[i];
		rc = texts_add(&groups[*count - 1].names, sorted[i]->name, arena, e);
	}
	if (*count)
		qsort(groups, *count, sizeof(*groups), by_first);
	return rc;
}

enum rc groups_fold(
	const struct texts *names, struct arena *arena, struct texts *out, struct err *e)
{
	*out = (struct texts){ 0 };
	return fold_names(names, PATTERN_BYTES, arena, out, e);
}

const char *groups_names(const struct texts *names, struct arena *arena)
{
	struct texts folded;
	size_t size = 0, shown = 0;
	const char *text;
	struct err e;

	if (names->count <= GROUPS_TABLE_NODES) {
		text = texts_join(names, names->count, arena);
		return text ? text : "";
	}
	if (groups_fold(names, arena, &folded, &e) != RC_OK)
		return "";
	while (shown < folded.count && size < LIST_BYTES)
		size += strlen(folded.item[shown++]) + strlen(", ");
	text = texts_join_with(&(struct texts){ folded.item, shown }, ", ", arena);
	if (text)
		text = arena_format(arena, "%s%s (%zu nodes)", text,
			shown < folded.count ? ", ..." : "", names->count);
	return text ? text : "";
}
