#include "coordinator/cpu/libvirt_choice.h"

#include <string.h>

enum { BASE_PENALTY = 2 };

struct score {
	size_t total, penalty;
};

/* libvirt src/cpu/cpu_x86.c virCPUx86CompareCandidateFeatureList(): each disable costs
 * more than the one before.  Its loop runs to a bound that each disable it meets
 * lowers, and the requires stand first: so it meets the first half of the disables, and
 * the others cost as much as a require. */
static struct score score_of(size_t requires, size_t disables)
{
	size_t met = (disables + 1) / 2;
	size_t penalty = BASE_PENALTY * met + met * (met - 1) / 2;

	return (struct score){ requires + (disables - met) + penalty, penalty };
}

/* The newest libvirt among the sources; rows stand in the order of their versions. */
static size_t libvirt_of(uint32_t sources)
{
	size_t found = 0;

	for (size_t s = 0; s < catalogue_source_count(); s++)
		if (sources >> s & 1 && !catalogue_source_row(s)->is_qemu)
			found = s;
	return found;
}

static struct bitset names_of(size_t libvirt)
{
	struct bitset names = { { 0 } };

	for (size_t bit = 0; bit < catalogue_feature_rows(); bit++)
		if (catalogue_feature(NULL, bit)->sources >> libvirt & 1)
			bitset_add(&names, bit);
	return names;
}

/* What QEMU switches on beyond these features: on a host that has no more than them it
 * blocks the model (QEMU query-cpu-definitions, "unavailable-features").  libvirt minds
 * what it has a name for. */
static struct bitset blockers_of(
	const struct model_row *m, const struct libvirt_question *q, size_t libvirt)
{
	struct bitset all = { { 0 } }, names = names_of(libvirt);

	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset features, off;

		if (!(q->sources >> s & 1) || !catalogue_source_row(s)->is_qemu ||
			!catalogue_define_model(m, s, q->virt, &features))
			continue;
		off = catalogue_groundless(&features, 1u << s);
		features = bitset_minus(&features, &off);
		all = bitset_or(&all, &features);
	}
	all = bitset_minus(&all, &q->features);
	return bitset_and(&all, &names);
}

/* x86DataToCPU(): requires, disables, blockers, and what the map says was removed. */
static struct score judge(const struct model_row *m, const struct bitset *means,
	const struct libvirt_question *q, size_t libvirt)
{
	struct bitset removed = feature_list_set(m->removed);
	struct bitset blockers = blockers_of(m, q, libvirt);
	struct bitset requires = bitset_minus(&q->features, means);
	struct bitset disables = bitset_minus(means, &q->features);

	disables = bitset_or(&disables, &blockers);
	removed = bitset_minus(&removed, &q->features);
	disables = bitset_or(&disables, &removed);
	return score_of(bitset_count(&requires), bitset_count(&disables));
}

static size_t times_asked(const struct libvirt_question *q, const char *model)
{
	size_t times = 0;

	for (size_t i = 0; i < q->asked.count; i++)
		times += strcmp(q->asked.item[i], model) == 0;
	return times;
}

static bool may_be_named(size_t row, const struct libvirt_question *q, size_t libvirt,
	struct bitset *means)
{
	const struct model_row *m = catalogue_model(row);

	return m->decode_guest && bitset_has(&q->models, row) &&
	       catalogue_define_model(m, libvirt, q->virt, means) &&
	       (!m->vendor || !q->vendor[0] || strcmp(m->vendor, q->vendor) == 0);
}

/* A model that was asked about wins also with a longer text, if less of it is
 * disabled. */
static bool is_better(struct score a, struct score b, bool was_asked)
{
	return a.total < b.total || (a.total == b.total && a.penalty < b.penalty) ||
	       (was_asked && a.penalty < b.penalty);
}

/* x86Decode() walks the map from its end; of equals it keeps the one found first. */
const struct model_row *libvirt_choice_of(const struct libvirt_question *q)
{
	const struct model_row *best = NULL;
	struct score best_score = { 0, 0 };
	size_t libvirt = libvirt_of(q->sources);

	for (size_t row = catalogue_model_count(); row-- > 0;) {
		const struct model_row *m = catalogue_model(row);
		size_t times = times_asked(q, m->name);
		struct bitset means;
		struct score score;

		if (!may_be_named(row, q, libvirt, &means))
			continue;
		if (times > 0 && times == q->asked.count)
			return m; /* x86DecodeUseCandidate(): the one that all have */
		score = judge(m, &means, q, libvirt);
		if (best && !is_better(score, best_score, times > 0))
			continue;
		best = m;
		best_score = score;
	}
	return best;
}
