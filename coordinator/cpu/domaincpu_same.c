/* Two <cpu> elements by what they mean: as texts in which nothing is left to choose. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/cpuxml_private.h"
#include "coordinator/cpu/domaincpu.h"
#include "proto/texts.h"

/* What libvirt takes an attribute for that is not there, and older ones do not print. */
static const struct {
	const char *element, *attribute, *value;
} defaults[] = {
	{ "cpu", "match", "exact" },
	{ "model", "fallback", "allow" },
	{ "feature", "policy", "require" },
	{ "topology", "dies", "1" },
	{ "topology", "clusters", "1" },
};

static bool is_default(const char *element, const char *attribute, const char *value)
{
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (strcmp(defaults[i].element, element) == 0 &&
			strcmp(defaults[i].attribute, attribute) == 0)
			return strcmp(defaults[i].value, value) == 0;
	return false;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *join_sorted(struct texts *list, struct arena *arena)
{
	if (list->count)
		qsort(list->item, list->count, sizeof(*list->item), compare_texts);
	return texts_join_with(list, " ", arena);
}

static enum rc plain_attributes(
	struct cpuxml_reading *r, const xmlNode *n, const char **out)
{
	struct texts list = { 0 };

	for (const xmlAttr *a = n->properties; a; a = a->next) {
		const char *name = (const char *)a->name, *value;

		if (cpuxml_attribute(r, n, name, &value) != RC_OK)
			return r->e->code;
		if (is_default((const char *)n->name, name, value))
			continue;
		value = arena_format(r->arena, "%s=%zu:%s", name, strlen(value), value);
		if (texts_add(&list, value, r->arena, r->e) != RC_OK)
			return r->e->code;
	}
	*out = join_sorted(&list, r->arena);
	return *out ? RC_OK : err_memory(r->e);
}

static enum rc plain_element(
	struct cpuxml_reading *r, const xmlNode *n, const char **out);

/* Their order means nothing in a <cpu>: features have names, cells have numbers. */
static enum rc plain_children(
	struct cpuxml_reading *r, const xmlNode *n, struct texts *list)
{
	for (const xmlNode *c = n->children; c; c = c->next) {
		const char *text = NULL;

		if (c->type != XML_ELEMENT_NODE)
			continue;
		if (plain_element(r, c, &text) != RC_OK ||
			texts_add(list, text, r->arena, r->e) != RC_OK)
			return r->e->code;
	}
	return RC_OK;
}

static enum rc plain_element(struct cpuxml_reading *r, const xmlNode *n, const char **out)
{
	const char *attributes = NULL, *inner = "";
	struct texts children = { 0 };

	if (plain_attributes(r, n, &attributes) != RC_OK ||
		plain_children(r, n, &children) != RC_OK)
		return r->e->code;
	if (children.count)
		inner = join_sorted(&children, r->arena);
	else if (cpuxml_content(r, n, &inner) != RC_OK)
		return r->e->code;
	*out = !inner ? NULL
		      : arena_format(r->arena, "%s[%s]{%zu:%s}", (const char *)n->name,
				attributes, strlen(inner), inner);
	return *out ? RC_OK : err_memory(r->e);
}

static enum rc read_plain(struct cpuxml_reading *r, const xmlNode *root, void *result)
{
	return plain_element(r, root, result);
}

static enum rc plain_of(struct cpuxml_reading *r, const char *xml, const char **out)
{
	*out = "";
	return *xml ? cpuxml_read(r, xml, "cpu", read_plain, out) : RC_OK;
}

enum rc domaincpu_same(const char *a, const char *b, const char *what,
	struct arena *arena, bool *same, struct err *e)
{
	struct cpuxml_reading r = { what, arena, e };
	const char *pa, *pb;

	*same = false;
	if (plain_of(&r, a, &pa) != RC_OK || plain_of(&r, b, &pb) != RC_OK)
		return e->code;
	*same = strcmp(pa, pb) == 0;
	return RC_OK;
}
