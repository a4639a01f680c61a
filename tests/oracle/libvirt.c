/* libvirt as the referee: what do several hosts have in common?
 *
 * Hundreds of random sets of hosts, made of libvirt's own models, are put to libvirt
 * (virConnectBaselineCPU) and to us.  What the hosts really have in common is the
 * intersection, so both can be judged.  The level is read as this libvirt reads it:
 * its own idea of the model, and what the level says beside the name.
 *
 *	ORACLE_SEED=7 oracle_libvirt	other sets than those of every run
 */
#include <stdlib.h>

#include "coordinator/render/libvirt.h"
#include "proto/limits.h"
#include "tests/oracle/referee.h"

enum { SETS = 500, HOSTS_MAX = 5, SKIPPED = 77 };

static struct referee referee;

/* docs/truth.md, offer 3 and 4: in no level, whoever lists them. */
static const char *const never[] = { "invtsc", "xsaves", "osxsave", "ospke", "cmt",
	"mbm_total", "mbm_local", "pconfig", "cvt16", "vmx-ept-uc", "vmx-ept-wb",
	"vmx-invvpid-single-context" };

/* A set of hosts of one vendor. */
struct hosts {
	struct arena arena;
	uint64_t seed;
	enum virt_type virt;
	size_t qemu;   /* source of the catalogue */
	size_t vendor; /* of referee_vendors */
	const char *xml[HOSTS_MAX];
	struct bitset features[HOSTS_MAX];
	struct offer offers[HOSTS_MAX];
	size_t count;
};

static struct bitset set_of(const char *const *names, size_t n)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < n && names[i]; i++) {
		int bit = catalogue_find_row(names[i]);

		if (bit >= 0)
			bitset_add(&s, (size_t)bit);
	}
	return s;
}

/* The number of this libvirt's definitions in our catalogue. */
static bool find_source(size_t *source)
{
	for (*source = 0; *source < catalogue_source_count(); ++*source) {
		const struct source_row *row = catalogue_source_row(*source);

		if (!row->is_qemu && row->version == referee.version)
			return true;
	}
	return false;
}

static size_t below(struct hosts *h, size_t n)
{
	return test_random(&h->seed) % n;
}

static const struct referee_model *any_model(struct hosts *h)
{
	const struct referee_model *m;

	do
		m = &referee.models[below(h, referee.model_count)];
	while (!m->may_be_of[h->vendor]);
	return m;
}

/* One model's features, with some more and some less. */
static struct bitset any_features(struct hosts *h)
{
	struct bitset s = any_model(h)->features;

	for (size_t n = below(h, 25); n > 0; n--) {
		size_t bit = below(h, catalogue_feature_rows());

		if (below(h, 2))
			bitset_remove(&s, bit);
		else if (bitset_has(&referee.names, bit))
			bitset_add(&s, bit);
	}
	return bitset_or(&s, &referee_find_model(&referee, "486")->features);
}

/* A host has no <feature policy='disable'>, so its model must not promise too much. */
static const struct referee_model *any_model_within(
	struct hosts *h, const struct bitset *features)
{
	for (int i = 0; i < 100; i++) {
		const struct referee_model *m = any_model(h);

		if (bitset_is_subset(&m->features, features))
			return m;
	}
	return referee_find_model(&referee, "486");
}

static bool is_in_qemu(const struct hosts *h, const char *model)
{
	const struct model_row *row = catalogue_find_model(model);
	struct bitset features;

	return row && catalogue_define_model(row, h->qemu, h->virt, &features);
}

