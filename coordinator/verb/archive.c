#include "coordinator/verb/archive.h"

#include <stdlib.h>

#include "coordinator/report/evidence.h"
#include "coordinator/verb/replace.h"
#include "coordinator/verb/whoami.h"

enum rc archive_write(struct run *run, struct err *e)
{
	const char *ended = whoami_now(&run->arena);
	char *memory = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&memory, &size);
	enum rc rc = RC_OK;

	if (!out)
		return err_memory(e);
	rc = evidence_print(out, &run->report, run->began ? run->began : "",
		ended ? ended : "", &run->arena, e);
	if (fclose(out) != 0 && rc == RC_OK)
		rc = err_memory(e);
	if (rc == RC_OK)
		rc = replace_file(run->options->evidence,
			(struct bytes){ (const uint8_t *)memory, size }, e);
	free(memory);
	return rc;
}
