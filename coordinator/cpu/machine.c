/* Machine types: a guest keeps the one it was started with, so all nodes need it. */
#include "coordinator/cpu/conditions_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const char *const machine_family_names[MACHINE_FAMILIES] = {
	[MACHINE_Q35] = "pc-q35",
	[MACHINE_I440FX] = "pc-i440fx",
};

static const char *const aliases[MACHINE_FAMILIES] = {
	[MACHINE_Q35] = "q35",
	[MACHINE_I440FX] = "pc",
};

/* "7.2", "4.0.1", and of a distribution "rhel9.2.0": only equal makers compare. */
enum { PARTS_MAX = 3, MAKER_BYTES = 32 };

struct machine_version {
	char maker[MAKER_BYTES]; /* "": QEMU itself */
	unsigned long part[PARTS_MAX];
};

/* Types before these change CPU models by name: mpx, rdtscp, npt, nrip-save, arat, topoext
 * (QEMU hw/i386/pc.c, pc_compat_3_1 and older). */
static const struct machine_version first_neutral = { .part = { 4, 0, 0 } };

static bool read_parts(const char *s, struct machine_version *out)
{
	for (size_t i = 0; i < PARTS_MAX; i++) {
		char *end;

		if (*s < '0' || *s > '9')
			return false;
		out->part[i] = strtoul(s, &end, 10);
		if (*end == '\0')
			return true;
		if (*end != '.')
			return false;
		s = end + 1;
	}
	return false;
}

/* False for names without a version ("pc-q35-noble"): nobody can order them. */
static bool version_of(
	const char *name, enum machine_family family, struct machine_version *out)
{
	size_t skip = strlen(machine_family_names[family]), maker;

	*out = (struct machine_version){ 0 };
	if (!text_starts_with(name, machine_family_names[family]) || name[skip] != '-')
		return false;
	name += skip + 1;
	maker = strcspn(name, "0123456789");
	if (maker >= sizeof(out->maker))
		return false;
	memcpy(out->maker, name, maker);
	return read_parts(name + maker, out);
}

/* QEMU's own before any distribution's, then the newer. */
static int compare_versions(
	const struct machine_version *a, const struct machine_version *b)
{
	int order = strcmp(b->maker, a->maker);

	for (size_t i = 0; i < PARTS_MAX && order == 0; i++)
		order = (a->part[i] > b->part[i]) - (a->part[i] < b->part[i]);
	return order;
}

/* "4.0" and "4.0.0" are no tie: the order of a node's list must not matter. */
static int compare_names(const char *a, const struct machine_version *av, const char *b,
	const struct machine_version *bv)
{
	int order = compare_versions(av, bv);

	return order ? order : strcmp(a, b);
}

static bool is_known(const struct conditions *c, size_t node)
{
	return c->nodes[node].host.machine_count > 0;
}

static bool node_has(
	const struct conditions *c, size_t node, const char *name, bool or_deprecated)
{
	const struct cpuxml_host *h = &c->nodes[node].host;

	for (size_t i = 0; i < h->machine_count; i++)
		if (strcmp(h->machines[i].name, name) == 0)
			return or_deprecated || !h->machines[i].deprecated;
	return false;
}

/* Nodes whose capabilities are one text have one list as well. */
static bool all_have(const struct conditions *c, const char *name, bool or_deprecated)
{
	const struct cpuxml_machine *seen = NULL;

	for (size_t i = 0; i < c->count; i++) {
		const struct cpuxml_machine *list = c->nodes[i].host.machines;

		if (!is_known(c, i) || list == seen)
			continue;
		if (!node_has(c, i, name, or_deprecated))
			return false;
		seen = list;
	}
	return true;
}

static const struct cpuxml_host *any_known(const struct conditions *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (is_known(c, i))
			return &c->nodes[i].host;
	return NULL;
}

/* The newest of the family that all known nodes have; NULL: none. */
static const char *newest_of(const struct conditions *c, enum machine_family family,
	bool or_deprecated, struct machine_version *best)
{
	const struct cpuxml_host *h = any_known(c);
	const char *name = NULL;

	for (size_t i = 0; h && i < h->machine_count; i++) {
		const struct cpuxml_machine *m = &h->machines[i];
		struct machine_version v;

		if (!version_of(m->name, family, &v) ||
			(name && compare_names(name, best, m->name, &v) >= 0) ||
			!all_have(c, m->name, or_deprecated))
			continue;
		name = m->name;
		*best = v;
	}
	return name;
}

