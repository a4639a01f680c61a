/* What the user may wish of a level: each wish is granted in full, or refused with what
 * stands in its way. */
#include "coordinator/cpu/libvirt_choice.h"
#include "coordinator/cpu/psabi.h"
#include "coordinator/cpu/wishes.h"
#include "tests/support/fleet.h"

static enum rc choose(
	struct fleet *f, const struct wishes *w, struct level *out, struct err *e)
{
	return level_choose(
		f->catalogue, f->offers, f->count, f->virt, w, f->ops, &f->arena, out, e);
}

static size_t row_of(const char *name)
{
	int row = catalogue_find_row(name);

	assert_true(row >= 0);
	return (size_t)row;
}

/* ---- names */

static void every_spelling_of_a_feature_finds_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const struct feature_row *row = catalogue_feature(NULL, i);

		assert_int_equal(wishes_find_feature(row->name), i);
		if (row->qemu)
			assert_int_equal(wishes_find_feature(row->qemu), i);
		if (row->linux_name)
			assert_int_equal(wishes_find_feature(row->linux_name), i);
	}
	assert_int_equal(wishes_find_feature("sse4_2"), row_of("sse4.2"));
	assert_int_equal(wishes_find_feature("sse4-2"), row_of("sse4.2"));
	assert_int_equal(
		wishes_find_feature("tsc_deadline_timer"), row_of("tsc-deadline"));
	assert_int_equal(wishes_find_feature("tsc-adjust"), row_of("tsc_adjust"));
	assert_int_equal(wishes_find_feature("sse4"), -1);
	assert_int_equal(wishes_find_feature(""), -1);
}

