#include "coordinator/cpu/conditions.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/conditions_rules.h"

enum { REMARK_BYTES_MAX = 4096 };

/* What takes features out, and what says so. */
static const struct forbidding {
	condition_forbids *forbids;
	condition_remarks *remark;
} forbidding[] = {
	{ xsave_forbids, xsave_remark },
	{ nested_forbids, nested_remark },
};

enum { FORBIDDING = sizeof(forbidding) / sizeof(forbidding[0]) };

static condition_remarks *const remarking[] = { mitigation_remark, nested_remark,
	xsave_remark, address_remark, tsc_remark, machine_remark, microcode_remark };

/* ---- what the rules share */

bool *conditions_nodes(const struct conditions *c)
{
	return arena_alloc(c->arena, c->count + 1, sizeof(bool));
}

bool conditions_any(const struct conditions *c, const bool *of)
{
	for (size_t i = 0; i < c->count; i++)
		if (of[i])
			return true;
	return false;
}

bool conditions_several(const struct conditions *c)
{
	/* asked of every offer: many need no counting */
	return c->count > 1 || offers_node_count(c->offers, c->count) > 1;
}

bool conditions_has(const struct bitset *set, const char *feature)
{
	int bit = catalogue_find_row(feature);

	return bit >= 0 && bitset_has(set, (size_t)bit);
}

enum rc conditions_say(struct conditions *c, bool warning, const char *about,
	const bool *of, struct err *e, const char *fmt, ...)
{
	struct condition_remark m = { .warning = warning, .about = about, .of = of };
	char text[REMARK_BYTES_MAX];
	va_list arguments;

	if (of && !conditions_any(c, of))
		return RC_OK;
	va_start(arguments, fmt);
	vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	m.text = arena_text(c->arena, text);
	c->remarks = arena_grow(
		c->arena, c->remarks, c->remark_count, sizeof(*c->remarks));
	if (!m.text || !c->remarks)
		return err_memory(e);
	c->remarks[c->remark_count++] = m;
	return RC_OK;
}

static struct condition_remark *missing_of(struct conditions *c, const bool *of)
{
	for (size_t i = 0; i < c->missing_count; i++)
		if (memcmp(c->missing[i].of, of, c->count * sizeof(*of)) == 0)
			return &c->missing[i];
	return NULL;
}

enum rc conditions_miss(
	struct conditions *c, const char *what, const bool *of, struct err *e)
{
	struct condition_remark *m = missing_of(c, of);

	if (!conditions_any(c, of))
		return RC_OK;
	if (m) {
		m->text = arena_format(c->arena, "%s, %s", m->text, what);
		return m->text ? RC_OK : err_memory(e);
	}
	c->missing = arena_grow(
		c->arena, c->missing, c->missing_count, sizeof(*c->missing));
	if (!c->missing)
		return err_memory(e);
	c->missing[c->missing_count++] = (struct condition_remark){
		.text = what,
		.of = of,
	};
	return RC_OK;
}

enum rc conditions_miss_unless(struct conditions *c, const char *what,
	bool (*is_known)(const struct conditions *c, size_t node), struct err *e)
{
	bool *of = conditions_nodes(c);

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++)
		of[i] = !is_known(c, i);
	return conditions_miss(c, what, of, e);
}

static enum rc say_missing(struct conditions *c, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < c->missing_count && rc == RC_OK; i++)
		rc = conditions_say(c, false, "facts", c->missing[i].of, e,
			"not known here, and so not judged: %s", c->missing[i].text);
	return rc;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The texts that there are, sorted, each once. */
static size_t distinct(
	const struct conditions *c, const char *const *text, const char **out)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < c->count; i++)
		if (text[i])
			out[count++] = text[i];
	if (count)
		qsort(out, count, sizeof(*out), compare_texts);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(out[i], out[kept - 1]) != 0)
			out[kept++] = out[i];
	return kept;
}

enum rc conditions_say_each(
	struct conditions *c, const char *about, const char *const *text, struct err *e)
{
	const char **each = arena_alloc(c->arena, c->count + 1, sizeof(*each));
	size_t count = each ? distinct(c, text, each) : 0;
	enum rc rc = each ? RC_OK : err_memory(e);

