/* Properties of levels that are said with less, over random fleets. */
#include "coordinator/cpu/closing.h"
#include "coordinator/cpu/names.h"
#include "coordinator/cpu/shape.h"
#include "tests/support/fleet.h"

static size_t fitted_seen, refused_seen, other_models;

/* What a source's guest sees of the model: what stands on nothing is off, but for a
 * libvirt that asks for it all the same (closing.c). */
static bool see(const struct model_row *m, size_t source, const struct level *l,
	struct bitset *out)
{
	uint32_t own = 1u << source;
	bool is_qemu = catalogue_source_row(source)->is_qemu;
	struct bitset off = catalogue_groundless(
		&l->baseline, is_qemu ? own : catalogue_all_sources());

	if (!catalogue_define_model(m, source, l->virt, out))
		return false;
	if (!(m->compared & own))
		*out = bitset_minus(out, &off);
	return true;
}

/* What all definitions of a model hold, and what any of them does. */
static bool definitions(const struct model_row *m, const struct level *l,
	struct bitset *all, struct bitset *any)
{
	bool in_qemu = false;

	*any = (struct bitset){ { 0 } };
	memset(all, 0xff, sizeof(*all));
	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset meant;

		if (!see(m, s, l, &meant))
			continue;
		in_qemu = in_qemu || catalogue_source_row(s)->is_qemu;
		*all = bitset_and(all, &meant);
		*any = bitset_or(any, &meant);
	}
	return in_qemu;
}

/* The controls of vmx that no node could be told of, and that a level leaves open. */
static struct bitset unsaid(const struct model_row *m, const struct level *l)
{
	struct common common = { .virt = l->virt,
		.vendor = l->vendor,
		.baseline = l->baseline,
		.names = l->names,
		.sources = l->sources };
	struct closing c;

	return closing_of(m, &common, &c) ? c.unsaid : (struct bitset){ { 0 } };
}

static bool may_be_used(
	const struct model_row *m, const struct level *l, const struct bitset *any)
{
	struct bitset open = unsaid(m, l), removed = feature_list_set(m->removed);
	struct bitset excess = bitset_or(any, &removed);

	excess = bitset_minus(&excess, &l->baseline);
	return m->decode_guest && bitset_is_subset(&excess, &open) &&
	       bitset_has(&l->model_rows, (size_t)(m - catalogue_model(0))) &&
	       (!m->vendor || strcmp(m->vendor, l->vendor) == 0);
}

/* How many features a model keeps in the shape; 0 when it cannot be used. */
static size_t kept_by(const struct model_row *m, const struct level *l, enum shape shape)
{
	struct bitset all, any, kept = l->baseline;
	size_t pcid = (size_t)catalogue_find_row("pcid");

	if (!definitions(m, l, &all, &any) || !may_be_used(m, l, &any))
		return 0;
	if (shape < SHAPE_REQUIRES)
		kept = bitset_and(&kept, &all);
	if (shape == SHAPE_PCID && bitset_has(&l->baseline, pcid))
		bitset_add(&kept, pcid);
	return bitset_count(&kept);
}

static void check_said(const struct level *l, enum shape shape)
{
	for (size_t i = 0; i < l->feature_count; i++) {
		assert_int_equal(l->features[i].policy, POLICY_REQUIRE);
		if (shape == SHAPE_PCID)
			assert_string_equal(l->features[i].name, "pcid");
	}
	if (shape == SHAPE_MODEL)
		assert_int_equal(l->feature_count, 0);
}

static void check_fit(struct fleet *f, const struct level *l, enum shape shape)
{
	struct level out;
	struct bitset lost, whole, all, any;
	size_t most = 0;
	struct err e;
	enum rc rc = shape_fit(f->catalogue, l, shape, &f->arena, &out, &lost, &e);

	for (size_t i = 0; i < catalogue_model_count(); i++) {
		size_t kept = kept_by(catalogue_model(i), l, shape);

		most = kept > most ? kept : most;
	}
	if (rc != RC_OK) {
		assert_rc(rc, RC_FORMAT, &e);
		assert_int_equal(most, 0);
		refused_seen++;
		return;
	}
	fitted_seen++;
	other_models += strcmp(out.model, l->model) != 0;
	check_said(&out, shape);
	/* nothing that any program makes of it is beyond any node */
	assert_true(definitions(catalogue_find_model(out.model), l, &all, &any));
	any = bitset_minus(&any, &out.unsaid);
	assert_true(bitset_is_subset(&any, &l->baseline));
	assert_int_equal(bitset_count(&out.baseline), most);
	whole = bitset_or(&out.baseline, &lost);
	assert_true(bitset_equals(&whole, &l->baseline));
	if (shape == SHAPE_REQUIRES)
		assert_true(bitset_is_empty(&lost));
}

