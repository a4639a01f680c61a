#include "tests/support/fleet.h"

size_t fleet_below(struct fleet *f, size_t n)
{
	return test_random(&f->seed) % n;
}

void fleet_begin(struct fleet *f, uint64_t seed)
{
	struct err e;

	*f = (struct fleet){ .seed = seed, .ops = bitset_choose(NULL) };
	f->catalogue = catalogue_new(&f->arena, &e);
	assert_non_null(f->catalogue);
}

/* Pairs as they are found on nodes, exactly the catalogue's and others. */
static const struct stack {
	uint64_t libvirt, qemu;
} stacks[] = {
	{ 9000000, 7002000 },
	{ 9000000, 7002013 },
	{ 11003000, 10000000 },
	{ 12008000, 11001002 },
	{ 10000000, 8002002 },
	{ 7000000, 5002000 },
	{ 9000000, 11001000 },
	{ 12009000, 12000000 },
	{ 0, 0 },
};

/* A model of the vendor (or of none), in one of its meanings. */
static struct bitset random_model(struct fleet *f, const char *vendor)
{
	for (;;) {
		const struct model_row *m = catalogue_model(
			fleet_below(f, catalogue_model_count()));
		struct bitset features;

		if ((!m->vendor || !strcmp(m->vendor, vendor)) &&
			catalogue_define_model(m,
				fleet_below(f, catalogue_source_count()), f->virt,
				&features))
			return features;
	}
}

void fleet_toggle(struct fleet *f, struct bitset *s, size_t n)
{
	while (n-- > 0) {
		size_t bit = fleet_below(f, catalogue_feature_rows());

		if (fleet_below(f, 2))
			bitset_add(s, bit);
		else
			bitset_remove(s, bit);
	}
}

/* Most of the models that the stack may have: each of its sources knows them. */
static void random_models(struct fleet *f, struct offer *o, const struct stack *stack)
{
	uint32_t known = catalogue_sources_of(stack->libvirt, stack->qemu);

	o->models.item = arena_alloc(
		&f->arena, catalogue_model_count(), sizeof(*o->models.item));
	for (size_t i = 0; i < catalogue_model_count(); i++)
		if ((catalogue_model(i)->sources & known) == known &&
			fleet_below(f, 10) > 0)
			o->models.item[o->models.count++] = catalogue_model(i)->name;
}

void fleet_random_offer(struct fleet *f, struct offer *o, const char *vendor)
{
	const struct stack
		*stack = &stacks[fleet_below(f, sizeof(stacks) / sizeof(stacks[0]))];
	struct bitset names = catalogue_names_of(stack->libvirt, stack->qemu);

	if (bitset_is_empty(&names))
		names = catalogue_names_known_to_all();
	*o = (struct offer){ .node = "", .vendor = vendor };
	o->features = random_model(f, vendor);
	fleet_toggle(f, &o->features, fleet_below(f, 25));
	o->features = bitset_and(&o->features, &names);
	bitset_add(&o->features, (size_t)catalogue_find_row("fpu"));
	random_models(f, o, stack);
	offer_derive_names(o, stack->libvirt, stack->qemu);
}

void fleet_fill(struct fleet *f)
{
	static const char *const vendors[] = { "Intel", "AMD", "Hygon" };
	const char *vendor = vendors[fleet_below(f, 3)];

	f->virt = fleet_below(f, 3) > 0 ? VIRT_KVM : VIRT_QEMU;
	f->count = 1 + fleet_below(f, FLEET_NODES_MAX);
	for (size_t i = 0; i < f->count; i++)
		fleet_random_offer(f, &f->offers[i], vendor);
}

void fleet_shuffle(struct fleet *f)
{
	for (size_t i = f->count - 1; i > 0; i--) {
		size_t j = fleet_below(f, i + 1);
		struct offer other = f->offers[i];

		f->offers[i] = f->offers[j];
		f->offers[j] = other;
	}
}

void for_many_fleets(void (*check)(struct fleet *f))
{
	struct fleet f;

	for (uint64_t seed = 1; seed <= FLEETS; seed++) {
		fleet_begin(&f, seed);
		fleet_fill(&f);
		check(&f);
		arena_destroy(&f.arena);
	}
}

/* ---- is a level closed? */

/* What a guest gets when a source's idea of the model is put right by the level;
 * the last word on a feature is the level's. */
struct bitset fleet_apply(
	struct fleet *f, const struct level *l, const struct bitset *meant)
{
	struct bitset s = *meant;

	for (size_t i = 0; i < l->feature_count; i++) {
		int bit = catalogue_find(f->catalogue, l->features[i].name);

		assert_true(bit >= 0);
		if (l->features[i].policy == POLICY_REQUIRE)
			bitset_add(&s, (size_t)bit);
		else
			bitset_remove(&s, (size_t)bit);
	}
	return s;
}

/* Names that every node's libvirt can spell; sources that may apply on some node. */
static struct bitset common_names(const struct fleet *f)
{
	struct bitset names = f->offers[0].names;

	for (size_t i = 1; i < f->count; i++)
		names = bitset_and(&names, &f->offers[i].names);
	return names;
}

uint32_t fleet_sources(const struct fleet *f)
{
	uint32_t sources = 0;

	for (size_t i = 0; i < f->count; i++)
		sources |= f->offers[i].sources;
	return sources;
}

/* A node that has the source gives the guest the baseline (and, besides, only what the
 * level says it could not name); one that might have it tomorrow gives no less, and no
 * more than names that some node of today does not know. */
static void assert_closed_for(struct fleet *f, const struct level *l, size_t s)
{
	const struct model_row *m = catalogue_find_model(l->model);
	bool here = fleet_sources(f) >> s & 1;
	struct bitset got, extra, names = common_names(f);
	uint32_t own = 1u << s;

	if (!catalogue_define_model(m, s, f->virt, &got))
		return;
	got = fleet_apply(f, l, &got);
	if (!(m->compared & own)) {
		struct bitset off = catalogue_groundless(&l->baseline,
			catalogue_source_row(s)->is_qemu ? own : catalogue_all_sources());

		got = bitset_minus(&got, &off);
	}
	extra = bitset_minus(&got, &l->baseline);
	if (here)
		extra = bitset_minus(&extra, &l->unsaid);
	else
		extra = bitset_and(&extra, &names);
	if (!bitset_is_empty(&extra) || !bitset_is_subset(&l->baseline, &got))
		fail_msg("seed of fleet %llu: %s and %s do not give the baseline (%s)",
			(unsigned long long)f->seed, catalogue_source_row(s)->name,
			l->model, catalogue_name(f->catalogue, bitset_next(&extra, 0)));
}

void fleet_assert_closed(struct fleet *f, const struct level *l)
{
	for (size_t s = 0; s < catalogue_source_count(); s++)
		assert_closed_for(f, l, s);
}

struct level fleet_level_of_westmere(void)
{
	const struct model_row *m = catalogue_find_model("Westmere");
	struct level l = { .virt = VIRT_KVM, .model = m->name, .vendor = "Intel" };

	l.sources = catalogue_sources_of(9000000, 7002000);
	l.names = catalogue_names_of(9000000, 7002000);
	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset features;

		if (l.sources >> s & 1 &&
			catalogue_define_model(m, s, VIRT_KVM, &features))
			l.baseline = bitset_or(&l.baseline, &features);
	}
	return l;
}