/* What an alias means on the node; NULL: it has none. */
static const char *meaning_of(const struct conditions *c, size_t node, const char *alias)
{
	const struct cpuxml_host *h = &c->nodes[node].host;

	for (size_t i = 0; i < h->machine_count; i++)
		if (strcmp(h->machines[i].name, alias) == 0 &&
			h->machines[i].canonical[0])
			return h->machines[i].canonical;
	return NULL;
}

static bool texts_differ(const struct conditions *c, const char *const *text)
{
	const char *first = NULL;

	for (size_t i = 0; i < c->count; i++) {
		if (text[i] && first && strcmp(text[i], first) != 0)
			return true;
		first = first ? first : text[i];
	}
	return false;
}

static enum rc remark_alias(
	struct conditions *c, enum machine_family family, struct err *e)
{
	const char **text = arena_alloc(c->arena, c->count + 1, sizeof(*text));

	if (!text)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++)
		text[i] = meaning_of(c, i, aliases[family]);
	if (!texts_differ(c, text))
		return RC_OK;
	for (size_t i = 0; i < c->count; i++) {
		if (!text[i])
			continue;
		text[i] = arena_format(c->arena,
			"'%s' means %s here and another elsewhere: name the version in "
			"guests",
			aliases[family], text[i]);
		if (!text[i])
			return err_memory(e);
	}
	return conditions_say_each(c, "machines", text, e);
}

static bool is_old(const struct machine_version *v)
{
	return v->maker[0] == '\0' && compare_versions(v, &first_neutral) < 0;
}

/* QEMU runs a deprecated type as ever, and drops it three years later. */
static enum rc remark_deprecated(struct conditions *c, const char *name, struct err *e)
{
	bool *of = conditions_nodes(c);

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++)
		of[i] = is_known(c, i) && !node_has(c, i, name, false);
	return conditions_say(c, true, "machines", of, e,
		"%s is the newest that all nodes have, and deprecated here: a newer QEMU "
		"will not run it",
		name);
}

static enum rc remark_family(
	struct conditions *c, enum machine_family family, struct err *e)
{
	const char *family_name = machine_family_names[family];
	struct machine_version v;
	bool deprecated;

	c->machines[family] = newest_of(c, family, false, &v);
	deprecated = !c->machines[family];
	if (deprecated)
		c->machines[family] = newest_of(c, family, true, &v);
	if (any_known(c) && !c->machines[family])
		return conditions_say(c, true, "machines", NULL, e,
			"the nodes have no version of %s in common: a guest of that kind "
			"cannot move",
			family_name);
	if (c->machines[family] && is_old(&v))
		return conditions_say(c, true, "machines", NULL, e,
			"the newest of %s that all nodes have is %s; before 4.0 it "
			"changes what CPU models mean, and the level does not know",
			family_name, c->machines[family]);
	return deprecated && c->machines[family]
		       ? remark_deprecated(c, c->machines[family], e)
		       : RC_OK;
}

static enum rc remark_newest(struct conditions *c, struct err *e)
{
	const char *q35 = c->machines[MACHINE_Q35], *pc = c->machines[MACHINE_I440FX];

	if (!q35 && !pc)
		return RC_OK;
	return conditions_say(c, false, "machines", NULL, e,
		"newest that all have: %s%s%s", q35 ? q35 : "", q35 && pc ? ", " : "",
		pc ? pc : "");
}

enum rc machine_remark(struct conditions *c, const struct level *l, struct err *e)
{
	enum rc rc = RC_OK;

	(void)l;
	for (int family = 0; family < MACHINE_FAMILIES && rc == RC_OK; family++)
		rc = remark_family(c, (enum machine_family)family, e);
	if (rc == RC_OK)
		rc = remark_newest(c, e);
	for (int family = 0; family < MACHINE_FAMILIES && rc == RC_OK; family++)
		rc = remark_alias(c, (enum machine_family)family, e);
	return rc == RC_OK ? conditions_miss_unless(c, "machine types", is_known, e) : rc;
}