static const char *domain_capabilities(struct hosts *h)
{
	struct buf b = buf_with_cap(LIMIT_BODY_BYTES);
	const char *text;

	buf_format(&b,
		"<domainCapabilities><path>/usr/bin/qemu-system-x86_64</path>"
		"<domain>%s</domain><machine>pc</machine><arch>x86_64</arch><cpu>"
		"<mode name='host-model' supported='yes'><model>486</model></mode>"
		"<mode name='custom' supported='yes'>",
		virt_names[h->virt]);
	for (size_t i = 0; i < referee.model_count; i++)
		if (is_in_qemu(h, referee.models[i].name))
			buf_format(&b, "<model usable='yes'>%s</model>",
				referee.models[i].name);
	assert_int_equal(
		buf_append_text(&b, "</mode></cpu></domainCapabilities>"), RC_OK);
	text = arena_text_n(&h->arena, buf_bytes(&b).data, buf_bytes(&b).size);
	buf_destroy(&b);
	return text;
}

/* The host as a node whose libvirt offers all of it to guests. */
static void add_offer(struct hosts *h, const char *expanded)
{
	struct node_facts *f = arena_alloc(&h->arena, 1, sizeof(*f));
	enum body_id caps = h->virt == VIRT_KVM ? BODY_domcaps_kvm : BODY_domcaps_qemu;
	enum body_id offer = h->virt == VIRT_KVM ? BODY_offer_kvm : BODY_offer_qemu;
	struct err e;

	facts_init(f);
	f->small.libvirt_version = referee.version;
	f->small.hypervisor_version = catalogue_source_row(h->qemu)->version;
	f->present[caps] = f->present[offer] = true;
	f->text[caps] = domain_capabilities(h);
	f->text[offer] = expanded;
	assert_rc(offer_from_facts(referee.catalogue, f, h->virt, OFFER_LIBVIRT,
			  &h->arena, &h->offers[h->count], &e),
		RC_OK, &e);
}

static void add_host(struct hosts *h, const struct bitset *features)
{
	const char *xml = referee_write_host(&referee, any_model_within(h, features),
		referee_vendors[h->vendor], features, &h->arena);
	const char *expanded = referee_baseline(&referee, &xml, 1, &h->arena);

	assert_non_null(expanded);
	h->xml[h->count] = xml;
	h->features[h->count] = referee_read_expanded(&referee, expanded);
	assert_true(bitset_equals(&h->features[h->count], features));
	add_offer(h, expanded);
	h->count++;
}

static bool is_qemu_of(size_t source, enum virt_type virt)
{
	const struct source_row *row = catalogue_source_row(source);

	return row->is_qemu && row->virt == virt;
}

/* Hosts with one QEMU, any that the catalogue has. */
static void begin_hosts(struct hosts *h, uint64_t seed)
{
	*h = (struct hosts){ .seed = seed * 0x9e3779b97f4a7c15u,
		.vendor = seed % REFEREE_VENDORS };
	h->virt = below(h, 3) > 0 ? VIRT_KVM : VIRT_QEMU;
	do
		h->qemu = below(h, catalogue_source_count());
	while (!is_qemu_of(h->qemu, h->virt));
}

static struct bitset common_features(const struct hosts *h)
{
	struct bitset s = h->features[0];

	for (size_t i = 1; i < h->count; i++)
		s = bitset_and(&s, &h->features[i]);
	return s;
}

/* CPUID leaves that QEMU shows empty without a feature, which libvirt does not know
 * (QEMU target/i386/cpu.c, cpu_x86_cpuid()). */
static const struct {
	const char *without;
	uint32_t leaf;
} empty_leaves[] = { { "xsave", 0xd }, { "sgx", 0x12 } };

static void add_leaf(struct bitset *s, uint32_t leaf)
{
	for (size_t bit = 0; bit < catalogue_feature_rows(); bit++) {
		const struct feature_row *row = catalogue_feature(NULL, bit);

		if (!row->is_msr && row->leaf == leaf)
			bitset_add(s, bit);
	}
}

/* What a guest with these features sees nothing of. */
static struct bitset unseen(const struct bitset *features)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < sizeof(empty_leaves) / sizeof(empty_leaves[0]); i++) {
		struct bitset first = set_of(&empty_leaves[i].without, 1);

