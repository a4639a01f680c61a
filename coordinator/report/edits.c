#include "coordinator/report/edits.h"

#include <string.h>

#include "coordinator/report/diff.h"

static int compare_bytes(struct bytes a, struct bytes b)
{
	if (a.size != b.size)
		return a.size > b.size ? 1 : -1;
	return a.size ? memcmp(a.data, b.data, a.size) : 0;
}

static int flags_of(const struct edit *edit)
{
	return edit->exists | edit->ours << 1 | edit->unchanged << 2;
}

static const char *machine_before(const struct edit *edit)
{
	return edit->machine_before ? edit->machine_before : "";
}

static int compare_edit(const struct edit *a, const struct edit *b)
{
	int order = flags_of(a) - flags_of(b);

	if (!order)
		order = strcmp(a->title, b->title);
	if (!order)
		order = strcmp(a->machine, b->machine);
	if (!order)
		order = strcmp(machine_before(a), machine_before(b));
	if (!order)
		order = compare_bytes(a->before, b->before);
	return order ? order : compare_bytes(a->after, b->after);
}

int edits_compare(const struct edits *a, const struct edits *b)
{
	int order = (a->count > b->count) - (a->count < b->count);

	for (size_t i = 0; i < a->count && order == 0; i++)
		order = compare_edit(&a->item[i], &b->item[i]);
	return order;
}

static struct bytes line_bytes(const char *text, struct arena *arena)
{
	const char *line = text[0] ? arena_format(arena, "%s\n", text) : "";

	return (struct bytes){ (const uint8_t *)line, line ? strlen(line) : 0 };
}

static enum rc machine_diff(
	struct buf *out, const struct edit *edit, struct arena *arena, struct err *e)
{
	const char *title = arena_format(arena, "machine type of %s", edit->title);

	if (!title)
		return err_memory(e);
	return diff_unified(out, (const char *const[]){ title, title },
		(const struct bytes[]){ line_bytes(machine_before(edit), arena),
			line_bytes(edit->machine, arena) },
		arena, e);
}

enum rc edits_diff_one(
	struct buf *out, const struct edit *edit, struct arena *arena, struct err *e)
{
	enum rc rc;

	if (edit->unchanged)
		return RC_OK;
	rc = diff_unified(out,
		(const char *const[]){
			edit->exists ? edit->title : "/dev/null", edit->title },
		(const struct bytes[]){ edit->before, edit->after }, arena, e);
	if (rc == RC_OK && edit->machine[0])
		rc = machine_diff(out, edit, arena, e);
	return rc;
}

enum rc edits_diff(
	struct buf *out, const struct edits *edits, struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < edits->count && rc == RC_OK; i++)
		rc = edits_diff_one(out, &edits->item[i], arena, e);
	return rc;
}
