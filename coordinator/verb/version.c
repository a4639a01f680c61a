#include "coordinator/verb/verb.h"

#include <stdio.h>

#include "base/log.h"
#include "coordinator/cpu/catalogue.h"
#include "coordinator/net/transport.h"
#include "coordinator/report/report.h"

void version_warn(void)
{
	const char *lacks = transport_lacks();

	if (lacks)
		log_line(LOG_WARN, NULL,
			"libssh2 %s is old: %s (build cpuherd with 1.11.1 or newer, "
			"scripts/get-libssh2)",
			transport_version(), lacks);
}

enum rc version_main(const struct options *o, struct err *e)
{
	if (o->nodes.count)
		return err_set(e, RC_USAGE, 0, "version: takes no nodes");
	if (o->json)
		return json_print_version(stdout, catalogue_source(), PROTOCOL_VERSION,
			transport_version(), e);
	printf("cpuherd %s (protocol %d, libssh2 %s, catalogue of %s)\n", CPUHERD_VERSION,
		PROTOCOL_VERSION, transport_version(), catalogue_source());
	version_warn();
	return RC_OK;
}