static void a_name_that_is_none_gets_those_that_come_near(void **state)
{
	static const struct {
		enum rc (*set)(
			struct wishes *, const char *, struct arena *, struct err *);
		const char *name, *says;
	} rows[] = {
		{ wishes_set_model, "haswel", "did you mean Haswell?" },
		{ wishes_set_model, "epyc-milan", "did you mean EPYC-Milan?" },
		{ wishes_set_model, "x86-64-v2", "knows no such model" },
		{ wishes_set_at_least, "x86-64-v5", "neither x86-64-v1 to x86-64-v4" },
		{ wishes_set_at_least, "Nehalm", "did you mean Nehalem?" },
		{ wishes_set_at_least, "", "neither" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wishes w = { 0 };
		struct err e;

		assert_rc(rows[i].set(&w, rows[i].name, &arena, &e), RC_USAGE, &e);
		assert_contains(e.text, rows[i].says);
	}
	arena_destroy(&arena);
}

/* ---- the psABI's levels */

static void a_psabi_level_holds_those_below_it(void **state)
{
	(void)state;
	for (size_t level = 1; level <= PSABI_LEVELS; level++) {
		struct bitset its = psabi_features(level);
		struct bitset below = psabi_features(level - 1);

		assert_int_equal(psabi_reached(&its), level);
		assert_int_equal(psabi_find(psabi_name(level)), level);
		assert_true(bitset_is_subset(&below, &its));
		for (size_t bit = bitset_next(&its, 0); bit < BITSET_BITS;
			bit = bitset_next(&its, bit + 1)) {
			struct bitset less = its;

			assert_true(bit < catalogue_feature_rows());
			bitset_remove(&less, bit);
			assert_true(psabi_reached(&less) < level);
		}
	}
	assert_int_equal(psabi_find("x86-64"), 0);
	assert_int_equal(psabi_find(""), 0);
}

/* What Linux distributions say of these processors. */
static void known_processors_reach_their_psabi_level(void **state)
{
	static const struct {
		const char *model;
		size_t level;
	} rows[] = {
		{ "486", 0 },
		{ "Penryn", 1 },
		{ "Nehalem", 2 },
		{ "IvyBridge", 2 },
		{ "Opteron_G5", 2 },
		{ "EPYC", 3 },
		{ "EPYC-Milan", 3 },
		{ "Skylake-Server", 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct model_row *m = catalogue_find_model(rows[i].model);
		struct bitset s = feature_list_set(m->features);

		assert_int_equal(psabi_reached(&s), rows[i].level);
	}
}

/* ---- features that must be in it, or must not */

static struct bitset random_features(struct fleet *f, size_t n)
{
	struct bitset s = { { 0 } };

	fleet_toggle(f, &s, fleet_below(f, n + 1));
	return s;
}

static size_t granted, refused;

static void check_required(struct fleet *f)
{
	struct wishes w = { .excluded = random_features(f, 6) };
	struct bitset base = baseline_of(f->offers, f->count, &w.excluded, f->ops);
	struct level without, with;
	struct err e;
	enum rc rc = choose(f, &w, &without, &e), wished;
	bool possible;

	w.required = random_features(f, 3);
	if (fleet_below(f, 3))
		w.required = bitset_minus(&base, &w.required);
	possible = bitset_is_subset(&w.required, &base);
	wished = choose(f, &w, &with, &e);
	if (rc != RC_OK || !possible) {
		assert_int_equal(wished, RC_LEVEL);
		refused += rc == RC_OK;
		return;
	}
	assert_rc(wished, RC_OK, &e);
	assert_true(bitset_is_subset(&w.required, &with.baseline));
	assert_true(bitset_equals(&with.baseline, &without.baseline));
	granted += !bitset_is_empty(&w.required);
}

static void what_is_required_is_in_the_level_or_there_is_none(void **state)
{
	(void)state;
	granted = refused = 0;
	for_many_fleets(check_required);
	print_message("%zu granted, %zu refused\n", granted, refused);
	assert_true(granted > 50 && refused > 30);
}

static void check_excluded(struct fleet *f)
{
	struct wishes w = { .excluded = random_features(f, 8),
		.voted = random_features(f, 8) };
	struct bitset out = bitset_or(&w.excluded, &w.voted), both;
	struct level l;
	struct err e;

	if (choose(f, &w, &l, &e) != RC_OK)
		return;
	both = bitset_and(&out, &l.baseline);
	assert_true(bitset_is_empty(&both));
	for (size_t i = 0; i < l.feature_count; i++)
		if (l.features[i].policy == POLICY_REQUIRE)
			assert_false(bitset_has(&out, row_of(l.features[i].name)));
}

static void what_was_left_out_or_voted_out_is_not_in_the_level(void **state)
{
	(void)state;
	for_many_fleets(check_excluded);
}

static void what_stands_on_it_goes_with_it(void **state)
{
	static const struct {
		const char *ground, *stands_on_it;
	} rows[] = {
		{ "arch-capabilities", "rdctl-no" },
		{ "svm", "npt" },
		{ "xsave", "xsaveopt" },
		{ "xsave", "xgetbv1" },
		{ "sgx", "sgx1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bitset out = { { 0 } }, base;
		struct offer o = { .node = "" };

		bitset_add(&o.features, row_of(rows[i].ground));
		bitset_add(&o.features, row_of(rows[i].stands_on_it));
		base = baseline_of(&o, 1, &out, bitset_choose(NULL));
		assert_int_equal(bitset_count(&base), 2);
		bitset_add(&out, row_of(rows[i].ground));
		base = baseline_of(&o, 1, &out, bitset_choose(NULL));
		assert_true(bitset_is_empty(&base));
	}
}

/* Two nodes that offer what libvirt means by a model; QEMU knows all models. */
static void two_of(struct fleet *f, const char *name)
{
	const struct model_row *m = catalogue_find_model(name);

	fleet_begin(f, 9);
	f->count = 2;
	for (size_t i = 0; i < f->count; i++) {
		struct offer *o = &f->offers[i];

		*o = (struct offer){ .node = i ? "n02" : "n01",
			.vendor = m->vendor,
			.host_model = name,
			.features = feature_list_set(m->features),
			.names = catalogue_names_of(9000000, 7002000),
			.sources = catalogue_sources_of(9000000, 7002000) };
		bitset_add(&o->features, row_of("hypervisor"));
		for (size_t row = 0; row < catalogue_model_count(); row++)
			bitset_add(&o->model_rows, row);
	}
}

static void a_refusal_says_why_and_names_the_nodes(void **state)
{
	static const struct {
		const char *feature, *says;
	} rows[] = {
		{ "invtsc", "invtsc (a guest that has it cannot migrate)" },
		{ "osxsave", "osxsave (QEMU can give it to no guest)" },
		{ "avx512f", "avx512f (not offered by n01, n02)" },
		{ "aes", "aes (not offered by n02)" },
		{ "avx2", "avx2 (--without takes it out)" },
		{ "fma", "fma (it was voted out)" },
		{ "rdctl-no", "rdctl-no (it means nothing without another feature" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wishes w = { 0 };
		struct fleet f;
		struct level l;
		struct err e;

		two_of(&f, "Haswell");
		bitset_remove(&f.offers[1].features, row_of("aes"));
		bitset_add(&f.offers[0].features, row_of("rdctl-no"));
		bitset_add(&f.offers[1].features, row_of("rdctl-no"));
		bitset_add(&w.excluded, row_of("avx2"));
		bitset_add(&w.voted, row_of("fma"));
		assert_rc(wishes_add_feature(&w.required, "--require", rows[i].feature,
				  &f.arena, &e),
			RC_OK, &e);
		assert_rc(choose(&f, &w, &l, &e), RC_LEVEL, &e);
		assert_contains(e.text, rows[i].says);
		arena_destroy(&f.arena);
	}
}

/* ---- what floats: raw CPUID does not tell, and KVM gives it on any host */

static void two_raw_of(struct fleet *f, const char *name, const char *floats)
{
	two_of(f, name);
	for (size_t i = 0; i < f->count; i++) {
		f->offers[i].source = OFFER_RAW;
		f->offers[i].sources = catalogue_all_sources();
		bitset_remove(&f->offers[i].features, row_of(floats));
		bitset_add(&f->offers[i].floating, row_of(floats));
	}
}

static bool says(const struct level *l, const char *name, enum policy policy)
{
	for (size_t i = 0; i < l->feature_count; i++)
		if (strcmp(l->features[i].name, name) == 0)
			return l->features[i].policy == policy;
	return false;
}

/* Each QEMU has x2apic in Haswell-noTSX, so it came in though nobody spoke of it. */
static void what_floats_is_left_out_by_a_word(void **state)
{
	struct wishes none = { 0 }, without = { 0 }, voted = { 0 };
	struct fleet f;
	struct level l;
	struct err e;

	(void)state;
	two_raw_of(&f, "Haswell-noTSX", "x2apic");
	bitset_add(&without.excluded, row_of("x2apic"));
	bitset_add(&voted.voted, row_of("x2apic"));
	without.model = voted.model = none.model = catalogue_find_model("Haswell-noTSX");
	assert_rc(choose(&f, &none, &l, &e), RC_OK, &e);
	assert_false(says(&l, "x2apic", POLICY_DISABLE));
	assert_rc(choose(&f, &without, &l, &e), RC_OK, &e);
	assert_true(says(&l, "x2apic", POLICY_DISABLE));
	assert_rc(choose(&f, &voted, &l, &e), RC_OK, &e);
	assert_true(says(&l, "x2apic", POLICY_DISABLE));
	arena_destroy(&f.arena);
}

static void what_floats_is_stated_where_it_is_wished_for(void **state)
{
	struct wishes w = { 0 };
	struct fleet f;
	struct level l;
	struct err e;

	(void)state;
	two_raw_of(&f, "Haswell-noTSX", "x2apic");
	w.at_least = "Haswell-noTSX";
	assert_rc(choose(&f, &w, &l, &e), RC_OK, &e);
	assert_true(bitset_has(&l.baseline, row_of("x2apic")));
	w = (struct wishes){ 0 };
	bitset_add(&w.required, row_of("x2apic"));
	w.model = catalogue_find_model("kvm64");
	assert_rc(choose(&f, &w, &l, &e), RC_OK, &e);
	assert_true(says(&l, "x2apic", POLICY_REQUIRE));
	bitset_add(&w.voted, row_of("x2apic"));
	assert_rc(choose(&f, &w, &l, &e), RC_LEVEL, &e);
	assert_contains(e.text, "x2apic (it was voted out)");
	w.voted = (struct bitset){ { 0 } };
	bitset_remove(&f.offers[1].floating, row_of("x2apic"));
	assert_rc(choose(&f, &w, &l, &e), RC_LEVEL, &e);
	assert_contains(e.text, "x2apic (not offered by n02)");
	arena_destroy(&f.arena);
}

/* ---- at least */

static void a_floor_holds_only_what_a_guest_can_be_given(void **state)
{
	(void)state;
	for (size_t i = 0; i < catalogue_model_count(); i++) {
		const struct model_row *m = catalogue_model(i);
		struct bitset floor = wishes_floor(m->name, VIRT_KVM);
		struct bitset means = feature_list_set(m->features);

		assert_true(bitset_is_subset(&floor, &means));
		for (size_t bit = bitset_next(&floor, 0); bit < BITSET_BITS;
			bit = bitset_next(&floor, bit + 1)) {
			assert_true(catalogue_feature(NULL, bit)->migratable);
			assert_non_null(catalogue_feature(NULL, bit)->qemu);
			/* what stands on svm is in no floor without it */
			assert_true(catalogue_feature(NULL, bit)->leaf != 0x8000000a ||
				    bitset_has(&floor, row_of("svm")));
		}
	}
}

static void check_own_floor(const char *name)
{
	const struct model_row *m = catalogue_find_model(name);
	struct bitset floor = wishes_floor(name, VIRT_KVM);
	struct bitset means = feature_list_set(m->features), less;

	less = bitset_minus(&means, &floor);
	print_message("%s: %zu of %zu features are asked for\n", name,
		bitset_count(&floor), bitset_count(&means));
	/* QEMU has neither in these models, whatever libvirt says */
	assert_int_equal(
		bitset_has(&means, row_of("mpx")), bitset_has(&less, row_of("mpx")));
	assert_int_equal(bitset_has(&means, row_of("monitor")),
		bitset_has(&less, row_of("monitor")));
	assert_true(bitset_count(&less) <= 5);
}

static void a_models_floor_is_nearly_all_of_it(void **state)
{
	(void)state;
	check_own_floor("Haswell");
	check_own_floor("Skylake-Server");
	check_own_floor("EPYC-Milan");
	check_own_floor("Nehalem");
}

static void at_least_is_kept_or_refused(void **state)
{
	static const struct {
		const char *nodes, *at_least;
		enum rc rc;
		const char *says;
	} rows[] = {
		{ "Haswell", "x86-64-v2", RC_OK, NULL },
		{ "Haswell", "Haswell", RC_OK, NULL },
		{ "Haswell", "Nehalem", RC_OK, NULL },
		{ "Haswell", "x86-64-v4", RC_LEVEL, "at least x86-64-v4: f16c (not " },
		{ "Nehalem", "Westmere", RC_LEVEL, "aes (not offered by n01, n02)" },
		{ "Skylake-Server", "x86-64-v4", RC_OK, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wishes w = { 0 };
		struct fleet f;
		struct level l;
		struct err e;
		struct bitset floor;

		two_of(&f, rows[i].nodes);
		for (size_t n = 0; n < 2; n++) /* Haswell in libvirt has no lzcnt */
			bitset_add(&f.offers[n].features, row_of("abm"));
		assert_rc(wishes_set_at_least(&w, rows[i].at_least, &f.arena, &e), RC_OK,
			&e);
		assert_rc(choose(&f, &w, &l, &e), rows[i].rc, &e);
		floor = wishes_floor(rows[i].at_least, VIRT_KVM);
		if (rows[i].rc == RC_OK)
			assert_true(bitset_is_subset(&floor, &l.baseline));
		else
			assert_contains(e.text, rows[i].says);
		arena_destroy(&f.arena);
	}
}

/* ---- the model */

static struct wishes random_wishes(struct fleet *f)
{
	struct wishes w = { .excluded = random_features(f, 4),
		.prefer = (enum preference)fleet_below(f, PREFERENCES) };

	const struct texts *known = &f->offers[0].models;

	if (known->count && fleet_below(f, 3) == 0)
		w.model = catalogue_find_model(known->item[fleet_below(f, known->count)]);
	return w;
}

static size_t forced, libvirts;

static void check_model(struct fleet *f)
{
	struct wishes w = random_wishes(f);
	struct bitset base = baseline_of(f->offers, f->count, &w.excluded, f->ops);
	struct level l;
	struct err e;

	if (choose(f, &w, &l, &e) != RC_OK)
		return;
	assert_true(bitset_equals(&l.baseline, &base));
	fleet_assert_closed(f, &l);
	if (w.model)
		assert_string_equal(l.model, w.model->name);
	forced += w.model != NULL;
	libvirts += !w.model && w.prefer == PREFER_LIBVIRT;
}

static void whatever_model_is_wished_for_it_is_said_in_full(void **state)
{
	(void)state;
	forced = libvirts = 0;
	for_many_fleets(check_model);
	print_message("%zu levels with a model that was asked for, %zu with libvirt's\n",
		forced, libvirts);
	assert_true(forced > 20 && libvirts > 50);
}

static bool equal_levels(const struct level *a, const struct level *b)
{
	bool same = strcmp(a->model, b->model) == 0 &&
		    a->feature_count == b->feature_count;

	for (size_t i = 0; same && i < a->feature_count; i++)
		same = strcmp(a->features[i].name, b->features[i].name) == 0 &&
		       a->features[i].policy == b->features[i].policy;
	return same;
}

static void check_order(struct fleet *f)
{
	struct wishes w = random_wishes(f);
	struct level before, after;
	struct err e;
	enum rc rc;

	for (size_t i = 0; i < f->count; i++)
		f->offers[i].host_model =
			catalogue_model(fleet_below(f, catalogue_model_count()))->name;
	rc = choose(f, &w, &before, &e);
	for (int turn = 0; turn < 4; turn++) {
		fleet_shuffle(f);
		assert_int_equal(choose(f, &w, &after, &e), rc);
		if (rc == RC_OK)
			assert_true(equal_levels(&before, &after));
	}
}

static void with_wishes_too_the_order_of_nodes_is_nothing(void **state)
{
	(void)state;
	for_many_fleets(check_order);
}

static void a_model_that_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *model, *says;
	} rows[] = {
		{ "EPYC", "--model EPYC is of AMD and the nodes are of Intel" },
		{ "Westmere", "do not know it for kvm guests on n02" },
		{ "cpu64-rhel5", "model cpu64-rhel5 cannot be said in full: no QEMU" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wishes w = { 0 };
		struct fleet f;
		struct level l;
		struct err e;

		two_of(&f, "Haswell");
		bitset_remove(&f.offers[1].model_rows,
			(size_t)(catalogue_find_model("Westmere") - catalogue_model(0)));
		assert_rc(wishes_set_model(&w, rows[i].model, &f.arena, &e), RC_OK, &e);
		assert_rc(choose(&f, &w, &l, &e), RC_LEVEL, &e);
		assert_contains(e.text, rows[i].says);
		arena_destroy(&f.arena);
	}
}

static void a_model_that_libvirt_never_picks_can_be_asked_for(void **state)
{
	struct wishes w = { 0 };
	struct fleet f;
	struct level l;
	struct err e;

	(void)state;
	two_of(&f, "Skylake-Server");
	assert_rc(wishes_set_model(&w, "Skylake-Server-noTSX-IBRS", &f.arena, &e), RC_OK,
		&e);
	assert_false(w.model->decode_guest);
	assert_rc(choose(&f, &w, &l, &e), RC_OK, &e);
	assert_string_equal(l.model, "Skylake-Server-noTSX-IBRS");
	fleet_assert_closed(&f, &l);
	arena_destroy(&f.arena);
}

/* Models of the nodes weigh with libvirt, and with us only the text does. */
static void libvirts_model_and_the_shortest_can_differ(void **state)
{
	struct wishes w = { .prefer = PREFER_LIBVIRT };
	struct fleet f;
	struct level shortest, own;
	struct err e;

	(void)state;
	two_of(&f, "Haswell");
	f.offers[0].host_model = f.offers[1].host_model = "Penryn";
	assert_rc(choose(&f, NULL, &shortest, &e), RC_OK, &e);
	assert_rc(choose(&f, &w, &own, &e), RC_OK, &e);
	assert_string_equal(own.model, "Penryn");
	assert_true(own.feature_count > shortest.feature_count);
	assert_true(bitset_equals(&own.baseline, &shortest.baseline));
	fleet_assert_closed(&f, &own);
	arena_destroy(&f.arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(every_spelling_of_a_feature_finds_it),
		cmocka_unit_test(a_name_that_is_none_gets_those_that_come_near),
		cmocka_unit_test(a_psabi_level_holds_those_below_it),
		cmocka_unit_test(known_processors_reach_their_psabi_level),
		cmocka_unit_test(what_is_required_is_in_the_level_or_there_is_none),
		cmocka_unit_test(what_was_left_out_or_voted_out_is_not_in_the_level),
		cmocka_unit_test(what_stands_on_it_goes_with_it),
		cmocka_unit_test(a_refusal_says_why_and_names_the_nodes),
		cmocka_unit_test(what_floats_is_left_out_by_a_word),
		cmocka_unit_test(what_floats_is_stated_where_it_is_wished_for),
		cmocka_unit_test(a_floor_holds_only_what_a_guest_can_be_given),
		cmocka_unit_test(a_models_floor_is_nearly_all_of_it),
		cmocka_unit_test(at_least_is_kept_or_refused),
		cmocka_unit_test(whatever_model_is_wished_for_it_is_said_in_full),
		cmocka_unit_test(with_wishes_too_the_order_of_nodes_is_nothing),
		cmocka_unit_test(a_model_that_does_not_fit_is_refused),
		cmocka_unit_test(a_model_that_libvirt_never_picks_can_be_asked_for),
		cmocka_unit_test(libvirts_model_and_the_shortest_can_differ),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
