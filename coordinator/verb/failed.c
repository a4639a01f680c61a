#include "coordinator/verb/failed.h"

#include "coordinator/verb/replace.h"

/* 100,000 nodes with the longest of reasons. */
enum { FAILED_BYTES_MAX = 256 * 1024 * 1024 };

/* Did the run break off, so that nothing of it is to be had? */
static bool is_broken_off(const struct err *outcome)
{
	return outcome->code == RC_INTERRUPTED || outcome->code == RC_MEMORY ||
	       outcome->code == RC_INTERNAL;
}

/* NULL: it has not failed.  A node that was not heard, or of a run that broke off, has
 * the run's own reason where it has none. */
static const struct err *why_failed(
	const struct run *run, const struct err *outcome, size_t node)
{
	const struct report_node *n = &run->nodes[node];
	bool unfinished = !n->facts || is_broken_off(outcome);

	if (n->err.code != RC_OK)
		return &n->err;
	return unfinished && outcome->code != RC_OK ? outcome : NULL;
}

static enum rc list_write(
	struct run *run, const struct err *outcome, struct buf *text, struct err *e)
{
	const char **reasons = arena_alloc(&run->arena, run->count, sizeof(*reasons));

	if (!reasons)
		return err_memory(e);
	for (size_t i = 0; i < run->count; i++) {
		const struct err *why = why_failed(run, outcome, i);

		if (!why)
			continue;
		reasons[i] = arena_format(
			&run->arena, "%s: %s", rc_name(why->code), why->text);
		if (!reasons[i])
			return err_memory(e);
	}
	return inventory_write(&run->inventory, reasons, text, e);
}

enum rc failed_write(struct run *run, const struct err *outcome, struct err *e)
{
	struct buf text = buf_with_cap(FAILED_BYTES_MAX);
	enum rc rc;

	if (run->report.count == 0)
		return RC_OK;
	rc = list_write(run, outcome, &text, e);
	if (rc == RC_OK)
		rc = replace_file(run->options->failed, buf_bytes(&text), e);
	buf_destroy(&text);
	return rc;
}
