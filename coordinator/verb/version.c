#include "coordinator/verb/verb.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>

#include "coordinator/cpu/catalogue.h"

static enum rc version_print_json(struct err *e)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:i, s:s}", "schema", "cpuherd/1",
		"verb", "version", "version", CPUHERD_VERSION, "protocol",
		PROTOCOL_VERSION, "catalogue", catalogue_source());
	char *text = object ? json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;

	json_decref(object);
	if (!text)
		return err_memory(e);
	puts(text);
	free(text);
	return RC_OK;
}

enum rc version_main(const struct options *o, struct err *e)
{
	if (o->nodes.count)
		return err_set(e, RC_USAGE, 0, "version: takes no nodes");
	if (o->json)
		return version_print_json(e);
	printf("cpuherd %s (protocol %d, catalogue of %s)\n", CPUHERD_VERSION,
		PROTOCOL_VERSION, catalogue_source());
	return RC_OK;
}
