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

void progress_show(const char *phase, size_t done, size_t failed, size_t total)
{
	if (!enabled)
		return;
	fprintf(stderr, "\r\033[K%s %zu/%zu", phase, done, total);
	if (failed)
		fprintf(stderr, ", %zu failed", failed);
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
