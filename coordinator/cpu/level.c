#include "coordinator/cpu/level.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/closing.h"
#include "coordinator/cpu/libvirt_choice.h"
#include "coordinator/cpu/vendor.h"
#include "coordinator/cpu/wishes.h"

const char *const preference_names[] = {
	[PREFER_FEWEST] = "fewest", [PREFER_LIBVIRT] = "libvirt"
};

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

/* ---- which model */

/* What the choice is made from. */
struct choosing {
	const struct common *common;
	const struct offer *offers;
	size_t n;
	const struct wishes *wishes;
	struct arena *arena;
	struct err *e;
};

static bool may_be_chosen(const struct common *common, size_t row)
{
	const struct model_row *m = catalogue_model(row);

	return m->decode_guest && bitset_has(&common->model_rows, row) &&
	       fits_vendor(m, common->vendor);
}

/* Fewest elements; then fewest of them disables, which a reader has to know the model
 * for; then the newest: the later in libvirt's map, where ancestors come first.  A map has
 * each name once, so there are no ties left. */
static bool is_better(const struct closing *a, const struct closing *b)
{
	size_t x = bitset_count(&a->disable), y = bitset_count(&b->disable);

	return a->elements < b->elements || (a->elements == b->elements && x <= y);
}

static enum rc find_fewest(const struct choosing *ch, struct closing *best)
{
	const struct common *common = ch->common;
	bool found = false;

	for (size_t i = 0; i < catalogue_model_count(); i++) {
		struct closing c;

		if (!may_be_chosen(common, i) ||
			!closing_of(catalogue_model(i), common, &c))
			continue;
		if (!found || is_better(&c, best))
			*best = c;
		found = true;
	}
	if (found)
		return RC_OK;
	return err_set(ch->e, RC_LEVEL, 0,
		"no CPU model %s%s for %s guests is known to every node's libvirt and "
		"QEMU and to cpuherd (%s)",
		common->vendor[0] ? "of vendor " : "without a vendor", common->vendor,
		virt_names[common->virt], catalogue_source());
}

static enum rc close_only(
	const struct choosing *ch, const struct model_row *m, struct closing *best)
{
	if (closing_of(m, ch->common, best))
		return RC_OK;
	return err_set(ch->e, RC_LEVEL, 0,
		"model %s cannot be said in full: no QEMU for %s guests that cpuherd "
		"knows (%s) has it, or it takes names of features that some node's "
		"libvirt lacks",
		m->name, virt_names[ch->common->virt], catalogue_source());
}

static enum rc find_libvirts(const struct choosing *ch, struct closing *best)
{
	struct libvirt_question q = { .features = ch->common->baseline,
		.vendor = ch->common->vendor,
		.sources = ch->common->sources,
		.virt = ch->common->virt };
	const struct model_row *m;

	q.asked.item = arena_alloc(ch->arena, ch->n, sizeof(*q.asked.item));
	if (!q.asked.item)
		return err_memory(ch->e);
	for (size_t i = 0; i < ch->n; i++)
		if (ch->offers[i].host_model)
			q.asked.item[q.asked.count++] = ch->offers[i].host_model;
	for (size_t i = 0; i < catalogue_model_count(); i++)
		if (may_be_chosen(ch->common, i))
			bitset_add(&q.models, i);
	m = libvirt_choice_of(&q);
	if (!m)
		return find_fewest(ch, best); /* which says what is wrong */
	return close_only(ch, m, best);
}

static enum rc find_forced(const struct choosing *ch, struct closing *best)
{
	const struct model_row *m = ch->wishes->model;
	bool *lacking = arena_alloc(ch->arena, ch->n, sizeof(*lacking));
	size_t row = (size_t)(m - catalogue_model(0));

	if (!lacking)
		return err_memory(ch->e);
	if (!fits_vendor(m, ch->common->vendor) && ch->wishes->cross_vendor)
		return err_set(ch->e, RC_LEVEL, 0,
			"--model %s is of %s, and --cross-vendor takes one of no vendor",
			m->name, m->vendor);
	if (!fits_vendor(m, ch->common->vendor))
		return err_set(ch->e, RC_LEVEL, 0,
			"--model %s is of %s and the nodes are of %s", m->name, m->vendor,
			ch->common->vendor[0] ? ch->common->vendor : "an unknown vendor");
	for (size_t i = 0; i < ch->n; i++)
		lacking[i] = !bitset_has(&ch->offers[i].model_rows, row);
	if (!bitset_has(&ch->common->model_rows, row))
		return err_set(ch->e, RC_LEVEL, 0,
			"--model %s: libvirt and QEMU do not know it for %s guests on %s",
			m->name, virt_names[ch->common->virt],
			offers_name(ch->offers, ch->n, lacking, ch->arena));
	return close_only(ch, m, best);
}

static enum rc find_best(const struct choosing *ch, struct closing *best)
{
	static enum rc (*const by[])(const struct choosing *, struct closing *) = {
		[PREFER_FEWEST] = find_fewest, [PREFER_LIBVIRT] = find_libvirts
	};

	return ch->wishes->model ? find_forced(ch, best)
				 : by[ch->wishes->prefer](ch, best);
}

/* ---- the level */

static int by_name(const void *a, const void *b)
{
	const struct level_feature *x = a, *y = b;

	return strcmp(x->name, y->name);
}

void level_sort_features(struct level *l)
{
	qsort(l->features, l->feature_count, sizeof(*l->features), by_name);
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
	level_sort_features(out);
	return RC_OK;
}

/* KVM gives what floats on any host: it is stated where somebody wishes for it, and does
 * not come in by the way where somebody wants it out. */
static void settle_wished(
	struct common *common, const struct wishes *w, const struct bitset *out_of_it)
{
	struct bitset wished = wishes_required(w, common->virt);

	common->floating = bitset_minus(&common->floating, out_of_it);
	wished = bitset_and(&wished, &common->floating);
	common->baseline = bitset_or(&common->baseline, &wished);
	common->floating = bitset_minus(&common->floating, &wished);
}

enum rc level_choose(const struct catalogue *c, const struct offer *offers, size_t n,
	enum virt_type virt, const struct wishes *wishes, const struct bitset_ops *ops,
	struct arena *arena, struct level *out, struct err *e)
{
	static const struct wishes none;
	const struct wishes *w = wishes ? wishes : &none;
	struct bitset out_of_it = wishes_taken_out(w);
	struct common common;
	struct choosing choosing = { &common, offers, n, w, arena, e };
	struct closing best;

	if (n == 0)
		return err_set(e, RC_LEVEL, 0, "there is no node to agree with");
	common = common_of(offers, n, virt);
	if (w->cross_vendor)
		common.vendor = "";
	else if (vendor_check(offers, n, virt, arena, e) != RC_OK)
		return e->code;
	common.baseline = baseline_of(offers, n, &out_of_it, ops);
	settle_wished(&common, w, &out_of_it);
	if (bitset_is_empty(&common.baseline))
		return err_set(e, RC_LEVEL, 0, "the nodes have no feature in common");
	if (wishes_check(c, offers, n, virt, w, &common.baseline, arena, e) != RC_OK)
		return e->code;
	if (find_best(&choosing, &best) != RC_OK)
		return e->code;
	if (fill_level(c, &common, &best, arena, out) != RC_OK)
		return err_memory(e);
	return RC_OK;
}
