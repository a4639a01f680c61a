#include "coordinator/report/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

static bool enabled, shown;

void progress_begin(bool quiet)
{
	enabled = !quiet && isatty(STDERR_FILENO);
	log_set_before(enabled ? progress_clear : NULL);
}

void progress_show(void *context, const struct fleet_progress *p)
{
	(void)context;
	if (!enabled)
		return;
	fprintf(stderr, "\r\033[K%s %zu/%zu", p->phase, p->done, p->total);
	if (p->failed)
		fprintf(stderr, ", %zu failed", p->failed);
	fflush(stderr);
	shown = true;
}

void progress_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	fflush(stderr);
	shown = false;
}
