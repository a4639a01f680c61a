/* The table of rehearse: trial guests and their ways, and what became of them. */
#include <string.h>

#include "coordinator/report/groups.h"
#include "coordinator/report/printer.h"
#include "coordinator/report/utf8.h"

enum { COLUMNS = 5, PAIRS_TOLD = 8 };

struct line {
	const char *cell[COLUMNS];
};

static const struct line title = { { "SOURCE", "TARGET", "GUEST", "TIME", "OUTCOME" } };

/* ---- cells */

static const char *guest_text(const struct report_migration *m)
{
	if (!m->before || !m->before->started)
		return "";
	return m->before->alive ? "ran" : "paused";
}

static const char *time_text(const struct printer *p, const struct report_migration *m)
{
	const char *text = m->migrated ? arena_format(p->arena, "%.1f s",
						 m->migrated->ms / 1000.0)
				       : "";

	return text ? text : "";
}

static const char *outcome_text(const struct report_migration *m)
{
	return !m->ok ? "failed" : m->ran ? "lives on" : "arrived";
}

static struct line line_of(const struct printer *p, const struct report_migration *m)
{
	return (struct line){ { utf8_clean(p->arena, m->source),
		utf8_clean(p->arena, m->target), guest_text(m), time_text(p, m),
		outcome_text(m) } };
}

/* ---- the table */

static void widths_take(size_t width[static COLUMNS], const struct line *l)
{
	for (size_t i = 0; i < COLUMNS; i++)
		if (utf8_width(l->cell[i]) > width[i])
			width[i] = utf8_width(l->cell[i]);
}

static void line_print(const struct printer *p, const struct line *l,
	const size_t width[static COLUMNS], const char *colour)
{
	fputs(colour, p->out);
	for (size_t i = 0; i + 1 < COLUMNS; i++)
		fprintf(p->out, "%s%*s", l->cell[i],
			(int)(width[i] - utf8_width(l->cell[i]) + 2), "");
	fprintf(p->out, "%s%s\n", l->cell[COLUMNS - 1], colour[0] ? "\033[0m" : "");
}

/* Of many only those that failed have a line. */
static bool has_line(const struct report *r, const struct report_migration *m)
{
	return r->migration_count <= GROUPS_TABLE_NODES || !m->ok;
}

static void lines_print(
	const struct printer *p, struct line *lines, const size_t width[static COLUMNS])
{
	const struct report *r = p->report;

	for (size_t i = 0; i < r->migration_count; i++)
		if (has_line(r, &r->migrations[i]))
			line_print(p, &lines[i], width,
				!p->colours	      ? ""
				: r->migrations[i].ok ? "\033[32m"
						      : "\033[31m");
}

/* ---- what failed, and why */

static void word_print(const struct printer *p, const char *what, const char *word)
{
	if (word && word[0])
		fprintf(p->out, "  %s: %s\n", what, utf8_clean(p->arena, word));
}

static bool is_same(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Would it be told in the same words?  But for QEMU's, which have the time in them. */
static bool failed_alike(
	const struct report_migration *a, const struct report_migration *b)
{
	const struct migrated none = { .ok = false };
	const struct migrated *left = a->migrated ? a->migrated : &none,
			      *right = b->migrated ? b->migrated : &none;

	return is_same(a->why, b->why) && is_same(a->cause, b->cause) &&
	       is_same(left->direct, right->direct) && is_same(left->reach, right->reach);
}

static void pair_print(const struct printer *p, const struct report_migration *m)
{
	fprintf(p->out, "%s -> %s", utf8_clean(p->arena, m->source),
		utf8_clean(p->arena, m->target));
}

/* "node01 -> node02, node02 -> node03 and 3 more: " */
static void pairs_print(
	const struct printer *p, const struct report_migration *first, size_t count)
{
	size_t told = 0;

	for (const struct report_migration *m = first; told < count && told < PAIRS_TOLD;
		m++) {
		if (m->ok)
			continue;
		fputs(told++ ? ", " : "\n", p->out);
		pair_print(p, m);
	}
	if (count > told)
		fprintf(p->out, " and %zu more", count - told);
	fputs(": ", p->out);
}

static void failure_print(
	const struct printer *p, const struct report_migration *m, size_t count)
{
	pairs_print(p, m, count);
	fprintf(p->out, "%s\n", utf8_clean(p->arena, m->why));
	if (m->migrated) {
		word_print(p, "asked directly, the target says", m->migrated->direct);
		word_print(p, "from the source", m->migrated->reach);
		word_print(p, "QEMU at the source", m->migrated->log);
	}
	if (m->met) {
		word_print(p, "the guest at the target", m->met->state);
		word_print(p, "QEMU at the target", m->met->log);
	}
	word_print(p, "likely cause", m->cause);
}

/* Failures that follow each other and say the same are told once. */
static void failures_print(const struct printer *p)
{
	const struct report *r = p->report;
	const struct report_migration *first = NULL;
	size_t count = 0;

	for (size_t i = 0; i < r->migration_count; i++) {
		const struct report_migration *m = &r->migrations[i];

		if (m->ok)
			continue;
		if (first && !failed_alike(first, m)) {
			failure_print(p, first, count);
			first = NULL;
		}
		count = first ? count + 1 : 1;
		first = first ? first : m;
	}
	if (first)
		failure_print(p, first, count);
}

enum rc printer_migrations(const struct printer *p, struct err *e)
{
	const struct report *r = p->report;
	struct line *lines = arena_alloc(
		p->arena, r->migration_count + 1, sizeof(*lines));
	size_t width[COLUMNS] = { 0 };

	if (!lines)
		return err_memory(e);
	widths_take(width, &title);
	for (size_t i = 0; i < r->migration_count; i++) {
		lines[i] = line_of(p, &r->migrations[i]);
		if (has_line(r, &r->migrations[i]))
			widths_take(width, &lines[i]);
	}
	line_print(p, &title, width, "");
	lines_print(p, lines, width);
	failures_print(p);
	return RC_OK;
}
