#include "coordinator/cpu/pools.h"

#include "coordinator/cpu/vendor.h"

/* What level_choose() says of the nodes of one group, as if there were no others. */
static enum rc pool_fill(const struct catalogue *c, const struct offer *offers,
	enum virt_type virt, const struct wishes *wishes, const struct bitset_ops *ops,
	struct arena *arena, struct pool *p, struct err *e)
{
	struct offer *own = arena_alloc(arena, p->count, sizeof(*own));

	if (!own)
		return err_memory(e);
	for (size_t i = 0; i < p->count; i++)
		own[i] = offers[p->node[i]];
	p->why = (struct err){ 0 };
	if (level_choose(c, own, p->count, virt, wishes, ops, arena, &p->level,
		    &p->why) != RC_MEMORY)
		return RC_OK;
	return err_memory(e);
}

enum rc pools_choose(const struct catalogue *c, const struct offer *offers, size_t n,
	enum virt_type virt, const struct wishes *wishes, const struct bitset_ops *ops,
	struct arena *arena, struct pool **out, size_t *count, struct err *e)
{
	struct vendor_group *groups;
	enum rc rc = vendor_group(offers, n, arena, &groups, count, e);

	if (rc != RC_OK)
		return rc;
	*out = arena_alloc(arena, *count, sizeof(**out));
	if (!*out)
		return err_memory(e);
	for (size_t i = 0; i < *count && rc == RC_OK; i++) {
		struct pool *p = &(*out)[i];

		p->vendor = groups[i].vendor;
		p->node = groups[i].node;
		p->count = groups[i].count;
		rc = pool_fill(c, offers, virt, wishes, ops, arena, p, e);
	}
	return rc;
}
