/* The table: what would be written on the nodes. */
#include "coordinator/report/edits.h"
#include "coordinator/report/groups.h"
#include "coordinator/report/printer.h"
#include "coordinator/report/utf8.h"

enum { DIFF_BYTES_MAX = 16 * 1024 * 1024 };

static int by_edits(const struct report_node *a, const struct report_node *b)
{
	return edits_compare(&a->edits, &b->edits);
}

static enum rc change_print(
	const struct printer *p, const struct report_group *group, struct err *e)
{
	struct buf diff = buf_with_cap(DIFF_BYTES_MAX);
	const char *names = utf8_clean(p->arena, groups_names(&group->names, p->arena));
	enum rc rc = edits_diff(&diff, &group->like->edits, p->arena, e);
	struct bytes text = buf_bytes(&diff);

	if (rc == RC_OK && text.size)
		fprintf(p->out, "\n%s:\n%.*s", names, (int)text.size,
			(const char *)text.data);
	else if (rc == RC_OK)
		fprintf(p->out, "\n%s: unchanged\n", names);
	buf_destroy(&diff);
	return rc;
}

enum rc printer_changes(const struct printer *p, struct err *e)
{
	struct report_group *groups;
	size_t count;
	enum rc rc = groups_by(
		p->report, 0, report_shows_edits, by_edits, p->arena, &groups, &count, e);

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = change_print(p, &groups[i], e);
	return rc;
}
