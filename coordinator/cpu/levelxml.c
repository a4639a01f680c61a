#include "coordinator/cpu/levelxml.h"

#include <string.h>

#include "coordinator/cpu/closing.h"
#include "coordinator/cpu/cpuxml.h"

static struct bitset everything(void)
{
	struct bitset s;

	memset(&s, 0xff, sizeof(s));
	return s;
}

/* Against a baseline of everything, a model lacks what its definitions do not agree on. */
static bool agreed_features(
	const struct model_row *m, enum virt_type virt, struct bitset *out)
{
	struct common common = { .virt = virt,
		.vendor = m->vendor ? m->vendor : "",
		.baseline = everything(),
		.names = everything(),
		.model_rows = everything(),
		.sources = catalogue_all_sources() };
	struct closing c;

	if (!closing_of(m, &common, &c))
		return false;
	*out = bitset_minus(&common.baseline, &c.require);
	return true;
}

/* Without what it stands on a feature is off, whatever lists it (closing.c). */
static void drop_groundless(struct bitset *s)
{
	struct bitset groundless, rest = *s;

	do {
		*s = rest;
		groundless = catalogue_groundless(s, catalogue_all_sources());
		rest = bitset_minus(s, &groundless);
	} while (!bitset_equals(&rest, s));
}

static enum rc add_features(struct catalogue *c, const struct texts *names,
	enum policy policy, struct bitset *set, struct level *out, struct err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		size_t bit;

		if (catalogue_learn(c, names->item[i], &bit, e) != RC_OK)
			return e->code;
		bitset_add(set, bit);
		out->features[out->feature_count++] = (struct level_feature){
			catalogue_name(c, bit), policy
		};
	}
	return RC_OK;
}

static enum rc check_twice(const struct level *l, const char *what, struct err *e)
{
	for (size_t i = 1; i < l->feature_count; i++)
		if (strcmp(l->features[i].name, l->features[i - 1].name) == 0)
			return err_set(e, RC_INPUT, 0, "%s: feature %s stands twice",
				what, l->features[i].name);
	return RC_OK;
}

static enum rc find_model(const struct cpuxml_cpu *cpu, const char *what,
	const struct model_row **out, struct err *e)
{
	const struct model_row *m = catalogue_find_model(cpu->model);

	*out = m;
	if (cpu->model[0] == '\0')
		return err_set(e, RC_INPUT, 0,
			"%s: it names no model, as host-model and host-passthrough do "
			"not; a level has mode='custom' and a <model>",
			what);
	if (!m)
		return err_set(e, RC_INPUT, 0, "%s: model %s is not known to %s", what,
			cpu->model, catalogue_source());
	if (cpu->vendor[0] && !catalogue_vendor_string(cpu->vendor))
		return err_set(e, RC_INPUT, 0, "%s: vendor %s is not known to %s", what,
			cpu->vendor, catalogue_source());
	if (cpu->vendor[0] && m->vendor && strcmp(cpu->vendor, m->vendor) != 0)
		return err_set(e, RC_INPUT, 0, "%s: model %s is of vendor %s, not %s",
			what, m->name, m->vendor, cpu->vendor);
	return RC_OK;
}

static enum rc fill_features(struct catalogue *c, const struct cpuxml_cpu *cpu,
	const char *what, struct arena *arena, struct level *out, struct bitset *off,
	struct err *e)
{
	struct bitset on = { { 0 } };
	size_t count = cpu->on.count + cpu->off.count;

	out->features = arena_alloc(arena, count + 1, sizeof(*out->features));
	if (!out->features)
		return err_memory(e);
	if (add_features(c, &cpu->on, POLICY_REQUIRE, &on, out, e) != RC_OK ||
		add_features(c, &cpu->off, POLICY_DISABLE, off, out, e) != RC_OK)
		return e->code;
	level_sort_features(out);
	out->baseline = bitset_or(&out->baseline, &on);
	out->baseline = bitset_minus(&out->baseline, off);
	drop_groundless(&out->baseline);
	out->names = bitset_or(&out->names, &on);
	out->names = bitset_or(&out->names, off);
	return check_twice(out, what, e);
}

/* What would have to be disabled and is not. */
static struct bitset find_open(
	const struct model_row *m, const struct level *l, const struct bitset *off)
{
	struct common common = { .virt = l->virt,
		.vendor = l->vendor,
		.baseline = l->baseline,
		.names = l->names,
		.model_rows = l->model_rows };
	struct closing c = { 0 };

	closing_of(m, &common, &c);
	return bitset_minus(&c.disable, off);
}

enum rc levelxml_read(struct catalogue *c, const char *xml, const char *what,
	enum virt_type virt, struct arena *arena, struct level *out, struct bitset *open,
	struct err *e)
{
	struct cpuxml_cpu cpu;
	struct bitset off = { { 0 } };
	const struct model_row *m;
	enum rc rc = cpuxml_read_cpu(xml, what, arena, &cpu, e);

	if (rc == RC_FACTS) /* facts come from nodes, this does not */
		return e->code = RC_INPUT;
	if (rc != RC_OK || find_model(&cpu, what, &m, e) != RC_OK)
		return e->code;
	*out = (struct level){ .virt = virt,
		.model = m->name,
		.vendor = cpu.vendor,
		.maxphysaddr = cpu.maxphysaddr,
		.names = catalogue_names_known_to_all(),
		.model_rows = catalogue_models_known_to_all(),
		.sources = catalogue_all_sources() };
	bitset_add(&out->model_rows, (size_t)(m - catalogue_model(0)));
	if (!agreed_features(m, virt, &out->baseline))
		return err_set(e, RC_INPUT, 0,
			"%s: no QEMU of %s has model %s for %s guests", what,
			catalogue_source(), m->name, virt_names[virt]);
	if (fill_features(c, &cpu, what, arena, out, &off, e) != RC_OK)
		return e->code;
	*open = find_open(m, out, &off);
	return RC_OK;
}
