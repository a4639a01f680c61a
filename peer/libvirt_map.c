#include "peer/libvirt_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "peer/libvirt_private.h"

static enum rc last_error(struct err *e)
{
	const char *text;
	int code;

	text = libvirt_last(&code);
	return err_set(e, RC_LIBVIRT, code, "%s", text);
}

static enum rc put(
	struct buf *out, const char *what, const char *name, size_t size, struct err *e)
{
	enum rc rc = buf_format(out, "%s %.*s\n", what, (int)size, name);

	if (rc == RC_LIMIT)
		return err_set(e, rc, 0, "libvirt's cpu_map is too large");
	return rc == RC_OK ? RC_OK : err_memory(e);
}

static enum rc list_models(virConnectPtr connection, struct buf *out, const char *model,
	bool *is_there, struct err *e)
{
	char **names = NULL;
	int n = vir.virConnectGetCPUModelNames(connection, "x86_64", &names, 0);
	enum rc rc = n < 0 ? last_error(e) : RC_OK;

	*is_there = false;
	for (int i = 0; i < n; i++) {
		*is_there = *is_there || strcmp(names[i], model) == 0;
		if (rc == RC_OK)
			rc = put(out, "model", names[i], strlen(names[i]), e);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* libvirt's own spelling: <feature policy='require' name='NAME'/>. */
static enum rc put_required(struct buf *out, const char *xml, struct err *e)
{
	static const char begin[] = "<feature policy='require' name='";
	enum rc rc = RC_OK;

	for (const char *at = xml; rc == RC_OK && (at = strstr(at, begin));) {
		const char *end;

		at += sizeof(begin) - 1;
		end = strchr(at, '\'');
		if (!end)
			break;
		rc = put(out, "feature", at, (size_t)(end - at), e);
	}
	return rc;
}

/* A baseline of one CPU is that CPU, whatever model libvirt names for it. */
static enum rc list_features(
	virConnectPtr connection, struct buf *out, const char *model, struct err *e)
{
	struct arena arena = { 0 };
	const char *cpu = arena_format(
		&arena, "<cpu><arch>x86_64</arch><model>%s</model></cpu>", model);
	char *xml;
	enum rc rc;

	if (!cpu)
		return err_memory(e);
	xml = vir.virConnectBaselineCPU(
		connection, &cpu, 1, VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
	rc = xml ? put_required(out, xml, e) : last_error(e);
	free(xml);
	arena_destroy(&arena);
	return rc;
}

enum rc libvirt_map_list(struct buf *out, const char *model, struct err *e)
{
	virConnectPtr connection;
	bool is_there;
	enum rc rc = text_is_name(model)
			     ? libvirt_load(e)
			     : err_set(e, RC_INTERNAL, 0, "no name of a model");

	if (rc != RC_OK)
		return rc;
	connection = vir.virConnectOpen("test:///default");
	if (!connection)
		return last_error(e);
	rc = list_models(connection, out, model, &is_there, e);
	if (rc == RC_OK && is_there)
		rc = list_features(connection, out, model, e);
	vir.virConnectClose(connection);
	return rc;
}
