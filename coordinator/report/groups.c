#include "coordinator/report/groups.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/inventory/fold.h"
#include "coordinator/report/checks.h"
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
		order = strcmp(a->proof, b->proof);
	if (!order)
		order = edits_compare(&a->edits, &b->edits);
	if (!order)
		order = checks_compare(a->check, b->check);
	return order ? order : compare_refused(&a->refused, &b->refused);
}

/* Nobody is like a node that stands alone. */
static int by_likeness(const struct report_node *a, const struct report_node *b)
{
	int order = stands_alone(a) - stands_alone(b);

	if (!order && stands_alone(a))
		return (a > b) - (a < b);
	return order ? order : compare_nodes(a, b);
}

static bool everyone(const struct report *r, const struct report_node *n)
{
	(void)r;
	(void)n;
	return true;
}

/* ---- groups of any kind */

struct sortable {
	const struct report_node *node;
	groups_compare *compare; /* NULL: all differ */
};

static int by_compare(const void *left, const void *right)
{
	const struct sortable *a = left, *b = right;
	int order = a->compare ? a->compare(a->node, b->node) : 0;

	return order ? order : (a->node > b->node) - (a->node < b->node);
}

static int by_first(const void *left, const void *right)
{
	const struct report_group *a = left, *b = right;

	return (a->like > b->like) - (a->like < b->like);
}

static enum rc groups_cut(const struct sortable *sorted, size_t nodes,
	struct arena *arena, struct report_group *groups, size_t *count, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < nodes && rc == RC_OK; i++) {
		groups_compare *compare = sorted[i].compare;

		if (i == 0 || !compare ||
			compare(groups[*count - 1].like, sorted[i].node) != 0)
			groups[(*count)++].like = sorted[i].node;
		rc = texts_add(&groups[*count - 1].names, sorted[i].node->name, arena, e);
	}
	return rc;
}

enum rc groups_by(const struct report *r, size_t few, groups_pick *pick,
	groups_compare *compare, struct arena *arena, struct report_group **out,
	size_t *count, struct err *e)
{
	struct sortable *sorted = arena_alloc(arena, r->count + 1, sizeof(*sorted));
	struct report_group *groups = arena_alloc(arena, r->count + 1, sizeof(*groups));
	size_t nodes = 0;
	enum rc rc;

	*count = 0;
	*out = groups;
	if (!sorted || !groups)
		return err_memory(e);
	for (size_t i = 0; i < r->count; i++)
		if (pick(r, &r->nodes[i]))
			sorted[nodes++] = (struct sortable){ &r->nodes[i],
				r->count > few ? compare : NULL };
	qsort(sorted, nodes, sizeof(*sorted), by_compare);
	rc = groups_cut(sorted, nodes, arena, groups, count, e);
	qsort(groups, *count, sizeof(*groups), by_first);
	return rc;
}

enum rc groups_make(const struct report *r, size_t few, struct arena *arena,
	struct report_group **out, size_t *count, struct err *e)
{
	return groups_by(r, few, everyone, by_likeness, arena, out, count, e);
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