		if (!bitset_is_subset(&first, features))
			add_leaf(&s, empty_leaves[i].leaf);
	}
	return s;
}

/* Of what the hosts have in common, what a level can promise.  (What stands on what is
 * QEMU's word, which libvirt does not have; rules/catalogue asks QEMU.) */
static struct bitset promisable(const struct bitset *common)
{
	struct bitset not = set_of(never, sizeof(never) / sizeof(never[0]));
	struct bitset s = bitset_minus(common, &not ), groundless, dark;

	dark = unseen(&s);
	s = bitset_minus(&s, &dark);
	groundless = catalogue_groundless(&s, catalogue_all_sources());
	return bitset_minus(&s, &groundless);
}

static const char *name_features(struct hosts *h, const struct bitset *s)
{
	const char *text = "";

	for (size_t bit = bitset_next(s, 0); bit < BITSET_BITS;
		bit = bitset_next(s, bit + 1))
		text = arena_format(
			&h->arena, "%s %s", text, catalogue_name(referee.catalogue, bit));
	return text;
}

/* The level's XML; NULL when there is none, with the reason. */
static const char *choose(struct hosts *h, struct level *l, struct err *e)
{
	struct buf b = buf_with_cap(LIMIT_PLACE_BYTES);
	const char *text;

	if (level_choose(referee.catalogue, h->offers, h->count, h->virt, NULL,
		    bitset_choose(NULL), &h->arena, l, e) != RC_OK)
		return NULL;
	assert_rc(render_libvirt_cpu(&b, l, e), RC_OK, e);
	text = arena_text_n(&h->arena, buf_bytes(&b).data, buf_bytes(&b).size);
	buf_destroy(&b);
	return text;
}

/* What this libvirt and a QEMU make of the level.  QEMU switches off what stands on
 * nothing, whoever lists it; a libvirt that first holds its own list of the model
 * against the host takes offence at that, so there no such thing may be left. */
static struct bitset seen_by_guest(const struct level *l, const char *xml)
{
	struct bitset read = referee_read_guest(&referee, xml), groundless;
	const struct model_row *row = catalogue_find_model(l->model);
	size_t source;

	if (find_source(&source) && row->compared >> source & 1)
		return read;
	groundless = catalogue_groundless(&read, catalogue_all_sources());
	return bitset_minus(&read, &groundless);
}

struct tally {
	size_t refused, better, equal, worse, unsound;
};

static void count(struct tally *t, struct hosts *h, uint64_t seed,
	const struct bitset *ours, const struct bitset *libvirts)
{
	struct bitset lost = bitset_minus(libvirts, ours);

	if (!bitset_is_empty(&lost)) {
		t->worse++;
		print_error("ORACLE_SEED=%llu: libvirt keeps%s, the level does not\n",
			(unsigned long long)seed, name_features(h, &lost));
	} else if (bitset_equals(ours, libvirts)) {
		t->equal++;
	} else {
		t->better++;
	}
}

static void check_sound(struct tally *t, struct hosts *h, uint64_t seed,
	const struct bitset *ours, const struct bitset *can)
{
	struct bitset extra = bitset_minus(ours, can);

	if (bitset_is_empty(&extra))
		return;
	t->unsound++;
	print_error("ORACLE_SEED=%llu: no level can promise%s\n",
		(unsigned long long)seed, name_features(h, &extra));
}

static void judge(struct tally *t, struct hosts *h, uint64_t seed)
{
	const char *answer = referee_baseline(&referee, h->xml, h->count, &h->arena);
	struct bitset common = common_features(h), can = promisable(&common);
	struct bitset ours, libvirts;
	struct level level;
	struct err e;
	const char *xml = choose(h, &level, &e);

	if (!xml)
		fail_msg("ORACLE_SEED=%llu: no level: %s", (unsigned long long)seed,
			e.text);
	ours = seen_by_guest(&level, xml);
	check_sound(t, h, seed, &ours, &can);
	assert_true(bitset_equals(&ours, &level.baseline));
	if (!answer) {
		t->refused++;
		return;
	}
	libvirts = referee_read_expanded(&referee, answer);
	libvirts = bitset_and(&libvirts, &can);
	count(t, h, seed, &ours, &libvirts);
}

