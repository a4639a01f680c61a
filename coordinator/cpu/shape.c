#include "coordinator/cpu/shape.h"

#include <string.h>

#include "coordinator/cpu/closing.h"
#include "coordinator/cpu/names.h"

/* The requires that the shape has words for. */
static struct bitset sayable(enum shape shape, const struct bitset *require)
{
	struct bitset pcid = { { 0 } };
	int row = catalogue_find_row("pcid");

	if (shape >= SHAPE_REQUIRES)
		return *require;
	if (shape == SHAPE_PCID && row >= 0)
		bitset_add(&pcid, (size_t)row);
	return bitset_and(require, &pcid);
}

static bool fits_already(const struct level *l, enum shape shape)
{
	bool fits = true;

	for (size_t i = 0; i < l->feature_count && shape < SHAPE_ANY; i++)
		fits = fits && l->features[i].policy == POLICY_REQUIRE &&
		       (shape == SHAPE_REQUIRES ||
			       (shape == SHAPE_PCID &&
				       strcmp(l->features[i].name, "pcid") == 0));
	return fits;
}

/* A level without a vendor holds on hosts of any, or its own model brings one. */
static bool fits_vendor(const struct level *l, const struct model_row *m)
{
	const struct model_row *own = catalogue_find_model(l->model);
	const char *vendor = l->vendor[0] ? l->vendor : own ? own->vendor : NULL;

	return !m->vendor || (vendor && strcmp(m->vendor, vendor) == 0);
}

/* What any definition holds beyond the baseline, named or not. */
static struct bitset excess_of(const struct model_row *m, const struct common *common)
{
	struct common strict = *common;
	struct closing c = { 0 };

	memset(&strict.names, 0xff, sizeof(strict.names));
	closing_of(m, &strict, &c);
	return c.disable;
}

/* What the shape makes of the model; false when some definition exceeds the baseline.
 * *lost is what is not promised. */
static bool candidate_make(const struct model_row *m, const struct common *common,
	enum shape shape, struct closing *out, struct bitset *lost)
{
	struct bitset said, excess;

	if (!closing_of(m, common, out))
		return false;
	excess = excess_of(m, common);
	if (!bitset_is_subset(&excess, &out->unsaid))
		return false;
	said = sayable(shape, &out->require);
	*lost = bitset_minus(&out->require, &said);
	out->require = said;
	out->elements = bitset_count(&said);
	return true;
}

static bool find_best(const struct level *l, const struct common *common,
	enum shape shape, struct closing *best, struct bitset *lost)
{
	bool found = false;
	size_t least = 0;

	for (size_t i = 0; i < catalogue_model_count(); i++) {
		const struct model_row *m = catalogue_model(i);
		struct closing c;
		struct bitset gone;

		if (!m->decode_guest || !bitset_has(&common->model_rows, i) ||
			!fits_vendor(l, m) ||
			!candidate_make(m, common, shape, &c, &gone))
			continue;
		if (found && (bitset_count(&gone) > least ||
				     (bitset_count(&gone) == least &&
					     c.elements > best->elements)))
			continue;
		found = true;
		least = bitset_count(&gone);
		*best = c;
		*lost = gone;
	}
	return found;
}

/* The model stays what it was, so the features in its way are known. */
static enum rc refuse(const struct catalogue *c, const struct level *l,
	struct arena *arena, struct err *e)
{
	struct bitset off = { { 0 } };
	const char *names;

	for (size_t i = 0; i < l->feature_count; i++) {
		int bit = catalogue_find(c, l->features[i].name);

		if (l->features[i].policy == POLICY_DISABLE && bit >= 0)
			bitset_add(&off, (size_t)bit);
	}
	names = names_join(c, &off, arena);
	return err_set(e, RC_FORMAT, 0,
		"no model that all nodes know is without features outside the level, and "
		"they cannot be switched off (of %s: %.600s)",
		l->model, names ? names : "");
}

static enum rc level_make(const struct catalogue *c, const struct level *l,
	const struct closing *best, const struct bitset *lost, struct arena *arena,
	struct level *out)
{
	struct texts names = names_of(c, &best->require, arena);

	*out = *l;
	out->model = best->model->name;
	out->baseline = bitset_minus(&l->baseline, lost);
	out->unsaid = best->unsaid;
	out->feature_count = names.count;
	out->features = arena_alloc(arena, names.count + 1, sizeof(*out->features));
	if (!names.item || !out->features)
		return RC_MEMORY;
	for (size_t i = 0; i < names.count; i++)
		out->features[i] = (struct level_feature){ names.item[i],
			POLICY_REQUIRE };
	return RC_OK;
}

enum rc shape_fit(const struct catalogue *c, const struct level *l, enum shape shape,
	struct arena *arena, struct level *out, struct bitset *lost, struct err *e)
{
	struct common common = { .virt = l->virt,
		.vendor = l->vendor,
		.baseline = l->baseline,
		.names = l->names,
		.model_rows = l->model_rows,
		.sources = l->sources };
	struct closing best;

	*lost = (struct bitset){ { 0 } };
	*out = *l;
	if (fits_already(l, shape))
		return RC_OK;
	if (!find_best(l, &common, shape, &best, lost))
		return refuse(c, l, arena, e);
	return level_make(c, l, &best, lost, arena, out) == RC_OK ? RC_OK : err_memory(e);
}
