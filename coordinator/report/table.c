#include "coordinator/report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/diff.h"
#include "coordinator/report/utf8.h"
#include "proto/texts.h"

enum { DIFF_BYTES_MAX = 16 * 1024 * 1024 };

struct printer {
	FILE *out;
	const struct report *report;
	bool colours;
	struct arena *arena;
};

/* ---- columns: what a verb shows of each node */

typedef const char *cell_fn(const struct printer *p, const struct report_node *n);

static const char *count_text(const struct printer *p, const struct bitset *set)
{
	return arena_format(p->arena, "%zu", bitset_count(set));
}

static const char *cell_node(const struct printer *p, const struct report_node *n)
{
	(void)p;
	return n->name;
}

static const char *cell_cpu(const struct printer *p, const struct report_node *n)
{
	(void)p;
	return n->offer ? n->offer->cpu : "";
}

static const char *cell_kernel(const struct printer *p, const struct report_node *n)
{
	(void)p;
	return n->facts ? n->facts->small.kernel : "";
}

static const char *cell_microcode(const struct printer *p, const struct report_node *n)
{
	(void)p;
	return n->facts ? n->facts->small.microcode : "";
}

static const char *cell_libvirt(const struct printer *p, const struct report_node *n)
{
	return n->facts ? report_version(p->arena, n->facts->small.libvirt_version) : "";
}

static const char *cell_qemu(const struct printer *p, const struct report_node *n)
{
	return n->facts ? report_version(p->arena, n->facts->small.hypervisor_version)
			: "";
}

static const char *cell_virt(const struct printer *p, const struct report_node *n)
{
	const char *text = "";

	for (int virt = 0; virt < VIRT_COUNT && text; virt++)
		if (n->virt[virt])
			text = arena_format(p->arena, "%s%s%s", text, text[0] ? "," : "",
				virt_names[virt]);
	return text;
}

static const char *cell_raw(const struct printer *p, const struct report_node *n)
{
	return n->offer ? count_text(p, &n->offer->raw) : "";
}

static const char *cell_kvm(const struct printer *p, const struct report_node *n)
{
	return n->offer ? count_text(p, &n->offer->kvm) : "";
}

static const char *cell_offer(const struct printer *p, const struct report_node *n)
{
	return n->offer ? count_text(p, &n->offer->features) : "";
}

static const char *cell_vote(const struct printer *p, const struct report_node *n)
{
	(void)p;
	return report_vote_name(n->vote);
}

static const char *cell_outcome(const struct printer *p, const struct report_node *n)
{
	(void)p;
	return n->outcome[0] ? n->outcome : n->err.code != RC_OK ? "failed" : "";
}

static const struct column {
	const char *title;
	cell_fn *cell;
	bool right; /* numbers */
	const char *verbs;
} columns[] = {
	{ "NODE", cell_node, false, "negotiate plan probe" },
	{ "CPU", cell_cpu, false, "negotiate plan probe" },
	{ "KERNEL", cell_kernel, false, "probe" },
	{ "MICROCODE", cell_microcode, false, "probe" },
	{ "LIBVIRT", cell_libvirt, false, "probe" },
	{ "QEMU", cell_qemu, false, "probe" },
	{ "VIRT", cell_virt, false, "probe" },
	{ "RAW", cell_raw, true, "plan probe" },
	{ "KVM", cell_kvm, true, "plan probe" },
	{ "OFFER", cell_offer, true, "negotiate plan probe" },
	{ "VOTE", cell_vote, false, "negotiate" },
	{ "OUTCOME", cell_outcome, false, "negotiate plan probe" },
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

/* ---- the table */

static const char *colour_of(const struct printer *p, const struct report_node *n)
{
	if (!p->colours || !n)
		return "";
	if (n->err.code != RC_OK)
		return "\033[31m";
	return n->outcome[0] ? "\033[32m" : "";
}

/* One line; blanks behind the last filled cell are left out. */
static void row_print(const struct printer *p, const struct report_node *n,
	const char *const cell[static COLUMNS], const size_t width[static COLUMNS])
{
	const char *colour = colour_of(p, n);
	size_t owed = 0;

	fputs(colour, p->out);
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t fill;

		if (width[i] == 0)
			continue;
		fill = width[i] - utf8_width(cell[i]);
		if (cell[i][0]) {
			owed += columns[i].right ? fill : 0;
			fprintf(p->out, "%*s%s", (int)owed, "", cell[i]);
			owed = columns[i].right ? 2 : fill + 2;
		} else {
			owed += fill + 2;
		}
	}
	fprintf(p->out, "%s\n", colour[0] ? "\033[0m" : "");
}

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

static enum rc nodes_print(const struct printer *p, struct err *e)
{
	const struct report *r = p->report;
	const char *title[COLUMNS], **cell;
	size_t width[COLUMNS] = { 0 };

	cell = arena_alloc(p->arena, r->count * COLUMNS + 1, sizeof(*cell));
	if (!cell)
		return err_memory(e);
	for (size_t i = 0; i < COLUMNS; i++) {
		bool wanted = strstr(columns[i].verbs, r->verb) != NULL;

		title[i] = columns[i].title;
		for (size_t n = 0; n < r->count; n++) {
			const char **c = &cell[n * COLUMNS + i];
			const char *text = wanted ? columns[i].cell(p, &r->nodes[n]) : "";

			*c = utf8_clean(p->arena, text ? text : "");
			width[i] = max(width[i], utf8_width(*c));
		}
		/* a column with nothing in it is left out */
		width[i] = width[i] ? max(width[i], utf8_width(title[i])) : 0;
	}
	row_print(p, NULL, title, width);
	for (size_t n = 0; n < r->count; n++)
		row_print(p, &r->nodes[n], &cell[n * COLUMNS], width);
	return RC_OK;
}

