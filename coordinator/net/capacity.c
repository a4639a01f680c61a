#include "coordinator/net/capacity.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/text.h"

enum {
	OTHER_FILES = 64,	   /* loops, agents, key files, name lookups, our own */
	SESSION_BYTES = 96 * 1024, /* docs/performance.md: measured, and rounded up */
};

/* MemAvailable of /proc/meminfo, in KiB; 0: not known. */
static unsigned long long memory_free_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	static const char field[] = "MemAvailable:";
	unsigned long long kib = 0;
	char line[128];

	if (!file)
		return 0;
	while (kib == 0 && fgets(line, sizeof(line), file))
		if (text_starts_with(line, field))
			kib = strtoull(line + sizeof(field) - 1, NULL, 10);
	fclose(file);
	return kib;
}

static unsigned long long raise_files(unsigned long long wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	if (limit.rlim_cur < wanted) {
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur;
}

enum rc capacity_find(
	size_t wanted, size_t files_each, struct capacity *out, struct err *e)
{
	unsigned long long kib = memory_free_kib(), by_memory, by_files;

	out->files = raise_files((unsigned long long)wanted * files_each + OTHER_FILES);
	by_memory = kib ? kib * 1024 / 2 / SESSION_BYTES : wanted;
	by_files = out->files > OTHER_FILES ? (out->files - OTHER_FILES) / files_each : 0;
	out->bound_by = by_memory < by_files ? "memory" : "ulimit -n";
	out->sessions = by_memory < by_files ? by_memory : by_files;
	if (out->sessions > 0)
		return RC_OK;
	return err_set(e, RC_MEMORY, 0,
		"no connection fits here: ulimit -n is %llu (at least %zu are needed), "
		"%llu "
		"MiB of memory are free",
		out->files, OTHER_FILES + files_each, kib / 1024);
}
