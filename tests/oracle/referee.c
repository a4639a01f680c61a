#include "tests/oracle/referee.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

#include "coordinator/cpu/cpuxml.h"

/* Every libvirt has this model, and all others hold its features or can. */
#define SMALLEST_MODEL "486"

static void say_nothing(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static struct bitset set_of_names(struct referee *r, const struct texts *names)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < names->count; i++) {
		size_t bit;
		struct err e;

		assert_rc(catalogue_learn(r->catalogue, names->item[i], &bit, &e), RC_OK,
			&e);
		bitset_add(&s, bit);
	}
	return s;
}

static struct cpuxml_cpu read_cpu(const char *xml, struct arena *arena)
{
	struct cpuxml_cpu cpu;
	struct err e;

	assert_rc(cpuxml_read_cpu(xml, "<cpu>", arena, &cpu, &e), RC_OK, &e);
	return cpu;
}

struct bitset referee_read_expanded(struct referee *r, const char *xml)
{
	struct arena arena = { 0 };
	struct cpuxml_cpu cpu = read_cpu(xml, &arena);
	struct bitset s = set_of_names(r, &cpu.on);

	arena_destroy(&arena);
	return s;
}

const struct referee_model *referee_find_model(const struct referee *r, const char *name)
{
	for (size_t i = 0; i < r->model_count; i++)
		if (strcmp(r->models[i].name, name) == 0)
			return &r->models[i];
	return NULL;
}

struct bitset referee_read_guest(struct referee *r, const char *xml)
{
	struct arena arena = { 0 };
	struct cpuxml_cpu cpu = read_cpu(xml, &arena);
	const struct referee_model *m = referee_find_model(r, cpu.model);
	struct bitset on = set_of_names(r, &cpu.on), off = set_of_names(r, &cpu.off);

	if (!m)
		fail_msg("libvirt does not know the model %s", cpu.model);
	on = bitset_or(&m->features, &on);
	arena_destroy(&arena);
	return bitset_minus(&on, &off);
}

static const char *text_of(struct buf *b, struct arena *arena)
{
	const char *text = arena_text_n(arena, buf_bytes(b).data, buf_bytes(b).size);

	buf_destroy(b);
	return text;
}

const char *referee_write_host(struct referee *r, const struct referee_model *model,
	const char *vendor, const struct bitset *features, struct arena *arena)
{
	struct buf b = buf_with_cap(65536);
	struct bitset more = bitset_minus(features, &model->features);

	buf_format(&b, "<cpu><arch>x86_64</arch><model>%s</model>", model->name);
	if (vendor)
		buf_format(&b, "<vendor>%s</vendor>", vendor);
	for (size_t bit = bitset_next(&more, 0); bit < BITSET_BITS;
		bit = bitset_next(&more, bit + 1))
		buf_format(&b, "<feature name='%s'/>", catalogue_name(r->catalogue, bit));
	assert_int_equal(buf_append_text(&b, "</cpu>"), RC_OK);
	return text_of(&b, arena);
}

const char *referee_baseline(
	struct referee *r, const char **hosts, size_t n, struct arena *arena)
{
	char *xml = virConnectBaselineCPU(r->libvirt, hosts, (unsigned int)n,
		VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
	const char *copy = !xml ? NULL : arena_text(arena, xml);

	free(xml);
	return copy;
}

const char *const referee_vendors[REFEREE_VENDORS] = { "Intel", "AMD", "Hygon" };

/* libvirt refuses a second host whose model is not of the vendor that it states. */
static bool may_be_of(
	struct referee *r, const struct referee_model *m, const char *vendor)
{
	const char *host = referee_write_host(r, m, vendor, &m->features, &r->arena);
	const char *twice[] = { host, host };

	return referee_baseline(r, twice, 2, &r->arena) != NULL;
}

/* What libvirt makes of the bare name. */
static struct referee_model ask_model(struct referee *r, const char *name)
{
	struct referee_model m = { .name = arena_text(&r->arena, name) };
	struct bitset none = { { 0 } };
	const char *host = referee_write_host(r, &m, NULL, &none, &r->arena);
	const char *answer = referee_baseline(r, &host, 1, &r->arena);

	if (!answer)
		fail_msg("libvirt does not expand its own model %s: %s", name,
			virGetLastErrorMessage());
	m.features = referee_read_expanded(r, answer);
	for (size_t i = 0; i < REFEREE_VENDORS; i++)
		m.may_be_of[i] = may_be_of(r, &m, referee_vendors[i]);
	return m;
}

static void ask_models(struct referee *r)
{
	char **names = NULL;
	int n = virConnectGetCPUModelNames(r->libvirt, "x86_64", &names, 0);

	assert_true(n > 0);
	r->models = arena_alloc(&r->arena, (size_t)n, sizeof(*r->models));
	for (int i = 0; i < n; i++) {
		r->models[r->model_count++] = ask_model(r, names[i]);
		free(names[i]);
	}
	free(names);
}

/* libvirt refuses a <cpu> for one name that it does not know. */
static void ask_names(struct referee *r)
{
	const struct referee_model *smallest = referee_find_model(r, SMALLEST_MODEL);

	assert_non_null(smallest);
	for (size_t bit = 0; bit < catalogue_feature_rows(); bit++) {
		struct bitset one = { { 0 } };
		const char *host;

		bitset_add(&one, bit);
		host = referee_write_host(r, smallest, NULL, &one, &r->arena);
		if (referee_baseline(r, &host, 1, &r->arena))
			bitset_add(&r->names, bit);
	}
}

bool referee_begin(struct referee *r)
{
	struct err e;

	*r = (struct referee){ 0 };
	virSetErrorFunc(NULL, say_nothing);
	r->libvirt = virConnectOpen("test:///default");
	if (!r->libvirt || virGetVersion(&r->version, NULL, NULL) != 0) {
		print_message("libvirt's test driver cannot be asked: %s\n",
			virGetLastErrorMessage());
		return false;
	}
	r->catalogue = catalogue_new(&r->arena, &e);
	assert_non_null(r->catalogue);
	ask_models(r);
	ask_names(r);
	return true;
}

void referee_end(struct referee *r)
{
	if (r->libvirt)
		virConnectClose(r->libvirt);
	arena_destroy(&r->arena);
}
