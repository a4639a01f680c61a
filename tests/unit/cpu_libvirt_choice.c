/* Our idea of libvirt's choice of model, against the libvirt of this machine. */
#include <dlfcn.h>
#include <stdlib.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "coordinator/cpu/libvirt_choice.h"
#include "tests/support/fleet.h"

static const struct err none;

enum { QUESTIONS = 1500, XML_MAX = 64 * 1024 };

#define SYMBOLS(S) \
	S(virInitialize) \
	S(virSetErrorFunc) \
	S(virConnectOpen) \
	S(virConnectClose) \
	S(virConnectGetLibVersion) \
	S(virConnectBaselineCPU) \
	S(virGetLastErrorMessage)

static struct {
	void *handle;
	virConnectPtr conn;
	uint32_t source;      /* of the catalogue, with its version; 0: none has */
	struct bitset names;  /* rows whose names it knows */
	struct bitset models; /* the same */
#define SYMBOL_MEMBER(name) __typeof__(name) *name;
	SYMBOLS(SYMBOL_MEMBER)
#undef SYMBOL_MEMBER
} vir;

static void stay_silent(void *context, virErrorPtr error)
{
	(void)context;
	(void)error;
}

/* The model that libvirt names for these CPUs; "" when it refuses them. */
static const char *ask(struct arena *arena, const char **cpus, size_t n)
{
	char *xml = vir.virConnectBaselineCPU(vir.conn, cpus, (unsigned)n, 0), *at, *end;
	const char *model = "";

	if (!xml)
		return model;
	at = strstr(xml, "<model");
	at = at ? strchr(at, '>') : NULL;
	end = at ? strchr(at, '<') : NULL;
	if (end)
		model = arena_text_n(arena, at + 1, (size_t)(end - at - 1));
	free(xml);
	return model;
}

/* A set of features as libvirt reads it, said relative to a model that has no others:
 * a host CPU's text can only add. */
static const char *cpu_text(struct arena *arena, const char *model, const char *vendor,
	const struct bitset *features)
{
	struct buf b = buf_with_cap(XML_MAX);
	const char *text;

	assert_rc(buf_format(&b,
			  "<cpu><arch>x86_64</arch><model>%s</model><vendor>%s</vendor>",
			  model, vendor),
		RC_OK, &none);
	for (size_t bit = bitset_next(features, 0); bit < catalogue_feature_rows();
		bit = bitset_next(features, bit + 1))
		assert_rc(buf_format(&b, "<feature name='%s'/>",
				  catalogue_feature(NULL, bit)->name),
			RC_OK, &none);
	assert_rc(buf_append_text(&b, "</cpu>"), RC_OK, &none);
	text = arena_text_n(arena, (const char *)buf_bytes(&b).data, buf_bytes(&b).size);
	buf_destroy(&b);
	return text;
}

static void learn_names(struct arena *arena)
{
	for (size_t bit = 0; bit < catalogue_feature_rows(); bit++) {
		struct bitset one = { { 0 } };
		const char *cpu;

		bitset_add(&one, bit);
		cpu = cpu_text(arena, "486", "Intel", &one);
		if (ask(arena, &cpu, 1)[0])
			bitset_add(&vir.names, bit);
	}
	for (size_t i = 0; i < catalogue_model_count(); i++) {
		const struct model_row *m = catalogue_model(i);
		const char *cpu = cpu_text(arena, m->name,
			m->vendor ? m->vendor : "Intel", &(struct bitset){ { 0 } });

		if (ask(arena, &cpu, 1)[0])
			bitset_add(&vir.models, i);
	}
}

/* Of another version neither the map nor the algorithm need be the same. */
static uint32_t own_source(void)
{
	unsigned long version = 0;
	uint32_t found = 0;

	vir.virConnectGetLibVersion(vir.conn, &version);
	for (size_t s = 0; s < catalogue_source_count(); s++)
		if (!catalogue_source_row(s)->is_qemu &&
			catalogue_source_row(s)->version / 1000 == version / 1000)
			found |= 1u << s;
	return found;
}

