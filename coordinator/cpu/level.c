#include "coordinator/cpu/level.h"

#include <stdlib.h>
#include <string.h>

/* What holds for all offers together. */
struct common {
	enum virt_type virt;
	const char *vendor;
	struct bitset baseline;
	struct bitset names;	  /* features that every node's libvirt can spell */
	struct bitset model_rows; /* models that every node knows */
};

/* A model with what must be said beside its name. */
struct candidate {
	const struct model_row *model;
	struct bitset require, disable;
	size_t elements;
};

/* "node 3 (rack2-n03), of Intel": what the user can find again. */
static const char *describe(const struct offer *offers, size_t i, struct arena *arena)
{
	const char *vendor = offers[i].vendor[0] ? offers[i].vendor : "an unknown vendor";
	const char *text = offers[i].node[0]
				   ? arena_format(arena, "node %zu (%s) of %s", i + 1,
					     offers[i].node, vendor)
				   : arena_format(arena, "node %zu of %s", i + 1, vendor);

	return text ? text : "";
}

static enum rc check_vendors(
	const struct offer *offers, size_t n, struct arena *arena, struct err *e)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(offers[i].vendor, offers[0].vendor) != 0)
			return err_set(e, RC_LEVEL, 0,
				"CPU vendors differ, and a guest sees its host's: %s, %s",
				describe(offers, 0, arena), describe(offers, i, arena));
	return RC_OK;
}

static struct common common_of(const struct offer *offers, size_t n, enum virt_type virt)
{
	struct common m = { .virt = virt,
		.vendor = offers[0].vendor,
		.names = offers[0].names,
		.model_rows = offers[0].model_rows };

	for (size_t i = 1; i < n; i++) {
		m.names = bitset_and(&m.names, &offers[i].names);
		m.model_rows = bitset_and(&m.model_rows, &offers[i].model_rows);
	}
	return m;
}

/* Everything that any source makes of the model's name, and what all agree on.
 * False when no QEMU of the virt type is known to have the model: then nobody can
 * say what it would switch on. */
static bool meaning_of(const struct model_row *m, const struct common *common,
	struct bitset *any, struct bitset *all)
{
	int svm = catalogue_find_row("svm");
	bool in_qemu = false, first = true;

	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset features, latent;

		if (!catalogue_define_model(m, s, common->virt, &features, &latent))
			continue;
		in_qemu = in_qemu || catalogue_source_row(s)->is_qemu;
		*any = first ? features : bitset_or(any, &features);
		*all = first ? features : bitset_and(all, &features);
		if (svm >= 0 && bitset_has(&common->baseline, (size_t)svm))
			*any = bitset_or(any, &latent);
		first = false;
	}
	return in_qemu;
}

static bool fits_vendor(const struct model_row *m, const char *vendor)
{
	return !m->vendor || strcmp(m->vendor, vendor) == 0;
}

/* The elements that close the model; false when it cannot be closed with names
 * that every node's libvirt knows. */
static bool close_model(
	const struct model_row *m, const struct common *common, struct candidate *out)
{
	struct bitset any, all, removed;

	if (!meaning_of(m, common, &any, &all))
		return false;
	out->model = m;
	out->require = bitset_minus(&common->baseline, &all);
	out->disable = bitset_minus(&any, &common->baseline);
	if (!bitset_is_subset(&out->disable, &common->names))
		return false;
	/* libvirt adds these by itself; said aloud they hold for every version of
	 * it, but no node has to know the name. */
	removed = feature_list_set(m->removed);
	removed = bitset_minus(&removed, &common->baseline);
	removed = bitset_and(&removed, &common->names);
	out->disable = bitset_or(&out->disable, &removed);
	out->elements = bitset_count(&out->require) + bitset_count(&out->disable);
	return true;
}

/* Fewest elements; then the newest: the later in libvirt's map, where ancestors
 * come first.  A map has each name once, so there are no ties. */
static bool find_best(const struct common *common, struct candidate *best)
{
	bool found = false;

	for (size_t i = 0; i < catalogue_model_count(); i++) {
		const struct model_row *m = catalogue_model(i);
		struct candidate c;

		if (!m->decode_guest || !bitset_has(&common->model_rows, i) ||
			!fits_vendor(m, common->vendor) || !close_model(m, common, &c))
			continue;
		if (!found || c.elements <= best->elements)
			*best = c;
		found = true;
	}
	return found;
}

static int by_name(const void *a, const void *b)
{
	const struct level_feature *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void add_features(const struct catalogue *c, const struct bitset *set,
	enum policy policy, struct level *out)
{
	for (size_t bit = bitset_next(set, 0); bit < BITSET_BITS;
		bit = bitset_next(set, bit + 1))
		out->features[out->feature_count++] = (struct level_feature){
			catalogue_name(c, bit), policy
		};
}

/* With KVM the guest sees the host's vendor.  TCG shows that of QEMU's own model,
 * so only a model that has one lets us promise it. */
static const char *vendor_to_state(
	const struct common *common, const struct model_row *model)
{
	bool certain = common->virt == VIRT_KVM || model->vendor;

	return certain && catalogue_is_vendor(common->vendor) ? common->vendor : "";
}

static enum rc fill_level(const struct catalogue *c, const struct common *common,
	const struct candidate *best, struct arena *arena, struct level *out)
{
	*out = (struct level){ .virt = common->virt,
		.model = best->model->name,
		.vendor = vendor_to_state(common, best->model),
		.baseline = common->baseline };
	out->features = arena_alloc(arena, best->elements + 1, sizeof(*out->features));
	if (!out->features)
		return RC_MEMORY;
	add_features(c, &best->require, POLICY_REQUIRE, out);
	add_features(c, &best->disable, POLICY_DISABLE, out);
	qsort(out->features, out->feature_count, sizeof(*out->features), by_name);
	return RC_OK;
}

enum rc level_choose(const struct catalogue *c, const struct offer *offers, size_t n,
	enum virt_type virt, const struct bitset *excluded, const struct bitset_ops *ops,
	struct arena *arena, struct level *out, struct err *e)
{
	struct common common;
	struct candidate best;

	if (n == 0)
		return err_set(e, RC_LEVEL, 0, "there is no node to agree with");
	if (check_vendors(offers, n, arena, e) != RC_OK)
		return e->code;
	common = common_of(offers, n, virt);
	common.baseline = baseline_of(offers, n, excluded, ops);
	if (bitset_is_empty(&common.baseline))
		return err_set(e, RC_LEVEL, 0, "the nodes have no feature in common");
	if (!find_best(&common, &best))
		return err_set(e, RC_LEVEL, 0,
			"no CPU model of vendor %s for %s guests is known to every "
			"node's "
			"libvirt and QEMU and to cpuherd (%s)",
			common.vendor[0] ? common.vendor : "unknown", virt_names[virt],
			catalogue_source());
	if (fill_level(c, &common, &best, arena, out) != RC_OK)
		return err_memory(e);
	return RC_OK;
}