static uint64_t first_seed(void)
{
	const char *given = getenv("ORACLE_SEED");

	return !given ? 1 : strtoull(given, NULL, 10);
}

static void a_level_keeps_what_libvirt_keeps_and_nothing_that_a_host_lacks(void **state)
{
	struct tally t = { 0 };
	uint64_t first = first_seed();

	(void)state;
	for (uint64_t seed = first; seed < first + SETS; seed++) {
		struct hosts h;
		size_t n;

		begin_hosts(&h, seed);
		n = 1 + below(&h, HOSTS_MAX);
		while (n-- > 0) {
			struct bitset features = any_features(&h);

			add_host(&h, &features);
		}
		judge(&t, &h, seed);
		arena_destroy(&h.arena);
	}
	print_message("%d sets from ORACLE_SEED=%llu: libvirt refuses %zu; "
		      "ours is better %zu, equal %zu, worse %zu, unsound %zu times\n",
		SETS, (unsigned long long)first, t.refused, t.better, t.equal, t.worse,
		t.unsound);
	assert_int_equal(t.worse, 0);
	assert_int_equal(t.unsound, 0);
	assert_int_equal(t.refused, 0);
}

static void our_catalogue_means_by_a_model_what_libvirt_means(void **state)
{
	size_t source;

	(void)state;
	if (!find_source(&source)) {
		print_message(
			"the catalogue does not have libvirt %lu\n", referee.version);
		skip();
	}
	for (size_t i = 0; i < referee.model_count; i++) {
		const struct referee_model *m = &referee.models[i];
		const struct model_row *row = catalogue_find_model(m->name);
		struct bitset features;

		if (!row || !catalogue_define_model(row, source, VIRT_KVM, &features))
			fail_msg("the catalogue lacks %s", m->name);
		if (!bitset_equals(&features, &m->features))
			fail_msg("%s is another CPU to libvirt", m->name);
	}
	print_message("%zu models\n", referee.model_count);
}

static size_t vendor_of(const struct referee_model *m)
{
	size_t vendor = 0;

	while (!m->may_be_of[vendor])
		assert_true(++vendor < REFEREE_VENDORS);
	return vendor;
}

static void vendors_that_libvirt_does_not_mix_we_do_not_mix(void **state)
{
	static const char *const pairs[][2] = { { "Haswell", "EPYC" },
		{ "EPYC", "Dhyana" }, { "Nehalem", "Dhyana" } };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct level level;
		struct hosts h;
		struct err e;

		begin_hosts(&h, i + 1);
		for (size_t n = 0; n < 2; n++) {
			const struct referee_model *m = referee_find_model(
				&referee, pairs[i][n]);

			h.vendor = vendor_of(m);
			add_host(&h, &m->features);
		}
		assert_null(referee_baseline(&referee, h.xml, h.count, &h.arena));
		assert_null(choose(&h, &level, &e));
		assert_int_equal(e.code, RC_LEVEL);
		arena_destroy(&h.arena);
	}
}

/* What the level says of a feature. */
enum said { REQUIRED, DISABLED, UNSAID };

static enum said said_of(const struct level *l, const char *feature)
{
	for (size_t i = 0; i < l->feature_count; i++)
		if (strcmp(l->features[i].name, feature) == 0)
			return l->features[i].policy == POLICY_REQUIRE ? REQUIRED
								       : DISABLED;
	return UNSAID;
}

/* Two hosts, and whether a guest of their level has a feature.  Newer libvirts have
 * removed some from their models, so what matters is said. */
