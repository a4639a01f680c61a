/* One CPU, several microcodes: equal today, and the first to drift apart. */
#include "coordinator/cpu/conditions_rules.h"

#include <string.h>

#include "coordinator/cpu/decode.h"

/* CPUID leaf 1 EAX of the node's first kind of CPU; 0 unknown. */
static uint32_t signature_of(const struct conditions *c, size_t node)
{
	const struct registers *r = &c->facts[node].registers[BODY_host];
	const struct leaf *l = r->sets.count ? decode_leaf(r->sets.item, 1, 0) : NULL;

	return l ? l->eax : 0;
}

static const char *revision_of(const struct conditions *c, size_t node)
{
	return c->facts[node].small.microcode;
}

static bool is_known(const struct conditions *c, size_t node)
{
	return signature_of(c, node) && revision_of(c, node)[0];
}

/* There are few CPUs among many nodes, so the first of its kind stands near the front. */
static size_t first_of_cpu(const struct conditions *c, size_t node)
{
	for (size_t i = 0; is_known(c, node) && i < node; i++)
		if (is_known(c, i) && signature_of(c, i) == signature_of(c, node) &&
			strcmp(c->offers[i].vendor, c->offers[node].vendor) == 0)
			return i;
	return node;
}

/* mixed[i]: i is the first node of a CPU that has several revisions. */
static bool *find_mixed(const struct conditions *c, const size_t *first)
{
	bool *mixed = conditions_nodes(c);

	for (size_t i = 0; mixed && i < c->count; i++)
		if (is_known(c, i) &&
			strcmp(revision_of(c, i), revision_of(c, first[i])) != 0)
			mixed[first[i]] = true;
	return mixed;
}

static enum rc remark_mixed(struct conditions *c, const size_t *first, struct err *e)
{
	const char **text = arena_alloc(c->arena, c->count + 1, sizeof(*text));
	bool *mixed = find_mixed(c, first);

	if (!text || !mixed)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++) {
		if (!is_known(c, i) || !mixed[first[i]])
			continue;
		text[i] = arena_format(c->arena,
			"CPU 0x%x has revision %s here and another elsewhere: their "
			"features may drift apart",
			signature_of(c, i), revision_of(c, i));
		if (!text[i])
			return err_memory(e);
	}
	return conditions_say_each(c, "microcode", text, e);
}

enum rc microcode_remark(struct conditions *c, const struct level *l, struct err *e)
{
	size_t *first = arena_alloc(c->arena, c->count + 1, sizeof(*first));
	enum rc rc;

	(void)l;
	if (c->virt != VIRT_KVM || !conditions_several(c))
		return RC_OK;
	if (!first)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++)
		first[i] = first_of_cpu(c, i);
	rc = remark_mixed(c, first, e);
	return rc == RC_OK ? conditions_miss_unless(c, "microcode revision", is_known, e)
			   : rc;
}