/* ---- below the table */

static const char *list_text(const struct printer *p, const struct texts *list)
{
	const char *text = texts_join(list, list->count, p->arena);

	return text ? utf8_clean(p->arena, text) : "";
}

static void errors_of_nodes_print(const struct printer *p)
{
	for (size_t i = 0; i < p->report->count; i++) {
		const struct report_node *n = &p->report->nodes[i];

		if (n->err.code != RC_OK) {
			const char *hint = rc_hint(n->err.code);

			fprintf(p->out, "%s: %s%s%s\n", n->name,
				utf8_clean(p->arena, n->err.text),
				hint[0] ? "; see " : "", hint);
		}
		if (n->note[0])
			fprintf(p->out, "%s: %s\n", n->name,
				utf8_clean(p->arena, n->note));
	}
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
	return list_text(p, &names);
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
		fprintf(p->out, "not on %zu of %zu (%s): %s\n", l[first].lacked_by.count,
			p->report->count, list_text(p, &l[first].lacked_by),
			list_text(p, &features));
	else if (!l[first].refused_by.count)
		fprintf(p->out, "left out: %s\n", list_text(p, &features));
	else
		fprintf(p->out, "voted out by %s: %s\n",
			list_text(p, &l[first].refused_by), list_text(p, &features));
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
			list_text(p, &m->nodes));
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
			list_text(p, &pool->nodes));
		pool_level_print(p, pool);
	}
}

/* ---- what a dry run shows: equal differences once, with all their nodes */

static enum rc diff_of(const struct printer *p, const struct report_node *n,
	struct buf *out, struct err *e)
{
	struct bytes after = { (const uint8_t *)p->report->xml, strlen(p->report->xml) };

	return diff_unified(out,
		(const char *const[]){ n->exists ? n->path : "/dev/null", n->path },
		(const struct bytes[]){ n->content, after }, p->arena, e);
}

static bool same_change(const struct report_node *a, const struct report_node *b)
{
	return a->exists == b->exists && strcmp(a->path, b->path) == 0 &&
	       a->content.size == b->content.size &&
	       (a->content.size == 0 ||
		       memcmp(a->content.data, b->content.data, a->content.size) == 0);
}

static enum rc change_print(
	const struct printer *p, size_t first, bool *printed, struct err *e)
{
	struct buf diff = buf_with_cap(DIFF_BYTES_MAX);
	const struct report_node *nodes = p->report->nodes;
	struct texts names = { 0 };
	enum rc rc;

	for (size_t i = first; i < p->report->count; i++) {
		if (printed[i] || !nodes[i].looked ||
			!same_change(&nodes[i], &nodes[first]))
			continue;
		printed[i] = true;
		if (texts_add(&names, nodes[i].name, p->arena, e) != RC_OK)
			return e->code;
	}
	rc = diff_of(p, &nodes[first], &diff, e);
	if (rc == RC_OK && buf_bytes(&diff).size)
		fprintf(p->out, "\n%s:\n%.*s", list_text(p, &names),
			(int)buf_bytes(&diff).size, (const char *)buf_bytes(&diff).data);
	else if (rc == RC_OK)
		fprintf(p->out, "\n%s: unchanged\n", list_text(p, &names));
	buf_destroy(&diff);
	return rc;
}

static enum rc changes_print(const struct printer *p, struct err *e)
{
	bool *printed = arena_alloc(p->arena, p->report->count + 1, sizeof(*printed));
	enum rc rc = printed ? RC_OK : err_memory(e);

	for (size_t i = 0; i < p->report->count && rc == RC_OK; i++)
		if (!printed[i] && p->report->nodes[i].looked)
			rc = change_print(p, i, printed, e);
	return rc;
}

/* Of a run that ended before any node was asked there is nothing in the table but names. */
static bool nodes_were_asked(const struct report *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->nodes[i].facts || r->nodes[i].err.code != RC_OK)
			return true;
	return false;
}

enum rc table_print(FILE *out, const struct report *r, bool colours, struct arena *arena,
	struct err *e)
{
	struct printer p = { out, r, colours, arena };
	enum rc rc = nodes_were_asked(r) ? nodes_print(&p, e) : RC_OK;

	if (rc != RC_OK)
		return rc;
	errors_of_nodes_print(&p);
	if (strcmp(r->verb, "probe") == 0)
		gaps_print(&p);
	refusals_print(&p);
	losses_print(&p);
	remarks_print(&p);
	if (r->virt_note[0])
		fprintf(out, "%s\n", utf8_clean(arena, r->virt_note));
	if (r->level && r->xml[0])
		fprintf(out, "\n%s", r->xml);
	pools_print(&p);
	if (r->dry_run)
		rc = changes_print(&p, e);
	if (rc == RC_OK && r->summary[0])
		fprintf(out, "\n%s\n", utf8_clean(arena, r->summary));
	if (rc == RC_OK && (fflush(out) != 0 || ferror(out)))
		return err_set(
			e, RC_OUTPUT, errno, "standard output: %s", strerror(errno));
	return rc;
}