	for (size_t t = 0; t < count && rc == RC_OK; t++) {
		bool *of = conditions_nodes(c);

		if (!of)
			return err_memory(e);
		for (size_t i = 0; i < c->count; i++)
			of[i] = text[i] && strcmp(text[i], each[t]) == 0;
		rc = conditions_say(c, false, about, of, e, "%s", each[t]);
	}
	return rc;
}

/* ---- the whole */

/* Nodes of a class share their texts: each is read once. */
static const struct condition_node *read_before(const struct conditions *c, size_t node)
{
	const char *text = c->facts[node].text[BODY_capabilities];

	for (size_t i = node; i > 0; i--)
		if (c->facts[i - 1].text[BODY_capabilities] == text)
			return &c->nodes[i - 1];
	return NULL;
}

static enum rc node_read(struct conditions *c, size_t i, struct err *e)
{
	struct condition_node *n = &c->nodes[i];
	const struct condition_node *before;
	enum rc rc;

	if (!c->facts[i].present[BODY_capabilities])
		return RC_OK;
	before = read_before(c, i);
	if (before) {
		*n = *before;
		return RC_OK;
	}
	rc = cpuxml_read_host(c->facts[i].text[BODY_capabilities], "capabilities",
		c->arena, &n->host, e);
	n->has_capabilities = rc == RC_OK;
	if (rc != RC_OK)
		n->host = (struct cpuxml_host){ 0 };
	return rc == RC_MEMORY ? rc : RC_OK;
}

enum rc conditions_begin(struct conditions *c, struct err *e)
{
	enum rc rc = RC_OK;

	c->nodes = arena_alloc(c->arena, c->count + 1, sizeof(*c->nodes));
	if (!c->nodes)
		return err_memory(e);
	for (size_t i = 0; c->facts && i < c->count && rc == RC_OK; i++)
		rc = node_read(c, i, e);
	return rc;
}

enum rc conditions_choose(struct conditions *c, const struct wishes *wishes,
	const struct bitset_ops *ops, struct level *out, struct err *e)
{
	static const struct wishes none;
	struct wishes within = wishes ? *wishes : none;
	struct bitset taken;
	enum rc rc;

	if (!c->facts)
		return level_choose(c->catalogue, c->offers, c->count, c->virt, &within,
			ops, c->arena, out, e);
	taken = bitset_or(&within.excluded, &within.voted);
	c->before = baseline_of(c->offers, c->count, &taken, ops);
	c->forbidden = (struct bitset){ { 0 } };
	for (size_t i = 0; i < FORBIDDING; i++) {
		struct bitset one = forbidding[i].forbids(c, &c->before);

		c->forbidden = bitset_or(&c->forbidden, &one);
	}
	within.unsafe = bitset_or(&within.unsafe, &c->forbidden);
	rc = level_choose(c->catalogue, c->offers, c->count, c->virt, &within, ops,
		c->arena, out, e);
	if (rc != RC_OK)
		return rc;
	out->maxphysaddr = address_bits_to_state(c);
	out->xsave_bytes = xsave_bytes_of(c, &out->baseline);
	return mitigation_check(c, out, e);
}

enum rc conditions_keep(struct conditions *c, const struct level *l, struct err *e)
{
	c->before = l->baseline;
	c->forbidden = (struct bitset){ { 0 } };
	return c->facts ? mitigation_check(c, l, e) : RC_OK;
}

enum rc conditions_explain(struct conditions *c, struct err *e)
{
	static const struct level none;
	enum rc rc = RC_OK;

	c->remarks = NULL;
	c->remark_count = 0;
	for (size_t i = 0; c->facts && i < FORBIDDING && rc == RC_OK; i++)
		rc = forbidding[i].remark(c, &none, e);
	return rc;
}

enum rc conditions_remark(struct conditions *c, const struct level *l, struct err *e)
{
	enum rc rc = RC_OK;

	c->remarks = NULL;
	c->remark_count = 0;
	c->missing = NULL;
	c->missing_count = 0;
	for (size_t i = 0; i < sizeof(remarking) / sizeof(remarking[0]) && rc == RC_OK;
		i++)
		rc = remarking[i](c, l, e);
	return rc == RC_OK ? say_missing(c, e) : rc;
}