static const struct trap {
	const char *name, *models[2], *both_have[2], *second_lacks[2];
	const char *feature;
	bool on;
} traps[] = {
	{ "microcode took TSX from one of two Haswells", { "Haswell", "Haswell-noTSX" },
		{ 0 }, { 0 }, "rtm", false },
	{ "one of two Broadwells lacks TSX", { "Broadwell", "Broadwell" }, { 0 },
		{ "hle", "rtm" }, "hle", false },
	{ "QEMU's Skylake has no mpx, libvirt 9.0's has",
		{ "Skylake-Client", "Skylake-Client" }, { "mpx" }, { 0 }, "mpx", true },
	{ "mpx is gone from the newer one", { "Skylake-Server", "Skylake-Server" }, { 0 },
		{ "mpx" }, "mpx", false },
	{ "QEMU adds npt where svm is on", { "EPYC", "EPYC-Rome" }, { "svm" },
		{ "npt", "nrip-save" }, "npt", false },
	{ "QEMU adds nrip-save where svm is on", { "EPYC", "EPYC-Rome" }, { "svm" },
		{ "npt", "nrip-save" }, "nrip-save", false },
	{ "QEMU's EPYC-Rome has no npt", { "EPYC-Rome", "EPYC-Rome" }, { "svm", "npt" },
		{ 0 }, "npt", true },
	{ "npt means nothing without svm", { "EPYC-Rome", "EPYC-Rome" }, { "npt" },
		{ "svm" }, "npt", false },
	{ "libvirt 9.0's EPYC-Milan has xsaves, which no migration carries",
		{ "EPYC-Milan", "EPYC-Milan" }, { "xsaves" }, { 0 }, "xsaves", false },
};

/* Whoever defines the model, the guest has the feature, or has it not. */
static void check_trap(const struct trap *t, struct hosts *h)
{
	int bit = catalogue_find_row(t->feature);
	const struct model_row *m;
	struct level level;
	struct err e;
	const char *xml = choose(h, &level, &e);
	struct bitset seen;

	assert_non_null(xml);
	seen = seen_by_guest(&level, xml);
	if (bitset_has(&seen, (size_t)bit) != t->on)
		fail_msg("%s: to libvirt %s is %s in\n%s", t->name, t->feature,
			t->on ? "off" : "on", xml);
	m = catalogue_find_model(level.model);
	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset features, off;

		if (!catalogue_define_model(m, s, h->virt, &features))
			continue;
		off = catalogue_groundless(&seen, 1u << s);
		features = bitset_minus(&features, &off);
		if (bitset_has(&features, (size_t)bit) != t->on &&
			said_of(&level, t->feature) != (t->on ? REQUIRED : DISABLED))
			fail_msg("%s: %s would see %s otherwise in\n%s", t->name,
				catalogue_source_row(s)->name, t->feature, xml);
	}
}

static void the_known_traps_are_avoided(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
		const struct trap *t = &traps[i];
		struct bitset have = set_of(t->both_have, 2);
		struct bitset lacks = set_of(t->second_lacks, 2);
		struct hosts h;

		begin_hosts(&h, i + 1);
		for (size_t n = 0; n < 2; n++) {
			const struct referee_model *m = referee_find_model(
				&referee, t->models[n]);
			struct bitset features = bitset_or(&m->features, &have);

			h.vendor = vendor_of(m);
			if (n == 1)
				features = bitset_minus(&features, &lacks);
			add_host(&h, &features);
		}
		check_trap(t, &h);
		arena_destroy(&h.arena);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_catalogue_means_by_a_model_what_libvirt_means),
		cmocka_unit_test(
			a_level_keeps_what_libvirt_keeps_and_nothing_that_a_host_lacks),
		cmocka_unit_test(vendors_that_libvirt_does_not_mix_we_do_not_mix),
		cmocka_unit_test(the_known_traps_are_avoided),
	};
	int failed;

	test_filter(argc, argv);
	if (!referee_begin(&referee))
		return SKIPPED;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	referee_end(&referee);
	return failed;
}