static void check_shapes(struct fleet *f)
{
	struct level l, out;
	struct bitset lost;
	struct err e;

	if (level_choose(f->catalogue, f->offers, f->count, f->virt, NULL, f->ops,
		    &f->arena, &l, &e) != RC_OK)
		return;
	/* a level that states no vendor may not get one from another model */
	if (l.vendor[0] == '\0')
		return;
	for (int shape = SHAPE_MODEL; shape < SHAPE_ANY; shape++)
		if (l.feature_count)
			check_fit(f, &l, (enum shape)shape);
	assert_rc(shape_fit(f->catalogue, &l, SHAPE_ANY, &f->arena, &out, &lost, &e),
		RC_OK, &e);
	assert_memory_equal(&out, &l, sizeof(l));
	assert_true(bitset_is_empty(&lost));
}

static void a_fitted_level_is_safe_and_keeps_the_most(void **state)
{
	(void)state;
	fitted_seen = refused_seen = other_models = 0;
	for_many_fleets(check_shapes);
	print_message("%zu fitted, %zu of them with another model; %zu refused\n",
		fitted_seen, other_models, refused_seen);
	assert_true(fitted_seen > 100 && refused_seen > 10 && other_models > 10);
}

/* A level of nodes with the oldest stack, of all that it makes of the model and vmx. */
static struct level old_level(
	const struct model_row *m, struct level_feature *features, size_t count)
{
	struct level l = { .model = "486",
		.vendor = m->vendor,
		.features = features,
		.feature_count = count,
		.names = catalogue_names_of(9000000, 7002000),
		.sources = catalogue_sources_of(9000000, 7002000) };

	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset meant;

		if ((l.sources >> s & 1) &&
			catalogue_define_model(m, s, VIRT_KVM, &meant))
			l.baseline = bitset_or(&l.baseline, &meant);
	}
	l.baseline = bitset_and(&l.baseline, &l.names);
	bitset_add(&l.baseline, (size_t)catalogue_find_row("vmx"));
	bitset_add(&l.model_rows, (size_t)(m - catalogue_model(0)));
	return l;
}

/* A version that no node has yet may come tomorrow; what no level can say of vmx is no
 * reason to refuse. */
static void what_other_versions_make_of_a_model_counts(void **state)
{
	static struct level_feature off[] = { { "avx2", POLICY_DISABLE } };
	struct arena arena = { 0 };
	struct err e;
	struct catalogue *c = catalogue_new(&arena, &e);
	size_t by_others = 0, with_unsaid = 0;

	(void)state;
	for (size_t i = 0; i < catalogue_model_count(); i++) {
		const struct model_row *m = catalogue_model(i);
		struct bitset all, any, lost;
		struct level l, out;
		enum rc rc;

		if (!m->vendor)
			continue;
		l = old_level(m, off, 1);
		rc = shape_fit(c, &l, SHAPE_REQUIRES, &arena, &out, &lost, &e);
		if (!definitions(m, &l, &all, &any) || !may_be_used(m, &l, &any)) {
			assert_rc(rc, RC_FORMAT, &e);
			by_others++;
			continue;
		}
		assert_rc(rc, RC_OK, &e);
		with_unsaid += !bitset_is_empty(&out.unsaid);
	}
	print_message(
		"%zu refused, %zu with controls of vmx unsaid\n", by_others, with_unsaid);
	assert_true(by_others > 3 && with_unsaid > 3);
	arena_destroy(&arena);
}

static void a_refusal_names_what_stands_in_the_way(void **state)
{
	struct arena arena = { 0 };
	struct level_feature off[] = { { "hle", POLICY_DISABLE },
		{ "rtm", POLICY_DISABLE } };
	struct level l = {
		.model = "Haswell", .vendor = "Intel", .features = off, .feature_count = 2
	}; /* and no node knows another model */
	struct level out;
	struct bitset lost;
	struct err e;
	struct catalogue *c = catalogue_new(&arena, &e);

	(void)state;
	assert_rc(
		shape_fit(c, &l, SHAPE_REQUIRES, &arena, &out, &lost, &e), RC_FORMAT, &e);
	assert_contains(e.text, "of Haswell: hle, rtm");
	arena_destroy(&arena);
}

static void names_are_sorted_and_joined(void **state)
{
	struct arena arena = { 0 };
	struct bitset set = { { 0 } };
	struct err e;
	struct catalogue *c = catalogue_new(&arena, &e);

	(void)state;
	assert_string_equal(names_join(c, &set, &arena), "");
	bitset_add(&set, (size_t)catalogue_find_row("xsave"));
	bitset_add(&set, (size_t)catalogue_find_row("avx2"));
	bitset_add(&set, (size_t)catalogue_find_row("hle"));
	assert_string_equal(names_join(c, &set, &arena), "avx2, hle, xsave");
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fitted_level_is_safe_and_keeps_the_most),
		cmocka_unit_test(what_other_versions_make_of_a_model_counts),
		cmocka_unit_test(a_refusal_names_what_stands_in_the_way),
		cmocka_unit_test(names_are_sorted_and_joined),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
