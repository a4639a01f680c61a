/* What the peer reads from and writes to libvirt's texts; no calls of libvirt. */
#include "peer/libvirt.h"

#include <string.h>

#include "base/text.h"
#include "peer/xml.h"
#include "proto/limits.h"

bool libvirt_uri_is_allowed(const char *uri)
{
	return strcmp(uri, "qemu:///system") == 0 || strcmp(uri, "qemu:///session") == 0;
}

/* ---- features that a message names */

static enum rc add_name(struct texts *out, const char *name, size_t size,
	struct arena *arena, struct err *e)
{
	const char **grown = arena_grow(arena, out->item, out->count, sizeof(*grown));
	char *copy = arena_text_n(arena, name, size);

	if (!grown || !copy)
		return err_memory(e);
	out->item = grown;
	if (text_is_name(copy) && out->count < LIMIT_LIST_ITEMS)
		out->item[out->count++] = copy;
	return RC_OK;
}

/* Does the text consist of names with ", " between them? */
static bool is_name_list(const char *s)
{
	for (;; s += 2) {
		size_t n = strcspn(s, ", ");

		if (n == 0)
			return false;
		s += n;
		if (*s == '\0')
			return true;
		if (s[0] != ',' || s[1] != ' ')
			return false;
	}
}

static enum rc add_names(
	struct texts *out, const char *s, struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	while (*s && rc == RC_OK) {
		size_t n = strcspn(s, ", ");

		rc = add_name(out, s, n, arena, e);
		s += n;
		s += strspn(s, ", ");
	}
	return rc;
}

/* libvirt 9.0 src/cpu/cpu_x86.c, x86Compute() and x86FeatureFind()'s callers:
 *	... Host CPU does not provide required features: pni, avx512f
 *	... Host CPU provides forbidden features: umip
 *	internal error: Unknown CPU feature nosuchthing
 * The first two may come in the daemon's language, so what counts there is the
 * list behind the last colon. */
enum rc libvirt_find_features(
	const char *message, struct arena *arena, struct texts *out, struct err *e)
{
	static const char *const unknown = "Unknown CPU feature ";
	const char *at = strstr(message, unknown), *colon;

	*out = (struct texts){ 0 };
	if (at)
		return add_names(out, at + strlen(unknown), arena, e);
	colon = strrchr(message, ':');
	if (!colon || colon[1] != ' ' || !is_name_list(colon + 2))
		return RC_OK;
	return add_names(out, colon + 2, arena, e);
}

/* ---- domain capabilities */

static const char *find_host_model(const char *domcaps, struct xml_element *model)
{
	struct xml_element root, cpu;

	if (!xml_child(xml_whole(domcaps), "domainCapabilities", &root) ||
		!xml_child(root.inner, "cpu", &cpu) ||
		!xml_child_with(cpu.inner, "mode", "name", "host-model", model))
		return "the domain capabilities name no host-model";
	if (!xml_attribute_is(model, "supported", "yes"))
		return "libvirt does not support host-model for this virt type";
	return NULL;
}

enum rc libvirt_host_model(const char *domcaps, struct arena *arena, char **cpu,
	const char **why, struct err *e)
{
	struct xml_element model;

	*cpu = NULL;
	*why = find_host_model(domcaps, &model);
	if (*why)
		return RC_OK;
	*cpu = arena_format(arena, "<cpu mode='custom' match='exact'>%.*s</cpu>",
		(int)model.inner.size, model.inner.data);
	return *cpu ? RC_OK : err_memory(e);
}

/* ---- capabilities */

/* The text without the part, which lies in it. */
static char *cut(struct arena *arena, const char *text, struct xml_span part)
{
	return arena_format(
		arena, "%.*s%s", (int)(part.data - text), text, part.data + part.size);
}

enum rc libvirt_strip_capabilities(
	const char *xml, struct arena *arena, char **stripped, char **uuid, struct err *e)
{
	struct xml_element found;

	*uuid = arena_text(arena, "");
	*stripped = arena_text(arena, xml);
	if (*stripped &&
		xml_path(xml_whole(*stripped), "capabilities/host/uuid", &found)) {
		*uuid = xml_text(arena, &found);
		*stripped = cut(arena, *stripped, found.outer);
	}
	if (*stripped &&
		xml_path(xml_whole(*stripped), "capabilities/host/topology", &found))
		*stripped = cut(arena, *stripped, found.outer);
	return *stripped && *uuid ? RC_OK : err_memory(e);
}
