/* Properties of levels, over random fleets. */
#include "tests/support/fleet.h"

static enum rc choose(struct fleet *f, struct level *out, struct err *e)
{
	return level_choose(f->catalogue, f->offers, f->count, f->virt, NULL, f->ops,
		&f->arena, out, e);
}

static size_t levels_seen;

static void check_closed(struct fleet *f)
{
	struct level l;
	struct err e;

	if (choose(f, &l, &e) != RC_OK)
		return;
	levels_seen++;
	fleet_assert_closed(f, &l);
}

static void whoever_defines_the_model_the_guest_gets_the_baseline(void **state)
{
	(void)state;
	levels_seen = 0;
	for_many_fleets(check_closed);
	print_message("%zu of %d fleets have a level\n", levels_seen, FLEETS);
	assert_true(levels_seen > FLEETS / 2);
}

/* Nobody asked KVM whether x2apic and its like are there, but a guest has them or has
 * them not on all nodes alike: QEMU's definitions agree, or the level says off. */
static void check_floating(struct fleet *f)
{
	static const char *const names[] = { "x2apic", "arat", "hypervisor", "umip" };
	struct bitset floating = { { 0 } }, first = { { 0 } };
	struct level l;
	struct err e;
	bool any = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		bitset_add(&floating, (size_t)catalogue_find_row(names[i]));
	for (size_t i = 0; i < f->count; i++) {
		f->offers[i].source = OFFER_RAW;
		f->offers[i].floating = floating;
		f->offers[i].features = bitset_minus(&f->offers[i].features, &floating);
	}
	if (choose(f, &l, &e) != RC_OK)
		return;
	for (size_t s = 0; s < catalogue_source_count(); s++) {
		const struct model_row *m = catalogue_find_model(l.model);
		struct bitset got;

		if (!catalogue_source_row(s)->is_qemu || !(fleet_sources(f) >> s & 1) ||
			!catalogue_define_model(m, s, f->virt, &got))
			continue;
		got = fleet_apply(f, &l, &got);
		got = bitset_and(&got, &floating);
		assert_true(!any || bitset_equals(&got, &first));
		first = got;
		any = true;
	}
}

static void what_floats_is_the_same_by_every_definition_of_qemus(void **state)
{
	(void)state;
	for_many_fleets(check_floating);
}

static bool says(const struct level *l, const char *name)
{
	bool said = false;

	for (size_t i = 0; i < l->feature_count; i++)
		said = said || strcmp(l->features[i].name, name) == 0;
	return said;
}

/* As umip, which an AMD without it cannot give. */
static void what_one_node_cannot_float_does_not_float(void **state)
{
	size_t x2apic = (size_t)catalogue_find_row("x2apic");
	struct level l;
	struct fleet f;
	struct err e;

	(void)state;
	fleet_begin(&f, 1);
	f.count = 2;
	for (size_t i = 0; i < 2; i++) {
		struct offer *o = &f.offers[i];

		o->source = OFFER_RAW;
		o->vendor = "Intel";
		o->features = feature_list_set(catalogue_find_model("Haswell")->features);
		bitset_remove(&o->features, x2apic);
		o->names = catalogue_names_known_to_all();
		bitset_add(&o->model_rows,
			(size_t)(catalogue_find_model("Haswell") - catalogue_model(0)));
		o->sources = catalogue_all_sources();
		bitset_add(&o->floating, x2apic);
	}
	assert_rc(choose(&f, &l, &e), RC_OK, &e);
	assert_false(says(&l, "x2apic"));
	bitset_remove(&f.offers[1].floating, x2apic);
	assert_rc(choose(&f, &l, &e), RC_OK, &e);
	assert_true(says(&l, "x2apic"));
	arena_destroy(&f.arena);
}

