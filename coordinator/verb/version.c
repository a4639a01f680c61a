#include "coordinator/verb/verb.h"

#include <stdio.h>

#include "coordinator/cpu/catalogue.h"
#include "coordinator/report/report.h"

enum rc version_main(const struct options *o, struct err *e)
{
	if (o->nodes.count)
		return err_set(e, RC_USAGE, 0, "version: takes no nodes");
	if (o->json)
		return json_print_version(
			stdout, catalogue_source(), PROTOCOL_VERSION, e);
	printf("cpuherd %s (protocol %d, catalogue of %s)\n", CPUHERD_VERSION,
		PROTOCOL_VERSION, catalogue_source());
	return RC_OK;
}
