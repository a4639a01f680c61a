#include "coordinator/cpu/vendor.h"

#include <stdlib.h>
#include <string.h>

enum { NODES_SHOWN = 3 };

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

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
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
	return n <= 1 || virt != VIRT_KVM || offers[0].vendor[0];
}

/* ---- the refusal */

/* What the user can find again. */
static const char *node_text(const struct offer *offers, size_t i, struct arena *arena)
{
	const char *text = offers[i].node;

	if (!text[0])
		text = arena_format(arena, "node %zu", i + 1);
	return text ? text : "";
}

/* "Intel (node01, node02, node03 and 5 more)". */
static const char *group_text(
	const struct offer *offers, const struct vendor_group *g, struct arena *arena)
{
	const char *text = arena_format(arena, "%s (", vendor_title(g->vendor, arena));

	for (size_t i = 0; i < g->count && i < NODES_SHOWN && text; i++)
		text = arena_format(arena, "%s%s%s", text, i ? ", " : "",
			node_text(offers, g->node[i], arena));
	if (text && g->count > NODES_SHOWN)
		return arena_format(
			arena, "%s and %zu more)", text, g->count - NODES_SHOWN);
	return text ? arena_format(arena, "%s)", text) : NULL;
}

/* An emulated CPU has the vendor of QEMU's model, so that libvirts of different mind
 * are about different programs, not about hosts. */
static const char *const reasons[VIRT_COUNT] = {
	[VIRT_KVM] = "with KVM a guest sees its host's",
	[VIRT_QEMU] = "so the nodes' QEMUs emulate different CPUs",
};

enum rc vendor_check(const struct offer *offers, size_t n, enum virt_type virt,
	struct arena *arena, struct err *e)
{
	struct vendor_group *groups;
	const char *text = "";
	size_t count;

	if (vendor_is_one(offers, n, virt))
		return RC_OK;
	if (vendor_group(offers, n, arena, &groups, &count, e) != RC_OK)
		return e->code;
	for (size_t i = 0; i < count; i++) {
		const char *one = group_text(offers, &groups[i], arena);

		if (one)
			text = arena_format(arena, "%s%s%s", text, i ? ", " : "", one);
		if (!one || !text)
			return err_memory(e);
	}
	if (count == 1)
		return err_set(e, RC_LEVEL, 0,
			"nothing tells whose CPUs these are, and %s: %s", reasons[virt],
			text);
	return err_set(e, RC_LEVEL, 0,
		"CPU vendors differ, and %s: %s; each needs a level of its own",
		reasons[virt], text);
}