static void check_requires(struct fleet *f)
{
	struct level l;
	struct err e;

	if (choose(f, &l, &e) != RC_OK)
		return;
	for (size_t i = 0; i < l.feature_count; i++) {
		size_t bit = (size_t)catalogue_find(f->catalogue, l.features[i].name);

		for (size_t n = 0; n < f->count; n++) {
			assert_true(bitset_has(&f->offers[n].names, bit));
			if (l.features[i].policy == POLICY_REQUIRE)
				assert_true(bitset_has(&f->offers[n].features, bit));
		}
		if (i > 0)
			assert_true(
				strcmp(l.features[i - 1].name, l.features[i].name) < 0);
	}
}

static void a_level_only_says_what_every_node_understands(void **state)
{
	(void)state;
	for_many_fleets(check_requires);
}

static bool knows_model(const struct offer *o, const char *name)
{
	for (size_t i = 0; i < o->models.count; i++)
		if (strcmp(o->models.item[i], name) == 0)
			return true;
	return false;
}

static void check_model_is_known(struct fleet *f)
{
	const struct model_row *m;
	struct level l;
	struct err e;

	if (choose(f, &l, &e) != RC_OK)
		return;
	m = catalogue_find_model(l.model);
	assert_true(m->decode_guest);
	if (m->vendor)
		assert_string_equal(m->vendor, f->offers[0].vendor);
	for (size_t i = 0; i < f->count; i++)
		assert_true(knows_model(&f->offers[i], l.model));
}

static void a_model_is_known_to_all_and_of_their_vendor(void **state)
{
	(void)state;
	for_many_fleets(check_model_is_known);
}

static bool equal_levels(const struct level *a, const struct level *b)
{
	bool same = strcmp(a->model, b->model) == 0 &&
		    strcmp(a->vendor, b->vendor) == 0 &&
		    a->feature_count == b->feature_count &&
		    bitset_equals(&a->baseline, &b->baseline);

	for (size_t i = 0; same && i < a->feature_count; i++)
		same = strcmp(a->features[i].name, b->features[i].name) == 0 &&
		       a->features[i].policy == b->features[i].policy;
	return same;
}

static void check_level_order(struct fleet *f)
{
	struct level before, after;
	struct err e;
	enum rc rc = choose(f, &before, &e);

	fleet_shuffle(f);
	assert_int_equal(choose(f, &after, &e), rc);
	if (rc == RC_OK)
		assert_true(equal_levels(&before, &after));
}

static void the_level_does_not_depend_on_order(void **state)
{
	(void)state;
	for_many_fleets(check_level_order);
}

/* Does the guest of some source, left alone, differ from the baseline in the bit? */
static void mark_differing(
	const struct level *l, const struct bitset *meant, bool *needed)
{
	for (size_t bit = 0; bit < BITSET_BITS; bit++)
		if (bitset_has(meant, bit) != bitset_has(&l->baseline, bit))
			needed[bit] = true;
}

struct need {
	size_t elements, disables;
};

/* What a model would need, worked out once more and naively. */
static struct need need_of(const struct model_row *m, const struct level *l)
{
	struct bitset removed = feature_list_set(m->removed);
	bool needed[BITSET_BITS] = { false };
	struct need n = { 0, 0 };

	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset meant, off = { { 0 } };

		if (!catalogue_define_model(m, s, l->virt, &meant))
			continue;
		if (!(m->compared >> s & 1))
			off = catalogue_groundless(&l->baseline, catalogue_all_sources());
		meant = bitset_minus(&meant, &off);
		mark_differing(l, &meant, needed);
	}
	for (size_t bit = 0; bit < BITSET_BITS; bit++) {
		bool wanted = bitset_has(&l->baseline, bit);
		bool said = needed[bit] || (bitset_has(&removed, bit) && !wanted);

		n.elements += said;
		n.disables += said && !wanted;
	}
	return n;
}

static bool has_qemu(const struct model_row *m)
{
	bool found = false;

	for (size_t s = 0; s < catalogue_source_count(); s++)
		found = found ||
			(catalogue_source_row(s)->is_qemu && m->sources >> s & 1);
	return found;
}

/* No model would need less; of equals the one that disables least, and then the last of
 * the map is taken. */