static int connect(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	vir.handle = dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!vir.handle)
		return 0;
#define SYMBOL_LOAD(name) \
	*(void **)&vir.name = dlsym(vir.handle, #name); \
	assert_non_null(vir.name);
	SYMBOLS(SYMBOL_LOAD)
#undef SYMBOL_LOAD
	vir.virInitialize();
	vir.virSetErrorFunc(NULL, stay_silent);
	vir.conn = vir.virConnectOpen("test:///default");
	if (vir.conn)
		vir.source = own_source();
	if (vir.source)
		learn_names(&arena);
	arena_destroy(&arena);
	return 0;
}

static int disconnect(void **state)
{
	(void)state;
	if (vir.conn)
		vir.virConnectClose(vir.conn);
	return 0;
}

/* A model of the vendor's that libvirt knows and that has no features but these. */
static const struct model_row *random_model(
	struct fleet *f, const char *vendor, const struct bitset *within)
{
	for (;;) {
		size_t row = fleet_below(f, catalogue_model_count());
		const struct model_row *m = catalogue_model(row);
		struct bitset means = feature_list_set(m->features);

		if (bitset_has(&vir.models, row) && bitset_is_subset(&means, within) &&
			(!m->vendor || strcmp(m->vendor, vendor) == 0))
			return m;
	}
}

static size_t asked, preferred_said;

/* Up to four CPUs, each some model more or less; what they share is the question. */
static void compare_once(struct fleet *f)
{
	static const char *const vendors[] = { "Intel", "AMD", "Hygon" };
	const char *vendor = vendors[fleet_below(f, 3)];
	size_t n = 1 + fleet_below(f, 4);
	const char *cpus[4], *names[4], *theirs;
	struct libvirt_question q = {
		.vendor = vendor, .models = vir.models, .sources = vir.source
	};
	const struct model_row *ours;
	struct bitset least = feature_list_set(catalogue_find_model("486")->features);

	q.asked.item = names;
	for (size_t i = 0; i < n; i++) {
		const struct model_row *m = random_model(f, vendor, &vir.names);
		struct bitset features = feature_list_set(m->features);

		fleet_toggle(f, &features, fleet_below(f, 30));
		features = bitset_and(&features, &vir.names);
		features = bitset_or(&features, &least);
		q.features = i ? bitset_and(&q.features, &features) : features;
		/* what it is written with need not be what it was made from */
		names[q.asked.count++] = random_model(f, vendor, &features)->name;
		cpus[i] = cpu_text(&f->arena, names[i], vendor, &features);
	}
	theirs = ask(&f->arena, cpus, n);
	ours = libvirt_choice_of(&q);
	assert_non_null(ours);
	if (strcmp(theirs, ours->name) != 0)
		fail_msg("libvirt says '%s' (%s), we say %s of\n%s", theirs,
			theirs[0] ? "" : vir.virGetLastErrorMessage(), ours->name,
			cpus[0]);
	asked++;
	for (size_t i = 0; i < n; i++)
		preferred_said += strcmp(names[i], theirs) == 0;
}

static void our_choice_is_libvirts(void **state)
{
	(void)state;
	if (!vir.source) {
		print_message("no libvirt of the catalogue's on this machine\n");
		skip();
	}
	for (uint64_t seed = 1; seed <= QUESTIONS; seed++) {
		struct fleet f;

		fleet_begin(&f, seed);
		compare_once(&f);
		arena_destroy(&f.arena);
	}
	print_message("%zu questions, the same answers (%zu feature and %zu model names; "
		      "%zu answers with a name asked about)\n",
		asked, bitset_count(&vir.names), bitset_count(&vir.models),
		preferred_said);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(our_choice_is_libvirts),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, connect, disconnect);
}
