#include "coordinator/cpu/level.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/closing.h"
#include "coordinator/cpu/vendor.h"

static struct common common_of(const struct offer *offers, size_t n, enum virt_type virt)
{
	struct common m = { .virt = virt,
		.vendor = offers[0].vendor,
		.names = offers[0].names,
		.floating = offers[0].floating,
		.model_rows = offers[0].model_rows,
		.sources = offers[0].sources };

	for (size_t i = 1; i < n; i++) {
		m.names = bitset_and(&m.names, &offers[i].names);
		m.floating = bitset_and(&m.floating, &offers[i].floating);
		m.model_rows = bitset_and(&m.model_rows, &offers[i].model_rows);
		m.sources |= offers[i].sources;
	}
	return m;
}

static bool fits_vendor(const struct model_row *m, const char *vendor)
{
	return !m->vendor || strcmp(m->vendor, vendor) == 0;
}

/* Fewest elements; then the newest: the later in libvirt's map, where ancestors
 * come first.  A map has each name once, so there are no ties. */
static bool find_best(const struct common *common, struct closing *best)
{
	bool found = false;

	for (size_t i = 0; i < catalogue_model_count(); i++) {
		const struct model_row *m = catalogue_model(i);
		struct closing c;

		if (!m->decode_guest || !bitset_has(&common->model_rows, i) ||
			!fits_vendor(m, common->vendor) || !closing_of(m, common, &c))
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

	bool known = catalogue_is_vendor(common->vendor, common->sources);

	return certain && known ? common->vendor : "";
}

static enum rc fill_level(const struct catalogue *c, const struct common *common,
	const struct closing *best, struct arena *arena, struct level *out)
{
	*out = (struct level){ .virt = common->virt,
		.model = best->model->name,
		.vendor = vendor_to_state(common, best->model),
		.baseline = common->baseline,
		.unsaid = best->unsaid,
		.names = common->names,
		.model_rows = common->model_rows,
		.sources = common->sources };
	out->features = arena_alloc(arena, best->elements + 1, sizeof(*out->features));
	if (!out->features)
		return RC_MEMORY;
	add_features(c, &best->require, POLICY_REQUIRE, out);
	add_features(c, &best->disable, POLICY_DISABLE, out);
	qsort(out->features, out->feature_count, sizeof(*out->features), by_name);
	return RC_OK;
}

enum rc level_choose(const struct catalogue *c, const struct offer *offers, size_t n,
	enum virt_type virt, const struct wishes *wishes, const struct bitset_ops *ops,
	struct arena *arena, struct level *out, struct err *e)
{
	struct common common;
	struct closing best;

	if (n == 0)
		return err_set(e, RC_LEVEL, 0, "there is no node to agree with");
	common = common_of(offers, n, virt);
	if (wishes && wishes->cross_vendor)
		common.vendor = "";
	else if (vendor_check(offers, n, virt, arena, e) != RC_OK)
		return e->code;
	common.baseline = baseline_of(offers, n, wishes ? &wishes->excluded : NULL, ops);
	if (bitset_is_empty(&common.baseline))
		return err_set(e, RC_LEVEL, 0, "the nodes have no feature in common");
	if (!find_best(&common, &best))
		return err_set(e, RC_LEVEL, 0,
			"no CPU model %s%s for %s guests is known to every node's "
			"libvirt and QEMU and to cpuherd (%s)",
			common.vendor[0] ? "of vendor " : "without a vendor",
			common.vendor, virt_names[virt], catalogue_source());
	if (fill_level(c, &common, &best, arena, out) != RC_OK)
		return err_memory(e);
	return RC_OK;
}