static void check_against(const struct model_row *m, const struct level *l)
{
	const struct model_row *best = catalogue_find_model(l->model);
	struct need its = need_of(m, l), least = need_of(best, l);

	assert_true(its.elements >= least.elements);
	if (its.elements > least.elements)
		return;
	assert_true(its.disables >= least.disables);
	if (its.disables == least.disables)
		assert_true(m <= best);
}

static void check_shortest(struct fleet *f)
{
	struct level l;
	struct err e;

	for (size_t i = 0; i < f->count; i++)
		offer_derive_names(&f->offers[i], 12008000, 11001000);
	if (choose(f, &l, &e) != RC_OK)
		return;
	assert_int_equal(
		l.feature_count, need_of(catalogue_find_model(l.model), &l).elements);
	for (size_t i = 0; i < catalogue_model_count(); i++) {
		const struct model_row *m = catalogue_model(i);
		bool usable = m->decode_guest && has_qemu(m) &&
			      (!m->vendor || !strcmp(m->vendor, f->offers[0].vendor));

		for (size_t o = 0; usable && o < f->count; o++)
			usable = knows_model(&f->offers[o], m->name);
		if (usable)
			check_against(m, &l);
	}
}

static void no_usable_model_would_need_fewer_elements(void **state)
{
	struct fleet f;

	(void)state;
	for (uint64_t seed = 1; seed <= 250; seed++) {
		fleet_begin(&f, seed);
		fleet_fill(&f);
		check_shortest(&f);
		arena_destroy(&f.arena);
	}
}

static void a_learnt_feature_that_all_offer_is_required(void **state)
{
	struct fleet f;
	struct level l;
	struct err e;
	size_t bit;
	bool found = false;

	(void)state;
	fleet_begin(&f, 4);
	f.count = 2;
	assert_rc(catalogue_learn(f.catalogue, "brand-new", &bit, &e), RC_OK, &e);
	for (size_t i = 0; i < f.count; i++) {
		fleet_random_offer(&f, &f.offers[i], "Intel");
		bitset_add(&f.offers[i].features, bit);
		offer_derive_names(&f.offers[i], 9000000, 7002000);
	}
	assert_rc(choose(&f, &l, &e), RC_OK, &e);
	for (size_t i = 0; i < l.feature_count; i++)
		found = found || (strcmp(l.features[i].name, "brand-new") == 0 &&
					 l.features[i].policy == POLICY_REQUIRE);
	assert_true(found);
	arena_destroy(&f.arena);
}

static void nodes_without_a_common_model_or_feature_are_refused(void **state)
{
	struct fleet f;
	struct level l;
	struct err e;

	(void)state;
	fleet_begin(&f, 5);
	assert_rc(choose(&f, &l, &e), RC_LEVEL, &e);
	f.count = 2;
	fleet_random_offer(&f, &f.offers[0], "Intel");
	fleet_random_offer(&f, &f.offers[1], "Intel");
	f.offers[1].model_rows = (struct bitset){ { 0 } };
	assert_rc(choose(&f, &l, &e), RC_LEVEL, &e);
	assert_contains(e.text, "no CPU model of vendor Intel for kvm guests");
	f.offers[1].features = (struct bitset){ { 0 } };
	assert_rc(choose(&f, &l, &e), RC_LEVEL, &e);
	assert_contains(e.text, "no feature in common");
	arena_destroy(&f.arena);
}

/* Two nodes that know one model only and offer what libvirt means by it. */
static void only_model(struct fleet *f, const char *name, uint64_t libvirt_version)
{
	const struct model_row *m = catalogue_find_model(name);

	fleet_begin(f, 6);
	f->count = 2;
	for (size_t i = 0; i < f->count; i++) {
		struct offer *o = &f->offers[i];

		*o = (struct offer){ .node = "",
			.vendor = m->vendor ? m->vendor : "AMD" };
		o->features = feature_list_set(m->features);
		o->models.item = arena_alloc(&f->arena, 1, sizeof(*o->models.item));
		o->models.item[o->models.count++] = m->name;
		offer_derive_names(o, libvirt_version, 7002000);
	}
}

