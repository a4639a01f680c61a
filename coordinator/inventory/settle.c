/* What remains when all has been read: both what is left out and the limit are held
 * against all nodes, so that neither hides the other's words. */
#include <string.h>

#include "coordinator/inventory/parts.h"

static enum rc leave_out(
	struct inventory *inv, bool *keep, struct arena *arena, struct err *e)
{
	bool *out = arena_alloc(arena, inv->count + 1, sizeof(*out));
	enum rc rc = out ? names_mark(inv->left_out, inv, out, arena, e) : err_memory(e);

	for (size_t i = 0; i < inv->count && rc == RC_OK; i++)
		keep[i] = !out[i];
	return rc;
}

static enum rc refuse(const struct inventory *inv, struct err *e)
{
	for (size_t i = 0; i < inv->count; i++)
		if (inv->nodes[i].refused)
			return err_set(e, RC_INPUT, 0,
				"%s: %s (-x or --limit leaves a node out)",
				inv->nodes[i].name, inv->nodes[i].refused);
	return RC_OK;
}

enum rc inventory_settle(struct inventory *inv, struct arena *arena, struct err *e)
{
	bool *keep = arena_alloc(arena, inv->count + 1, sizeof(*keep));
	enum rc rc = RC_OK;

	if (!keep)
		return err_memory(e);
	memset(keep, true, inv->count * sizeof(*keep));
	if (inv->left_out)
		rc = leave_out(inv, keep, arena, e);
	if (rc == RC_OK && inv->limit_count)
		rc = limit_apply(inv, keep, arena, e);
	if (rc != RC_OK)
		return rc;
	nodes_keep(inv, keep);
	inv->groups = NULL;
	inv->group_count = 0;
	inv->left_out = NULL;
	inv->limits = NULL;
	inv->limit_count = 0;
	return refuse(inv, e);
}
