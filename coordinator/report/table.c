#include "coordinator/report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/groups.h"
#include "coordinator/report/printer.h"
#include "coordinator/report/utf8.h"
#include "proto/texts.h"

/* ---- below the table */

static const char *list_text(const struct printer *p, const struct texts *list)
{
	const char *text = texts_join(list, list->count, p->arena);

	return text ? utf8_clean(p->arena, text) : "";
}

static const char *nodes_text(const struct printer *p, const struct texts *list)
{
	return utf8_clean(p->arena, groups_names(list, p->arena));
}

static bool has_words(const struct report *r, const struct report_node *n)
{
	(void)r;
	return n->err.code != RC_OK || n->note[0];
}

static int compare_words(const struct report_node *a, const struct report_node *b)
{
	int order = report_compare_errors(&a->err, &b->err);

	return order ? order : strcmp(a->note, b->note);
}

static void words_print(const struct printer *p, const struct report_group *group)
{
	const struct report_node *n = group->like;
	const char *names = nodes_text(p, &group->names);

	if (n->err.code != RC_OK) {
		const char *hint = rc_hint(n->err.code);

		fprintf(p->out, "%s: %s%s%s\n", names, utf8_clean(p->arena, n->err.text),
			hint[0] ? "; see " : "", hint);
	}
	if (n->note[0])
		fprintf(p->out, "%s: %s\n", names, utf8_clean(p->arena, n->note));
}

/* In a run of many, nodes of which the same is to be said share a line. */
static enum rc errors_of_nodes_print(const struct printer *p, struct err *e)
{
	struct report_group *groups;
	size_t count;
	enum rc rc = groups_by(p->report, GROUPS_TABLE_NODES, has_words, compare_words,
		p->arena, &groups, &count, e);

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		words_print(p, &groups[i]);
	return rc;
}

/* probe: what could not be had, and on which nodes. */
struct missing {
	const struct gap *gap;
	size_t node;
};

static int compare_missing(const void *left, const void *right)
{
	const struct missing *a = left, *b = right;
	int order = strcmp(a->gap->reason, b->gap->reason);

	if (!order)
		order = strcmp(a->gap->fact, b->gap->fact);
	return order ? order : (a->node > b->node) - (a->node < b->node);
}

static size_t missing_collect(const struct printer *p, struct missing **all)
{
	size_t count = 0;

	for (size_t i = 0; i < p->report->count; i++) {
		const struct report_node *n = &p->report->nodes[i];
		const struct gap *gaps = n->facts ? n->facts->small.gaps.item : NULL;

		for (size_t g = 0; gaps && g < n->facts->small.gaps.count; g++) {
			*all = arena_grow(p->arena, *all, count, sizeof(**all));
			if (!*all)
				return 0;
			(*all)[count++] = (struct missing){ &gaps[g], i };
		}
	}
	return count;
}

/* The nodes that lack the fact of all[first] for its reason; *end is behind them. */
static const char *missing_names(const struct printer *p, const struct missing *all,
	size_t count, size_t first, size_t *end)
{
	struct texts names = { 0 };
	struct err e;
	size_t i;

	for (i = first; i < count; i++) {
		if (strcmp(all[i].gap->fact, all[first].gap->fact) != 0 ||
			strcmp(all[i].gap->reason, all[first].gap->reason) != 0)
			break;
		if (texts_add(&names, p->report->nodes[all[i].node].name, p->arena, &e) !=
			RC_OK)
			break;
	}
	*end = i > first ? i : first + 1;
	return nodes_text(p, &names);
}

/* One line for all facts that the same nodes lack for the same reason. */
static void gaps_print(const struct printer *p)
{
	struct missing *all = NULL;
	size_t count = missing_collect(p, &all), end;
	const char *names = "", *reason = NULL;

	if (count)
		qsort(all, count, sizeof(*all), compare_missing);
	for (size_t i = 0; i < count; i = end) {
		const struct gap *gap = all[i].gap;
		const char *whose = missing_names(p, all, count, i, &end);
		bool same = reason && strcmp(reason, gap->reason) == 0 &&
			    strcmp(names, whose) == 0;

		if (reason && !same)
			fprintf(p->out, ": %s\n", utf8_clean(p->arena, reason));
		fprintf(p->out, "%s%s%s", same ? "" : whose, same ? ", " : ": no ",
			utf8_clean(p->arena, gap->fact));
		names = whose;
		reason = gap->reason;
	}
	if (reason)
		fprintf(p->out, ": %s\n", utf8_clean(p->arena, reason));
}

static bool texts_equal(const struct texts *a, const struct texts *b)
{
	if (a->count != b->count)
		return false;
	if (a->item == b->item)
		return true;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->item[i], b->item[i]) != 0)
			return false;
	return true;
}

