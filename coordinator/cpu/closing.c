/* A name means different things to different programs: what must be said beside it. */
#include "coordinator/cpu/closing.h"

/* What the sources make of a model's name, for a guest that has the baseline. */
struct meaning {
	bool in_qemu; /* else nobody can say what it would switch on */
	struct bitset all, any;
	struct bitset here; /* any of those that may apply on a node */
};

/* What stands on something that the guest does not have is off whoever lists it: QEMU
 * sees to it.  Only a libvirt that holds its own list against the host minds. */
static struct bitset visible(const struct model_row *m, size_t source,
	const struct bitset *features, const struct bitset *baseline)
{
	uint32_t own = 1u << source;
	uint32_t qemus = catalogue_source_row(source)->is_qemu ? own
							       : catalogue_all_sources();
	struct bitset groundless;

	if (m->compared & own)
		return *features;
	groundless = catalogue_groundless(baseline, qemus);
	return bitset_minus(features, &groundless);
}

static void add_meaning(struct meaning *sum, const struct bitset *features, bool first)
{
	sum->any = first ? *features : bitset_or(&sum->any, features);
	sum->all = first ? *features : bitset_and(&sum->all, features);
}

static struct meaning meaning_of(const struct model_row *m, const struct common *common)
{
	struct meaning sum = { .in_qemu = false };
	bool first = true;

	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset features;

		if (!catalogue_define_model(m, s, common->virt, &features))
			continue;
		features = visible(m, s, &features, &common->baseline);
		add_meaning(&sum, &features, first);
		if (common->sources >> s & 1)
			sum.here = bitset_or(&sum.here, &features);
		sum.in_qemu = sum.in_qemu || catalogue_source_row(s)->is_qemu;
		first = false;
	}
	return sum;
}

/* Intel SDM 3D appendix A: IA32_VMX_BASIC (0x480) to IA32_VMX_VMFUNC (0x491). */
static struct bitset vmx_controls(void)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const struct feature_row *row = catalogue_feature(NULL, i);

		if (row->is_msr && row->leaf >= 0x480 && row->leaf <= 0x491)
			bitset_add(&s, i);
	}
	return s;
}

/* A floating feature needs no word where all QEMUs have it in the model: then every
 * node gives it.  Elsewhere it is pinned like any other. */
static struct bitset settled_by_qemu(
	const struct model_row *m, const struct common *common)
{
	struct bitset settled = common->floating;

	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset features;

		if (catalogue_source_row(s)->is_qemu &&
			catalogue_define_model(m, s, common->virt, &features))
			settled = bitset_and(&settled, &features);
	}
	return settled;
}

struct bitset closing_adds(const struct model_row *m, const struct common *common)
{
	struct meaning sum = meaning_of(m, common);
	struct bitset settled = settled_by_qemu(m, common);
	struct bitset adds = bitset_minus(&sum.here, &common->baseline);

	return bitset_minus(&adds, &settled);
}

bool closing_of(
	const struct model_row *m, const struct common *common, struct closing *out)
{
	struct meaning sum = meaning_of(m, common);
	struct bitset controls = vmx_controls(), settled = settled_by_qemu(m, common);
	struct bitset removed;

	if (!sum.in_qemu)
		return false;
	out->model = m;
	out->require = bitset_minus(&common->baseline, &sum.all);
	out->unsaid = bitset_minus(&sum.here, &common->baseline);
	out->unsaid = bitset_minus(&out->unsaid, &settled);
	out->unsaid = bitset_minus(&out->unsaid, &common->names);
	if (!bitset_is_subset(&out->unsaid, &controls))
		return false;
	/* libvirt disables these by itself; said aloud they hold for every version of
	 * it, but no node has to know the name. */
	removed = feature_list_set(m->removed);
	out->disable = bitset_or(&sum.any, &removed);
	out->disable = bitset_minus(&out->disable, &common->baseline);
	out->disable = bitset_minus(&out->disable, &settled);
	out->disable = bitset_and(&out->disable, &common->names);
	out->elements = bitset_count(&out->require) + bitset_count(&out->disable);
	return true;
}
