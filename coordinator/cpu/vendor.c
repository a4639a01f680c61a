#include "coordinator/cpu/vendor.h"

#include <stdlib.h>
#include <string.h>

#include "proto/texts.h"

/* Where CPUID's letters or libvirt's name would not tell people whose CPU it is: Zhaoxin
 * has both strings, VIA the first (Linux arch/x86/kernel/cpu/zhaoxin.c, centaur.c). */
static const struct title {
	const char *vendor, *text;
} titles[] = {
	{ "CentaurHauls", "Zhaoxin or VIA (CentaurHauls)" },
	{ "Zhaoxin CentaurHauls", "Zhaoxin or VIA (CentaurHauls)" },
	{ "  Shanghai  ", "Zhaoxin (Shanghai)" },
	{ "", "unknown vendor" },
};

const char *vendor_title(const char *vendor, struct arena *arena)
{
	const char *text;

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (strcmp(titles[i].vendor, vendor) == 0)
			return titles[i].text;
	if (catalogue_is_vendor(vendor, 0))
		return vendor;
	text = arena_format(arena, "'%.40s'", vendor);
	return text ? text : "";
}

/* ---- groups */

static int compare_groups(const void *left, const void *right)
{
	const struct vendor_group *a = left, *b = right;

	if (a->nodes != b->nodes)
		return a->nodes > b->nodes ? -1 : 1;
	return strcmp(a->vendor, b->vendor);
}

static struct vendor_group *group_find(
	struct vendor_group *groups, size_t count, const char *vendor)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(groups[i].vendor, vendor) == 0)
			return &groups[i];
	return NULL;
}

enum rc vendor_group(const struct offer *offers, size_t n, struct arena *arena,
	struct vendor_group **out, size_t *count, struct err *e)
{
	*out = NULL;
	*count = 0;
	for (size_t i = 0; i < n; i++) {
		struct vendor_group *g = group_find(*out, *count, offers[i].vendor);

		if (!g) {
			*out = arena_grow(arena, *out, *count, sizeof(**out));
			if (!*out)
				return err_memory(e);
			g = &(*out)[(*count)++];
			*g = (struct vendor_group){ .vendor = offers[i].vendor };
		}
		g->node = arena_grow(arena, g->node, g->count, sizeof(*g->node));
		if (!g->node)
			return err_memory(e);
		g->node[g->count++] = i;
		g->nodes += offers_node_count(&offers[i], 1);
	}
	if (*count)
		qsort(*out, *count, sizeof(**out), compare_groups);
	return RC_OK;
}

bool vendor_is_one(const struct offer *offers, size_t n, enum virt_type virt)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(offers[i].vendor, offers[0].vendor) != 0)
			return false;
	return offers_node_count(offers, n) <= 1 || virt != VIRT_KVM ||
	       offers[0].vendor[0];
}

/* ---- the refusal */

/* "Intel (node01, node02 and 5 more)"; NULL when memory is short. */
static const char *group_text(const struct offer *offers, size_t n,
	const struct vendor_group *g, struct arena *arena)
{
	bool *picked = arena_alloc(arena, n, sizeof(*picked));

	if (!picked)
		return NULL;
	for (size_t i = 0; i < g->count; i++)
		picked[g->node[i]] = true;
	return arena_format(arena, "%s (%s)", vendor_title(g->vendor, arena),
		offers_name(offers, n, picked, arena));
}

/* An emulated CPU has the vendor of QEMU's model, so that libvirts of different mind
 * are about different programs, not about hosts. */
static const char *const reasons[VIRT_COUNT] = {
	[VIRT_KVM] = "with KVM a guest sees its host's",
	[VIRT_QEMU] = "so the nodes' QEMUs emulate different CPUs",
};

/* The groups, as group_text() has them. */
static enum rc groups_text(const struct offer *offers, size_t n,
	const struct vendor_group *groups, size_t count, struct arena *arena,
	const char **out, struct err *e)
{
	struct texts each = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = texts_add(&each, group_text(offers, n, &groups[i], arena), arena, e);
	*out = rc == RC_OK ? texts_join(&each, count, arena) : NULL;
	return *out ? RC_OK : err_memory(e);
}

enum rc vendor_check(const struct offer *offers, size_t n, enum virt_type virt,
	struct arena *arena, struct err *e)
{
	struct vendor_group *groups;
	const char *text;
	size_t count;

	if (vendor_is_one(offers, n, virt))
		return RC_OK;
	if (vendor_group(offers, n, arena, &groups, &count, e) != RC_OK ||
		groups_text(offers, n, groups, count, arena, &text, e) != RC_OK)
		return e->code;
	if (count == 1)
		return err_set(e, RC_LEVEL, 0,
			"nothing tells whose CPUs these are, and %s: %s", reasons[virt],
			text);
	return err_set(e, RC_LEVEL, 0,
		"CPU vendors differ, and %s: %s; each needs a level of its own",
		reasons[virt], text);
}
