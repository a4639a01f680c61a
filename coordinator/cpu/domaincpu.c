/* A domain's <cpu>, made of a level's and its own. */
#include "coordinator/cpu/domaincpu.h"

#include <string.h>

#include "base/buf.h"
#include "coordinator/cpu/cpuxml_private.h"
#include "proto/limits.h"

/* In libvirt's order (virCPUDefFormatBufFull): whose is what? */
static const struct part {
	const char *name;
	bool is_level;
} parts[] = {
	{ "model", true },
	{ "vendor", true },
	{ "topology", false },
	{ "cache", false },
	{ "maxphysaddr", true },
	{ "feature", true },
	{ "numa", false },
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]), INDENT = 2 };

struct making {
	struct cpuxml_reading *r;
	struct buf out;
	enum rc rc; /* of the appends so far */
	const xmlNode *level;
	const char *old;
};

#define PUT(m, ...) \
	((void)((m)->rc == RC_OK && ((m)->rc = buf_format(&(m)->out, __VA_ARGS__))))

/* ---- elements as libvirt prints them */

static void put_escaped(struct making *m, const char *text)
{
	static const char *const entities[] = { ['<'] = "&lt;",
		['>'] = "&gt;",
		['&'] = "&amp;",
		['\''] = "&apos;",
		['"'] = "&quot;" };

	for (; *text; text++) {
		size_t c = (unsigned char)*text;

		if (c < sizeof(entities) / sizeof(entities[0]) && entities[c])
			PUT(m, "%s", entities[c]);
		else
			PUT(m, "%c", *text);
	}
}

static enum rc put_attributes(struct making *m, const xmlNode *n)
{
	for (const xmlAttr *a = n->properties; a; a = a->next) {
		const char *value;

		if (cpuxml_attribute(m->r, n, (const char *)a->name, &value) != RC_OK)
			return m->r->e->code;
		PUT(m, " %s='", (const char *)a->name);
		put_escaped(m, value);
		PUT(m, "'");
	}
	return RC_OK;
}

static bool has_elements(const xmlNode *n)
{
	for (const xmlNode *c = n->children; c; c = c->next)
		if (c->type == XML_ELEMENT_NODE)
			return true;
	return false;
}

static enum rc put_text(struct making *m, const xmlNode *n)
{
	const char *text;

	if (cpuxml_content(m->r, n, &text) != RC_OK)
		return m->r->e->code;
	if (!*text) {
		PUT(m, "/>\n");
		return RC_OK;
	}
	PUT(m, ">");
	put_escaped(m, text);
	PUT(m, "</%s>\n", (const char *)n->name);
	return RC_OK;
}

/* libxml2 bounds the depth of what it reads. */
static enum rc put_element(struct making *m, const xmlNode *n, int indent)
{
	enum rc rc;

	PUT(m, "%*s<%s", indent, "", (const char *)n->name);
	rc = put_attributes(m, n);
	if (rc == RC_OK && !has_elements(n))
		return put_text(m, n);
	PUT(m, ">\n");
	for (const xmlNode *c = n->children; c && rc == RC_OK; c = c->next)
		if (c->type == XML_ELEMENT_NODE)
			rc = put_element(m, c, indent + INDENT);
	PUT(m, "%*s</%s>\n", indent, "", (const char *)n->name);
	return rc;
}

/* ---- the parts in their order */

/* libvirt refuses the host's cache beside another CPU than the host's. */
static enum rc is_kept(struct making *m, const xmlNode *n, bool *kept)
{
	const char *mode;

	*kept = true;
	if (!cpuxml_is(n, "cache"))
		return RC_OK;
	if (cpuxml_attribute(m->r, n, "mode", &mode) != RC_OK)
		return m->r->e->code;
	*kept = strcmp(mode, "passthrough") != 0;
	return RC_OK;
}

static enum rc put_part(struct making *m, const xmlNode *cpu, const char *name)
{
	enum rc rc = RC_OK;

	for (const xmlNode *n = cpu ? cpu->children : NULL; n && rc == RC_OK;
		n = n->next) {
		bool kept;

		if (!cpuxml_is(n, name))
			continue;
		rc = is_kept(m, n, &kept);
		if (rc == RC_OK && kept)
			rc = put_element(m, n, 2 * INDENT);
	}
	return rc;
}

static enum rc put_cpu(struct making *m, const xmlNode *old)
{
	enum rc rc;

	PUT(m, "<cpu");
	rc = put_attributes(m, m->level);
	PUT(m, ">\n");
	for (size_t i = 0; i < PARTS && rc == RC_OK; i++)
		rc = put_part(m, parts[i].is_level ? m->level : old, parts[i].name);
	PUT(m, "%*s</cpu>", INDENT, "");
	return rc;
}

static enum rc make_with_old(struct cpuxml_reading *r, const xmlNode *old, void *result)
{
	(void)r;
	return put_cpu(result, old);
}

static enum rc make_with_level(
	struct cpuxml_reading *r, const xmlNode *level, void *result)
{
	struct making *m = result;

	m->level = level;
	return *m->old ? cpuxml_read(r, m->old, "cpu", make_with_old, m)
		       : put_cpu(m, NULL);
}

enum rc domaincpu_make(const char *level, const char *old, const char *what,
	struct arena *arena, const char **out, struct err *e)
{
	struct cpuxml_reading r = { what, arena, e };
	struct making m = { &r, buf_with_cap(LIMIT_PLACE_BYTES), RC_OK, NULL, old };
	enum rc rc = cpuxml_read(&r, level, "cpu", make_with_level, &m);
	struct bytes made = buf_bytes(&m.out);

	*out = arena_text_n(arena, made.data, made.size);
	buf_destroy(&m.out);
	if (rc != RC_OK)
		return rc;
	if (m.rc == RC_LIMIT)
		return err_set(e, RC_LIMIT, 0,
			"%s: its <cpu> is longer than %d bytes (LIMIT_PLACE_BYTES)", what,
			LIMIT_PLACE_BYTES);
	return m.rc == RC_OK && *out ? RC_OK : err_memory(e);
}
