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

/* A model of the vendor (or of none) that QEMU has, in one of its meanings. */
static struct bitset random_model(struct fleet *f, const char *vendor)
{
	for (;;) {
		const struct model_row *m = catalogue_model(
			fleet_below(f, catalogue_model_count()));
		struct bitset features, latent;

		if (m->definition_count && (!m->vendor || !strcmp(m->vendor, vendor)) &&
			catalogue_define_model(m,
				fleet_below(f, catalogue_source_count()), f->virt,
				&features, &latent))
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

void fleet_random_offer(struct fleet *f, struct offer *o, const char *vendor)
{
	*o = (struct offer){ .node = "", .vendor = vendor };
	o->features = random_model(f, vendor);
	fleet_toggle(f, &o->features, fleet_below(f, 25));
	bitset_add(&o->features, (size_t)catalogue_find_row("fpu"));
	o->models.item = arena_alloc(
		&f->arena, catalogue_model_count(), sizeof(*o->models.item));
	for (size_t i = 0; i < catalogue_model_count(); i++)
		if (fleet_below(f, 10) > 0)
			o->models.item[o->models.count++] = catalogue_model(i)->name;
	offer_derive_names(o, fleet_below(f, 4) > 0 ? 9000000 : 7000000);
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
