#include "coordinator/report/edits.h"

#include <string.h>

#include "coordinator/report/diff.h"

static int compare_bytes(struct bytes a, struct bytes b)
{
	if (a.size != b.size)
		return a.size > b.size ? 1 : -1;
	return a.size ? memcmp(a.data, b.data, a.size) : 0;
}

static int compare_edit(const struct edit *a, const struct edit *b)
{
	int order = (int)a->exists - (int)b->exists;

	if (!order)
		order = strcmp(a->title, b->title);
	if (!order)
		order = strcmp(a->machine, b->machine);
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

enum rc edits_diff(
	struct buf *out, const struct edits *edits, struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < edits->count && rc == RC_OK; i++) {
		const struct edit *edit = &edits->item[i];

		rc = diff_unified(out,
			(const char *const[]){
				edit->exists ? edit->title : "/dev/null", edit->title },
			(const struct bytes[]){ edit->before, edit->after }, arena, e);
	}
	return rc;
}
