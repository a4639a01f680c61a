/* A name means different things to different programs: what must be said beside it. */
#include "coordinator/cpu/closing.h"

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

bool closing_of(
	const struct model_row *m, const struct common *common, struct closing *out)
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
