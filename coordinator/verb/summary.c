#include "coordinator/verb/summary.h"

#include <string.h>

#include "coordinator/verb/push.h"

/* ---- where */

static const struct edits *edits_of(const struct run *run, size_t node)
{
	return &run->nodes[node].edits;
}

/* The first node on which there is something to write; count: on none. */
static size_t first_with_edits(const struct run *run)
{
	size_t i = 0;

	while (i < run->count && !edits_of(run, i)->count)
		i++;
	return i;
}

/* How the nodes compare with the first one. */
struct likeness {
	bool titles, counts; /* all begin with the same title; all have as many */
	size_t total;
};

static struct likeness likeness_of(const struct run *run, const struct edits *first)
{
	struct likeness like = { true, true, 0 };

	for (size_t i = 0; i < run->count; i++) {
		const struct edits *edits = edits_of(run, i);

		like.total += edits->count;
		like.counts &= edits->count == first->count;
		like.titles &= !edits->count ||
			       strcmp(edits->item[0].title, first->item[0].title) == 0;
	}
	return like;
}

/* Session daemons have folders of their own, and a guest is defined on one node. */
static const char *places_text(struct run *run, size_t node)
{
	const struct edits *first = edits_of(run, node);
	const struct likeness like = likeness_of(run, first);
	const char *title = first->item[0].title, *text = title;

	if (!like.titles)
		text = arena_format(&run->arena, "%s on %s, and its like on each node",
			title, run->nodes[node].name);
	else if (!like.counts)
		text = arena_format(
			&run->arena, "%s (and more: %zu in all)", title, like.total);
	else if (first->count > 1)
		text = arena_format(&run->arena, "%s (and %zu more on each node)", title,
			first->count - 1);
	return text ? text : title;
}

/* ---- what */

static bool would_change(const struct report_node *n)
{
	for (size_t i = 0; i < n->edits.count; i++)
		if (!n->edits.item[i].unchanged)
			return true;
	return false;
}

static size_t count_changed(const struct run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += would_change(&run->nodes[i]);
	return count;
}

static const char *verb_text(const struct run *run)
{
	if (!run->options->dry_run)
		return push_changed_nothing(run) ? "unchanged in" : "written to";
	return count_changed(run) ? "dry run, nothing was written to"
				  : "dry run, unchanged in";
}

static const char *deed_text(struct run *run)
{
	size_t node = first_with_edits(run);

	if (node == run->count)
		return "there is nothing to write it to on any node";
	return arena_format(&run->arena, "%s %s", verb_text(run), places_text(run, node));
}

/* "3 nodes agree on Haswell-noTSX +12 -34 (kvm): written to PATH". */
void summary_tell(struct run *run)
{
	const struct level *l = &run->level;
	const char *deed = deed_text(run), *summary = NULL;

	if (deed)
		summary = arena_format(&run->arena,
			"%zu node%s agree%s on %s +%zu -%zu (%s): %s", run->count,
			run->count == 1 ? "" : "s", run->count == 1 ? "s" : "", l->model,
			report_policy_count(l, POLICY_REQUIRE),
			report_policy_count(l, POLICY_DISABLE), run->report.virt, deed);
	run->report.summary = summary ? summary : "";
}

enum rc summary_check(struct run *run, struct err *e)
{
	size_t count = count_changed(run);

	if (count == 0)
		return RC_OK;
	return err_set(e, RC_DIFFERS, 0, "%zu of %zu nodes would be changed (%s)", count,
		run->count, run_names(run, would_change));
}
