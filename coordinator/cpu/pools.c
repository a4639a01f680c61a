#include "coordinator/cpu/pools.h"

#include "coordinator/cpu/vendor.h"

/* The conditions of one group, as if there were no others. */
static bool conditions_of(
	const struct conditions *all, const struct pool *p, struct conditions *out)
{
	struct offer *offers = arena_alloc(all->arena, p->count, sizeof(*offers));
	struct node_facts *facts = arena_alloc(all->arena, p->count, sizeof(*facts));
	struct condition_node *nodes = arena_alloc(all->arena, p->count, sizeof(*nodes));

	if (!offers || !facts || !nodes)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		offers[i] = all->offers[p->node[i]];
		if (!all->facts)
			continue;
		facts[i] = all->facts[p->node[i]];
		nodes[i] = all->nodes[p->node[i]];
	}
	*out = *all;
	out->count = p->count;
	out->offers = offers;
	out->facts = all->facts ? facts : NULL;
	out->nodes = nodes;
	return true;
}

static enum rc pool_fill(const struct conditions *all, const struct wishes *wishes,
	const struct bitset_ops *ops, struct pool *p, struct err *e)
{
	struct conditions own;
	enum rc rc;

	if (!conditions_of(all, p, &own))
		return err_memory(e);
	p->why = (struct err){ 0 };
	rc = conditions_choose(&own, wishes, ops, &p->level, &p->why);
	if (rc == RC_OK && own.facts)
		rc = conditions_remark(&own, &p->level, &p->why);
	if (rc == RC_MEMORY)
		return err_memory(e);
	if (rc == RC_OK && own.facts) {
		p->remarks = own.remarks;
		p->remark_count = own.remark_count;
	}
	return RC_OK;
}

enum rc pools_choose(const struct conditions *all, const struct wishes *wishes,
	const struct bitset_ops *ops, struct pool **out, size_t *count, struct err *e)
{
	struct vendor_group *groups;
	enum rc rc = vendor_group(all->offers, all->count, all->arena, &groups, count, e);

	if (rc != RC_OK)
		return rc;
	*out = arena_alloc(all->arena, *count, sizeof(**out));
	if (!*out)
		return err_memory(e);
	for (size_t i = 0; i < *count && rc == RC_OK; i++) {
		struct pool *p = &(*out)[i];

		p->vendor = groups[i].vendor;
		p->node = groups[i].node;
		p->count = groups[i].count;
		rc = pool_fill(all, wishes, ops, p, e);
	}
	return rc;
}