static bool disables(const struct level *l, const char *name)
{
	for (size_t i = 0; i < l->feature_count; i++)
		if (strcmp(l->features[i].name, name) == 0)
			return l->features[i].policy == POLICY_DISABLE;
	return false;
}

static void removed_features_are_disabled_where_their_name_is_known(void **state)
{
	struct fleet f;
	struct level l;
	struct err e;

	(void)state;
	only_model(&f, "Icelake-Server", 9000000);
	assert_rc(choose(&f, &l, &e), RC_OK, &e);
	assert_true(disables(&l, "intel-pt"));
	arena_destroy(&f.arena);
	only_model(&f, "Icelake-Server", 8000000);
	f.offers[1].names = f.offers[0].names;
	bitset_add(&f.offers[0].names, (size_t)catalogue_find_row("hypervisor"));
	bitset_add(&f.offers[1].names, (size_t)catalogue_find_row("hypervisor"));
	assert_rc(choose(&f, &l, &e), RC_OK, &e);
	assert_false(disables(&l, "intel-pt"));
	arena_destroy(&f.arena);
}

static void a_model_that_no_qemu_defines_is_not_taken(void **state)
{
	struct fleet f;
	struct level l;
	struct err e;

	(void)state;
	only_model(&f, "Icelake-Client", 9000000);
	assert_rc(choose(&f, &l, &e), RC_LEVEL, &e);
	arena_destroy(&f.arena);
}

static void non_migratable_features_enter_no_baseline(void **state)
{
	struct fleet f;
	struct bitset base;

	(void)state;
	only_model(&f, "EPYC-Milan", 9000000);
	assert_true(
		bitset_has(&f.offers[0].features, (size_t)catalogue_find_row("xsaves")));
	base = baseline_of(f.offers, f.count, NULL, f.ops);
	assert_false(bitset_has(&base, (size_t)catalogue_find_row("xsaves")));
	arena_destroy(&f.arena);
}

static void a_vendor_is_stated_only_where_a_guest_sees_it(void **state)
{
	static const struct {
		enum virt_type virt;
		const char *model, *vendor;
	} rows[] = {
		{ VIRT_KVM, "kvm64", "AMD" },
		{ VIRT_KVM, "EPYC", "AMD" },
		{ VIRT_QEMU, "kvm64", "" },
		{ VIRT_QEMU, "EPYC", "AMD" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fleet f;
		struct level l;
		struct err e;

		only_model(&f, rows[i].model, 9000000);
		f.virt = rows[i].virt;
		assert_rc(choose(&f, &l, &e), RC_OK, &e);
		assert_string_equal(l.vendor, rows[i].vendor);
		for (size_t n = 0; n < f.count; n++)
			f.offers[n].vendor = "CentaurHauls";
		if (strcmp(rows[i].model, "kvm64") == 0) {
			assert_rc(choose(&f, &l, &e), RC_OK, &e);
			assert_string_equal(l.vendor, "");
		}
		arena_destroy(&f.arena);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_defines_the_model_the_guest_gets_the_baseline),
		cmocka_unit_test(what_floats_is_the_same_by_every_definition_of_qemus),
		cmocka_unit_test(what_one_node_cannot_float_does_not_float),
		cmocka_unit_test(a_level_only_says_what_every_node_understands),
		cmocka_unit_test(a_model_is_known_to_all_and_of_their_vendor),
		cmocka_unit_test(the_level_does_not_depend_on_order),
		cmocka_unit_test(no_usable_model_would_need_fewer_elements),
		cmocka_unit_test(a_learnt_feature_that_all_offer_is_required),
		cmocka_unit_test(removed_features_are_disabled_where_their_name_is_known),
		cmocka_unit_test(a_model_that_no_qemu_defines_is_not_taken),
		cmocka_unit_test(non_migratable_features_enter_no_baseline),
		cmocka_unit_test(a_vendor_is_stated_only_where_a_guest_sees_it),
		cmocka_unit_test(nodes_without_a_common_model_or_feature_are_refused),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
