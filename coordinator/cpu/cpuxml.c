#include "coordinator/cpu/cpuxml_private.h"

#include <string.h>

#include "base/text.h"
#include "proto/limits.h"

bool cpuxml_is(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

/* The next element of the name, from n on; NULL when there is none. */
static const xmlNode *next_named(const xmlNode *n, const char *name)
{
	while (n && !cpuxml_is(n, name))
		n = n->next;
	return n;
}

static const xmlNode *child(const xmlNode *parent, const char *name)
{
	return !parent ? NULL : next_named(parent->children, name);
}

/* Copies what libxml2 allocated into the arena; it has NULL where memory is short. */
static enum rc take_text(struct cpuxml_reading *r, xmlChar *text, const char **out)
{
	*out = text ? arena_text(r->arena, (const char *)text) : NULL;
	xmlFree(text);
	return !*out ? err_memory(r->e) : RC_OK;
}

enum rc cpuxml_content(struct cpuxml_reading *r, const xmlNode *n, const char **out)
{
	return take_text(r, xmlNodeGetContent(n), out);
}

enum rc cpuxml_attribute(
	struct cpuxml_reading *r, const xmlNode *n, const char *name, const char **out)
{
	*out = "";
	if (!xmlHasProp(n, (const xmlChar *)name))
		return RC_OK;
	return take_text(r, xmlGetNoNsProp(n, (const xmlChar *)name), out);
}

static enum rc attribute_is(struct cpuxml_reading *r, const xmlNode *n, const char *name,
	const char *value, bool *out)
{
	const char *text;
	enum rc rc = cpuxml_attribute(r, n, name, &text);

	*out = rc == RC_OK && strcmp(text, value) == 0;
	return rc;
}

static enum rc check_name(struct cpuxml_reading *r, const char *name, const char *kind)
{
	if (text_is_name(name))
		return RC_OK;
	return err_set(r->e, RC_FACTS, 0, "%s: not the name of a %s: '%.60s'", r->what,
		kind, name);
}

/* The text of an element that must be a name where it is there at all. */
static enum rc read_name(struct cpuxml_reading *r, const xmlNode *n, const char **out)
{
	if (!n) {
		*out = "";
		return RC_OK;
	}
	if (cpuxml_content(r, n, out) != RC_OK)
		return r->e->code;
	return check_name(r, *out, (const char *)n->name);
}

/* libvirt 12 calls one "Zhaoxin CentaurHauls": words that are names, one blank between. */
static bool is_words(const char *text, struct arena *arena)
{
	char *words = arena_text(arena, text);

	for (char *p = words; p && *p; p++)
		if (*p == ' ' && p != words && p[1] && p[1] != ' ')
			*p = '_';
	return words && text_is_name(words);
}

static enum rc read_vendor(struct cpuxml_reading *r, const xmlNode *cpu, const char **out)
{
	const xmlNode *n = child(cpu, "vendor");

	*out = "";
	if (n && cpuxml_content(r, n, out) != RC_OK)
		return r->e->code;
	return !n || is_words(*out, r->arena) ? RC_OK : check_name(r, *out, "vendor");
}

static enum rc add_text(struct cpuxml_reading *r, struct texts *list, const char *text)
{
	if (list->count >= LIMIT_LIST_ITEMS)
		return err_set(r->e, RC_LIMIT, 0,
			"%s: more than %d names (LIMIT_LIST_ITEMS)", r->what,
			LIMIT_LIST_ITEMS);
	list->item = arena_grow(r->arena, list->item, list->count, sizeof(*list->item));
	if (!list->item)
		return err_memory(r->e);
	list->item[list->count++] = text;
	return RC_OK;
}

static enum rc read_feature(
	struct cpuxml_reading *r, const xmlNode *n, struct cpuxml_cpu *out)
{
	const char *name, *policy;

	if (cpuxml_attribute(r, n, "name", &name) != RC_OK ||
		check_name(r, name, "feature") != RC_OK ||
		cpuxml_attribute(r, n, "policy", &policy) != RC_OK)
		return r->e->code;
	/* optional promises nothing, so it counts for neither side */
	if (policy[0] == '\0' || strcmp(policy, "require") == 0 ||
		strcmp(policy, "force") == 0)
		return add_text(r, &out->on, name);
	if (strcmp(policy, "disable") == 0 || strcmp(policy, "forbid") == 0)
		return add_text(r, &out->off, name);
	if (strcmp(policy, "optional") == 0)
		return RC_OK;
	return err_set(r->e, RC_FACTS, 0, "%s: feature %s has policy '%.20s'", r->what,
		name, policy);
}

/* Passed through, it says nothing: each node has its own. */
static enum rc read_maxphysaddr(
	struct cpuxml_reading *r, const xmlNode *n, uint32_t *bits)
{
	const char *text;
	bool is_emulated;

	*bits = 0;
	if (!n)
		return RC_OK;
	if (attribute_is(r, n, "mode", "emulate", &is_emulated) != RC_OK ||
		cpuxml_attribute(r, n, "bits", &text) != RC_OK)
		return r->e->code;
	if (!is_emulated)
		return RC_OK;
	if (text_to_u32(text, bits) && *bits >= 32 && *bits <= 64)
		return RC_OK;
	return err_set(
		r->e, RC_FACTS, 0, "%s: maxphysaddr of '%.20s' bits", r->what, text);
}

/* The children of a <cpu>, or of the <mode name='host-model'> alike. */
static enum rc read_cpu(
	struct cpuxml_reading *r, const xmlNode *n, struct cpuxml_cpu *out)
{
	if (read_name(r, child(n, "model"), &out->model) != RC_OK ||
		read_vendor(r, n, &out->vendor) != RC_OK)
		return r->e->code;
	for (const xmlNode *f = child(n, "feature"); f;
		f = next_named(f->next, "feature"))
		if (read_feature(r, f, out) != RC_OK)
			return r->e->code;
	return read_maxphysaddr(r, child(n, "maxphysaddr"), &out->maxphysaddr);
}

static enum rc read_custom_models(
	struct cpuxml_reading *r, const xmlNode *mode, struct texts *out)
{
	for (const xmlNode *m = child(mode, "model"); m;
		m = next_named(m->next, "model")) {
		const char *name;

		if (read_name(r, m, &name) != RC_OK || add_text(r, out, name) != RC_OK)
			return r->e->code;
	}
	return RC_OK;
}

/* A path is only ever handed back to the node it came from; it must not be able
 * to do anything to a terminal on the way. */
static enum rc read_path(struct cpuxml_reading *r, const xmlNode *n, const char **out)
{
	char *copy;

	*out = "";
	if (!n)
		return RC_OK;
	if (cpuxml_content(r, n, out) != RC_OK)
		return r->e->code;
	copy = arena_text(r->arena, *out);
	if (!copy)
		return err_memory(r->e);
	text_make_printable(copy);
	if ((*out)[0] != '/' || strcmp(copy, *out) != 0)
		return err_set(
			r->e, RC_FACTS, 0, "%s: not a path: '%.60s'", r->what, *out);
	return RC_OK;
}

static enum rc read_mode(
	struct cpuxml_reading *r, const xmlNode *mode, struct cpuxml_domcaps *out)
{
	const char *name;
	bool is_supported;

	if (cpuxml_attribute(r, mode, "name", &name) != RC_OK ||
		attribute_is(r, mode, "supported", "yes", &is_supported) != RC_OK)
		return r->e->code;
	if (is_supported && strcmp(name, "host-model") == 0) {
		out->has_host_model = true;
		return read_cpu(r, mode, &out->host_model);
	}
	if (is_supported && strcmp(name, "custom") == 0)
		return read_custom_models(r, mode, &out->models);
	return RC_OK;
}

static enum rc read_modes(
	struct cpuxml_reading *r, const xmlNode *cpu, struct cpuxml_domcaps *out)
{
	enum rc rc = RC_OK;

	for (const xmlNode *m = child(cpu, "mode"); m && rc == RC_OK;
		m = next_named(m->next, "mode"))
		rc = read_mode(r, m, out);
	return rc;
}

static enum rc read_domcaps(struct cpuxml_reading *r, const xmlNode *root, void *result)
{
	struct cpuxml_domcaps *out = result;

	*out = (struct cpuxml_domcaps){ .host_model = {
						.mode = "", .model = "", .vendor = "" } };
	if (read_path(r, child(root, "path"), &out->emulator) != RC_OK ||
		read_name(r, child(root, "domain"), &out->virt) != RC_OK ||
		read_name(r, child(root, "machine"), &out->machine) != RC_OK ||
		read_name(r, child(root, "arch"), &out->arch) != RC_OK)
		return r->e->code;
	return read_modes(r, child(root, "cpu"), out);
}

/* 0 for what is not there or not a number. */
static enum rc read_number(
	struct cpuxml_reading *r, const xmlNode *n, const char *name, uint32_t *out)
{
	const char *text;

	*out = 0;
	if (!n)
		return RC_OK;
	if (cpuxml_attribute(r, n, name, &text) != RC_OK)
		return r->e->code;
	if (!text_to_u32(text, out))
		*out = 0;
	return RC_OK;
}

/* A machine whose name is not one (QEMU's builders may call theirs as they like)
 * cannot be agreed on, and is left out. */
static enum rc read_machine(
	struct cpuxml_reading *r, const xmlNode *n, struct cpuxml_host *out)
{
	struct cpuxml_machine m;

	if (cpuxml_content(r, n, &m.name) != RC_OK ||
		cpuxml_attribute(r, n, "canonical", &m.canonical) != RC_OK ||
		attribute_is(r, n, "deprecated", "yes", &m.deprecated) != RC_OK)
		return r->e->code;
	if (!text_is_name(m.name) || (m.canonical[0] && !text_is_name(m.canonical)))
		return RC_OK;
	if (out->machine_count >= LIMIT_LIST_ITEMS)
		return err_set(r->e, RC_LIMIT, 0,
			"%s: more than %d machines (LIMIT_LIST_ITEMS)", r->what,
			LIMIT_LIST_ITEMS);
	out->machines = arena_grow(
		r->arena, out->machines, out->machine_count, sizeof(*out->machines));
	if (!out->machines)
		return err_memory(r->e);
	out->machines[out->machine_count++] = m;
	return RC_OK;
}

static enum rc read_guest(
	struct cpuxml_reading *r, const xmlNode *guest, struct cpuxml_host *out)
{
	const xmlNode *arch = child(guest, "arch");
	bool is_ours = false;
	enum rc rc = arch ? attribute_is(r, arch, "name", "x86_64", &is_ours) : RC_OK;

	for (const xmlNode *m = is_ours ? child(arch, "machine") : NULL; m && rc == RC_OK;
		m = next_named(m->next, "machine"))
		rc = read_machine(r, m, out);
	return rc;
}

static enum rc read_guests(
	struct cpuxml_reading *r, const xmlNode *root, struct cpuxml_host *out)
{
	enum rc rc = RC_OK;

	for (const xmlNode *g = child(root, "guest"); g && rc == RC_OK;
		g = next_named(g->next, "guest"))
		rc = read_guest(r, g, out);
	return rc;
}

static enum rc read_host(struct cpuxml_reading *r, const xmlNode *root, void *result)
{
	struct cpuxml_host *out = result;
	const xmlNode *cpu = child(child(root, "host"), "cpu");

	*out = (struct cpuxml_host){ 0 };
	if (read_name(r, child(cpu, "arch"), &out->arch) != RC_OK ||
		read_name(r, child(cpu, "model"), &out->model) != RC_OK ||
		read_vendor(r, cpu, &out->vendor) != RC_OK ||
		read_number(r, child(cpu, "maxphysaddr"), "bits", &out->maxphysaddr) !=
			RC_OK)
		return r->e->code;
	return read_guests(r, root, out);
}

static enum rc read_cpu_root(struct cpuxml_reading *r, const xmlNode *root, void *result)
{
	struct cpuxml_cpu *out = result;

	*out = (struct cpuxml_cpu){ 0 };
	if (cpuxml_attribute(r, root, "mode", &out->mode) != RC_OK)
		return r->e->code;
	return read_cpu(r, root, out);
}

static enum rc read_root(struct cpuxml_reading *r, xmlDoc *doc, const char *root_name,
	cpuxml_reader *read, void *result)
{
	const xmlNode *root = xmlDocGetRootElement(doc);

	if (!root || !cpuxml_is(root, root_name))
		return err_set(r->e, RC_FACTS, 0, "%s: is a <%.40s>, not a <%s>", r->what,
			root ? (const char *)root->name : "", root_name);
	return read(r, root, result);
}

/* libxml2 ends its messages with a newline. */
static enum rc not_xml(struct cpuxml_reading *r, const xmlError *said)
{
	const char *text = said->message;

	if (!text) /* it was too short of memory to say so */
		return err_memory(r->e);
	return err_set(r->e, RC_FACTS, said->code, "%s:%d: is not XML: %.*s", r->what,
		said->line, (int)strcspn(text, "\n"), text);
}

enum rc cpuxml_read(struct cpuxml_reading *r, const char *xml, const char *root_name,
	cpuxml_reader *read, void *result)
{
	size_t size = strlen(xml);
	xmlParserCtxt *parser;
	xmlDoc *doc;
	enum rc rc;

	if (size > LIMIT_BODY_BYTES)
		return err_set(r->e, RC_LIMIT, 0,
			"%s: longer than %d bytes (LIMIT_BODY_BYTES)", r->what,
			LIMIT_BODY_BYTES);
	if (strstr(xml, "<!DOCTYPE"))
		return err_set(r->e, RC_FACTS, 0, "%s: has a document type", r->what);
	parser = xmlNewParserCtxt();
	if (!parser)
		return err_memory(r->e);
	doc = xmlCtxtReadMemory(parser, xml, (int)size, NULL, "UTF-8",
		XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (parser->errNo == XML_ERR_NO_MEMORY) /* then a part may look like the whole */
		rc = err_memory(r->e);
	else if (doc)
		rc = read_root(r, doc, root_name, read, result);
	else
		rc = not_xml(r, &parser->lastError);
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(parser);
	return rc;
}

enum rc cpuxml_read_cpu(const char *xml, const char *what, struct arena *arena,
	struct cpuxml_cpu *out, struct err *e)
{
	struct cpuxml_reading r = { what, arena, e };

	return cpuxml_read(&r, xml, "cpu", read_cpu_root, out);
}

enum rc cpuxml_read_domcaps(const char *xml, const char *what, struct arena *arena,
	struct cpuxml_domcaps *out, struct err *e)
{
	struct cpuxml_reading r = { what, arena, e };

	return cpuxml_read(&r, xml, "domainCapabilities", read_domcaps, out);
}

enum rc cpuxml_read_host(const char *xml, const char *what, struct arena *arena,
	struct cpuxml_host *out, struct err *e)
{
	struct cpuxml_reading r = { what, arena, e };

	return cpuxml_read(&r, xml, "capabilities", read_host, out);
}