/* A line of losses with the same cause: "lost to node07: pku, avx512f". */
static void loss_group_print(const struct printer *p, size_t first, bool *printed)
{
	const struct report_loss *l = p->report->losses;
	struct texts features = { 0 };
	struct err e;

	for (size_t i = first; i < p->report->loss_count; i++) {
		if (printed[i] || !texts_equal(&l[i].lacked_by, &l[first].lacked_by) ||
			!texts_equal(&l[i].refused_by, &l[first].refused_by))
			continue;
		printed[i] = true;
		if (texts_add(&features, l[i].feature, p->arena, &e) != RC_OK)
			return;
	}
	if (l[first].lacked_by.count)
		fprintf(p->out,
			l[first].lacked_by.count > GROUPS_TABLE_NODES
				? "not on %zu of %zu: %s: %s\n"
				: "not on %zu of %zu (%s): %s\n",
			l[first].lacked_by.count, p->report->count,
			nodes_text(p, &l[first].lacked_by), list_text(p, &features));
	else if (!l[first].refused_by.count)
		fprintf(p->out, "left out: %s\n", list_text(p, &features));
	else
		fprintf(p->out, "voted out by %s: %s\n",
			nodes_text(p, &l[first].refused_by), list_text(p, &features));
}

static void losses_print(const struct printer *p)
{
	bool *printed = arena_alloc(
		p->arena, p->report->loss_count + 1, sizeof(*printed));

	if (!p->report->explains || !p->report->loss_count || !printed)
		return;
	fputc('\n', p->out);
	for (size_t i = 0; i < p->report->loss_count; i++)
		if (!printed[i])
			loss_group_print(p, i, printed);
}

/* negotiate: features that a vote took out. */
static void refusals_print(const struct printer *p)
{
	for (size_t i = 0; i < p->report->count; i++) {
		const struct report_node *n = &p->report->nodes[i];

		if (n->refused.count)
			fprintf(p->out, "%s voted out: %s\n", n->name,
				list_text(p, &n->refused));
	}
}

/* "warning (tsc): TEXT: node01, node02" */
static void remarks_print(const struct printer *p)
{
	for (size_t i = 0; i < p->report->remark_count; i++) {
		const struct report_remark *m = &p->report->remarks[i];

		fprintf(p->out, "%s%s (%s): %s%s%s\n", i ? "" : "\n",
			m->warning ? "warning" : "note", m->about,
			utf8_clean(p->arena, m->text), m->nodes.count ? ": " : "",
			nodes_text(p, &m->nodes));
	}
}

/* ---- what each vendor's nodes could have */

static void pool_level_print(const struct printer *p, const struct report_pool *pool)
{
	const struct level *l = pool->level;

	if (!l) {
		fprintf(p->out, "no level: %s\n", utf8_clean(p->arena, pool->err.text));
		return;
	}
	fprintf(p->out, "%s +%zu -%zu (%s): %zu features\n", l->model,
		report_policy_count(l, POLICY_REQUIRE),
		report_policy_count(l, POLICY_DISABLE), p->report->virt,
		bitset_count(&l->baseline));
	if (pool->without[0])
		fprintf(p->out, "the same command for these alone: --without %s\n",
			utf8_clean(p->arena, pool->without));
	fputs(pool->xml, p->out);
}

static void pools_print(const struct printer *p)
{
	const struct report *r = p->report;

	if (r->pool_count)
		fprintf(p->out, "\nno level fits all; what each CPU vendor's nodes "
				"could agree on:\n");
	for (size_t i = 0; i < r->pool_count; i++) {
		const struct report_pool *pool = &r->pools[i];

		fprintf(p->out, "\n%s, %zu of %zu nodes: %s\n",
			utf8_clean(p->arena, pool->title), pool->nodes.count, r->count,
			nodes_text(p, &pool->nodes));
		pool_level_print(p, pool);
	}
}

/* Of a run that ended before any node was asked there is nothing in the table but names. */
static bool nodes_were_asked(const struct report *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->nodes[i].facts || r->nodes[i].err.code != RC_OK ||
			r->nodes[i].outcome[0])
			return true;
	return false;
}

/* Verbs that hold nodes against a level have it in a file; of migrations the level is
 * not the result. */
static bool shows_level(const struct report *r)
{
	return strcmp(r->verb, "check") != 0 && strcmp(r->verb, "admit") != 0 &&
	       !r->migration_count;
}

/* Who was asked: nodes, or the pairs of them that a guest went between. */
static enum rc rows_print(const struct printer *p, struct err *e)
{
	if (p->report->migration_count)
		return printer_migrations(p, e);
	return nodes_were_asked(p->report) ? printer_nodes(p, e) : RC_OK;
}

enum rc table_print(FILE *out, const struct report *r, bool colours, struct arena *arena,
	struct err *e)
{
	struct printer p = { out, r, colours, arena };
	enum rc rc = rows_print(&p, e);

	if (rc != RC_OK)
		return rc;
	if (errors_of_nodes_print(&p, e) != RC_OK)
		return e->code;
	if (strcmp(r->verb, "probe") == 0)
		gaps_print(&p);
	printer_differences(&p);
	refusals_print(&p);
	losses_print(&p);
	remarks_print(&p);
	if (r->virt_note[0])
		fprintf(out, "%s\n", utf8_clean(arena, r->virt_note));
	if (r->xml[0] && shows_level(r))
		fprintf(out, "\n%s", r->xml);
	pools_print(&p);
	if (r->conflicts)
		fprintf(out, "\nwhat has changed since the nodes were looked at:\n");
	rc = printer_changes(&p, e);
	if (rc == RC_OK && r->summary[0])
		fprintf(out, "\n%s\n", utf8_clean(arena, r->summary));
	if (rc == RC_OK && (fflush(out) != 0 || ferror(out)))
		return err_set(
			e, RC_OUTPUT, errno, "standard output: %s", strerror(errno));
	return rc;
}
