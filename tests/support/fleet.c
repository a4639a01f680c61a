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
