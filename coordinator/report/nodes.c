/* The table: what a verb shows of each node. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/report/groups.h"
#include "coordinator/report/printer.h"
#include "coordinator/report/utf8.h"
#include "proto/texts.h"

/* ---- columns: what a verb shows of each node */

typedef const char *cell_fn(const struct printer *p, const struct report_node *n);

/* A line of the table. */
struct row {
	struct report_group group;
	const char **cell; /* COLUMNS; that of the names is filled in last */
};

static const char *count_text(const struct printer *p, const struct bitset *set)
{
	return arena_format(p->arena, "%zu", bitset_count(set));
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

static const char *cell_proof(const struct printer *p, const struct report_node *n)
{
	(void)p;
	return n->proof;
}

static const char *cell_outcome(const struct printer *p, const struct report_node *n)
{
	(void)p;
	return n->outcome[0] ? n->outcome : n->err.code != RC_OK ? "failed" : "";
}

#define ALL_VERBS "negotiate plan probe check admit prove rehearse resume rollback"

static const struct column {
	const char *title;
	cell_fn *cell;
	bool right; /* numbers */
	const char *verbs;
} columns[] = {
	{ "NODE", NULL, false, ALL_VERBS },
	{ "NODES", NULL, true, ALL_VERBS },
	{ "CPU", cell_cpu, false, "negotiate plan probe check admit prove rehearse" },
	{ "KERNEL", cell_kernel, false, "probe" },
	{ "MICROCODE", cell_microcode, false, "probe" },
	{ "LIBVIRT", cell_libvirt, false, "probe" },
	{ "QEMU", cell_qemu, false, "probe" },
	{ "VIRT", cell_virt, false, "probe" },
	{ "RAW", cell_raw, true, "plan probe" },
	{ "KVM", cell_kvm, true, "plan probe" },
	{ "OFFER", cell_offer, true, "negotiate plan probe check admit prove" },
	{ "VOTE", cell_vote, false, "negotiate check admit" },
	{ "PROOF", cell_proof, false, "negotiate prove rehearse" },
	{ "OUTCOME", cell_outcome, false, ALL_VERBS },
};

enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), NAMES = 0, NUMBER = 1 };

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

/* ---- lines */

static enum rc cells_make(const struct printer *p, struct row *row, struct err *e)
{
	row->cell = arena_alloc(p->arena, COLUMNS, sizeof(*row->cell));
	if (!row->cell)
		return err_memory(e);
	for (size_t i = 0; i < COLUMNS; i++) {
		bool wanted = columns[i].cell &&
			      strstr(columns[i].verbs, p->report->verb) != NULL;
		const char *text = wanted ? columns[i].cell(p, row->group.like) : "";

		row->cell[i] = utf8_clean(p->arena, text ? text : "");
	}
	return RC_OK;
}

/* By what is shown, below the table as well. */
static int compare_rows(const struct row *a, const struct row *b)
{
	int order = report_compare_errors(&a->group.like->err, &b->group.like->err);

	for (size_t i = NUMBER + 1; i < COLUMNS && order == 0; i++)
		order = strcmp(a->cell[i], b->cell[i]);
	return order;
}

static int by_cells(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = compare_rows(a, b);

	return order ? order
		     : (a->group.like > b->group.like) - (a->group.like < b->group.like);
}

static int by_first(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	return (a->group.like > b->group.like) - (a->group.like < b->group.like);
}

/* Groups may differ in what the table does not show. */
static enum rc rows_unite(
	const struct printer *p, struct row *rows, size_t *count, struct err *e)
{
	size_t kept = 0;

	qsort(rows, *count, sizeof(*rows), by_cells);
	for (size_t i = 0; i < *count; i++) {
		struct row *last = kept ? &rows[kept - 1] : NULL;

		if (!last || compare_rows(last, &rows[i]) != 0) {
			rows[kept++] = rows[i];
			continue;
		}
		for (size_t n = 0; n < rows[i].group.names.count; n++)
			if (texts_add(&last->group.names, rows[i].group.names.item[n],
				    p->arena, e) != RC_OK)
				return e->code;
	}
	*count = kept;
	qsort(rows, *count, sizeof(*rows), by_first);
	return RC_OK;
}

static enum rc rows_make(
	const struct printer *p, struct row **out, size_t *count, struct err *e)
{
	struct report_group *groups;
	struct row *rows;
	enum rc rc = groups_make(
		p->report, GROUPS_TABLE_NODES, p->arena, &groups, count, e);

	if (rc != RC_OK)
		return rc;
	*out = rows = arena_alloc(p->arena, *count + 1, sizeof(*rows));
	if (!rows)
		return err_memory(e);
	for (size_t i = 0; i < *count && rc == RC_OK; i++) {
		rows[i].group = groups[i];
		rc = cells_make(p, &rows[i], e);
	}
	if (rc == RC_OK && p->report->count > GROUPS_TABLE_NODES)
		rc = rows_unite(p, rows, count, e);
	return rc;
}

/* "node[001-512]": the first of its patterns, and that there are more. */
static const char *names_text(const struct printer *p, const struct texts *names)
{
	enum { SHOWN_BYTES = 40 };
	struct texts folded;
	struct err e;
	const char *text = names->item[0];

	if (names->count == 1)
		return text;
	if (groups_fold(names, p->arena, &folded, &e) != RC_OK)
		return "";
	text = folded.item[0];
	if (strlen(text) > SHOWN_BYTES)
		return arena_format(p->arena, "%.*s...", SHOWN_BYTES, text);
	return folded.count > 1 ? arena_format(p->arena, "%s,...", text) : text;
}

static void names_fill(const struct printer *p, const struct row *row)
{
	const char *names = names_text(p, &row->group.names), *number = "";

	if (p->report->count > GROUPS_TABLE_NODES)
		number = arena_format(p->arena, "%zu", row->group.names.count);
	row->cell[NAMES] = utf8_clean(p->arena, names ? names : "");
	row->cell[NUMBER] = number ? number : "";
}

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

enum rc printer_nodes(const struct printer *p, struct err *e)
{
	const char *title[COLUMNS];
	size_t width[COLUMNS] = { 0 }, count;
	struct row *rows;
	enum rc rc = rows_make(p, &rows, &count, e);

	if (rc != RC_OK)
		return rc;
	for (size_t n = 0; n < count; n++) {
		names_fill(p, &rows[n]);
		for (size_t i = 0; i < COLUMNS; i++)
			width[i] = max(width[i], utf8_width(rows[n].cell[i]));
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		title[i] = columns[i].title;
		/* a column with nothing in it is left out */
		width[i] = width[i] ? max(width[i], utf8_width(title[i])) : 0;
	}
	row_print(p, NULL, title, width);
	for (size_t n = 0; n < count; n++)
		row_print(p, rows[n].group.like, rows[n].cell, width);
	return RC_OK;
}
