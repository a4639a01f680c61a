#include "coordinator/cpu/holds.h"

#include <string.h>

#include "coordinator/cpu/closing.h"
#include "coordinator/cpu/conditions_rules.h"
#include "coordinator/cpu/names.h"
#include "coordinator/cpu/vendor.h"

struct judging {
	const struct conditions *c;
	size_t node;
	const struct offer *offer;
	const struct level *level;
	const struct ground *ground;
};

/* NULL: no objection.  Fills in the features that it is about. */
typedef const char *objection(const struct judging *j, struct bitset *features);

static const char *say_names(
	const struct judging *j, const char *what, const struct bitset *set)
{
	const char *names = names_join(j->c->catalogue, set, j->c->arena);

	return names ? arena_format(j->c->arena, "%s: %s", what, names) : "";
}

/* ---- features and names */

static const char *vendor_objects(const struct judging *j, struct bitset *features)
{
	struct arena *arena = j->c->arena;

	(void)features;
	if (!j->ground->vendor[0] || strcmp(j->offer->vendor, j->ground->vendor) == 0)
		return NULL;
	return arena_format(arena, "its CPU is of %s, and guests of the level saw %s",
		vendor_title(j->offer->vendor, arena),
		vendor_title(j->ground->vendor, arena));
}

static const char *features_object(const struct judging *j, struct bitset *features)
{
	*features = bitset_minus(&j->level->baseline, &j->offer->features);
	*features = bitset_minus(features, &j->offer->floating);
	return bitset_is_empty(features) ? NULL : say_names(j, "not offered", features);
}

static const char *model_objects(const struct judging *j, struct bitset *features)
{
	const struct model_row *m = catalogue_find_model(j->level->model);

	(void)features;
	if (m && bitset_has(&j->offer->model_rows, (size_t)(m - catalogue_model(0))))
		return NULL;
	return arena_format(
		j->c->arena, "libvirt and QEMU do not know model %s", j->level->model);
}

static struct bitset named_with(const struct judging *j, bool all)
{
	struct bitset named = { { 0 } };

	for (size_t i = 0; i < j->level->feature_count; i++) {
		const struct level_feature *f = &j->level->features[i];
		int bit = catalogue_find(j->c->catalogue, f->name);

		if (bit >= 0 && (all || f->policy == POLICY_DISABLE))
			bitset_add(&named, (size_t)bit);
	}
	return named;
}

static const char *names_object(const struct judging *j, struct bitset *features)
{
	struct bitset named = named_with(j, true);
	struct bitset unknown = bitset_minus(&named, &j->offer->names);

	*features = bitset_and(&unknown, &j->level->baseline);
	return bitset_is_empty(&unknown)
		       ? NULL
		       : say_names(j, "libvirt does not know the names", &unknown);
}

/* A newer QEMU or libvirt may mean more by the model. */
static const char *closing_objects(const struct judging *j, struct bitset *features)
{
	const struct model_row *m = catalogue_find_model(j->level->model);
	struct common common = { .virt = j->level->virt,
		.vendor = j->level->vendor,
		.baseline = j->level->baseline,
		.floating = j->offer->floating,
		.names = j->offer->names,
		.model_rows = j->offer->model_rows,
		.sources = j->offer->sources };
	struct bitset off = named_with(j, false), open;

	(void)features;
	if (!m)
		return NULL;
	open = closing_adds(m, &common);
	open = bitset_minus(&open, &off);
	open = bitset_minus(&open, &j->level->unsaid);
	return bitset_is_empty(&open)
		       ? NULL
		       : say_names(j, "its QEMU or libvirt adds to the model", &open);
}

/* ---- besides features */

static const char *address_objects(const struct judging *j, struct bitset *features)
{
	uint32_t wanted = j->level->maxphysaddr, bits;

	(void)features;
	if (!wanted || !j->c->facts)
		return NULL;
	bits = address_bits_on(j->c, j->node);
	if (!bits)
		return "the width of its physical addresses is not known";
	if (bits < wanted)
		return arena_format(j->c->arena,
			"physical addresses of %u bits, and the level has %u", bits,
			wanted);
	return address_can_be_stated(j->c, j->node)
		       ? NULL
		       : "libvirt is not known to be 8.7 or newer, which can state the "
			 "width of physical addresses";
}

static const char *xsave_objects(const struct judging *j, struct bitset *features)
{
	if (!j->c->facts)
		return NULL;
	*features = xsave_misplaced(j->c, j->node, &j->level->baseline, j->ground->xsave,
		j->ground->xsave_count);
	return bitset_is_empty(features)
		       ? NULL
		       : say_names(j, "XSAVE keeps elsewhere the state of", features);
}

static const char *nested_objects(const struct judging *j, struct bitset *features)
{
	const char *here;

	if (!j->ground->nested[0] || !j->c->facts)
		return NULL;
	here = nested_ground_on(j->c, j->node);
	if (here && strcmp(here, j->ground->nested) == 0)
		return NULL;
	bitset_add(features, (size_t)catalogue_find_row("vmx"));
	return "KVM's VMX registers or QEMU are not those that vmx was agreed on with";
}

/* ---- all of them */

static const struct rule {
	const char *about;
	objection *object;
} rules[HOLD_REASONS] = {
	{ "vendor", vendor_objects },
	{ "features", features_object },
	{ "model", model_objects },
	{ "names", names_object },
	{ "closing", closing_objects },
	{ "maxphysaddr", address_objects },
	{ "xsave", xsave_objects },
	{ "nested", nested_objects },
};

enum rc holds_judge(const struct conditions *c, size_t node, const struct level *l,
	const struct ground *ground, struct holding *out, struct err *e)
{
	struct judging j = { c, node, &c->offers[node], l, ground };

	out->count = 0;
	for (size_t i = 0; i < HOLD_REASONS; i++) {
		struct hold_reason reason = { .about = rules[i].about };

		reason.text = rules[i].object(&j, &reason.features);
		if (reason.text && !reason.text[0])
			return err_memory(e);
		if (reason.text)
			out->reason[out->count++] = reason;
	}
	return RC_OK;
}

enum rc holds_find_ground(const struct conditions *c, const struct level *l,
	bool any_vendor, struct ground *out, struct err *e)
{
	*out = (struct ground){ .vendor = "", .nested = "" };
	if (!any_vendor && vendor_is_one(c->offers, c->count, c->virt))
		out->vendor = c->offers[0].vendor;
	if (!c->facts)
		return RC_OK;
	out->xsave_count = xsave_places_of(c, &l->baseline, out->xsave);
	out->nested = nested_ground_of(c, &l->baseline);
	return out->nested ? RC_OK : err_memory(e);
}

void holds_meet(struct level *l, const struct offer *offers, size_t n)
{
	bool first = true;

	for (size_t i = 0; i < n; i++) {
		const struct offer *o = &offers[i];

		if (!o->node)
			continue;
		l->names = first ? o->names : bitset_and(&l->names, &o->names);
		l->model_rows = first ? o->model_rows
				      : bitset_and(&l->model_rows, &o->model_rows);
		l->sources = first ? o->sources : l->sources | o->sources;
		first = false;
	}
}
