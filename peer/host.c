#include "peer/host.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "peer/cores.h"

enum { LINE_BYTES = 4096 };

/* The first line of a file without its newline; 0 or an errno. */
static int read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	int problem = 0;

	if (!f)
		return errno;
	errno = 0;
	if (!fgets(line, (int)size, f)) {
		problem = ferror(f) && errno ? errno : 0;
		line[0] = '\0';
	}
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return problem;
}

/* ---- names and versions */

static enum rc gather_uname(struct gather *g)
{
	struct facts *f = &g->facts->small;
	struct utsname u;
	enum rc rc;

	if (uname(&u) != 0) /* cannot happen with a valid pointer */
		return gather_gap(g, "kernel", "uname: %s", strerror(errno));
	rc = gather_text(g, &f->hostname, u.nodename);
	if (rc == RC_OK)
		rc = gather_text(g, &f->arch, u.machine);
	return rc == RC_OK ? gather_text(g, &f->kernel, u.release) : rc;
}

static enum rc gather_cmdline(struct gather *g)
{
	char line[LINE_BYTES];
	int problem = read_line("/proc/cmdline", line, sizeof(line));

	if (problem)
		return gather_gap(g, "cmdline", "/proc/cmdline: %s", strerror(problem));
	return gather_text(g, &g->facts->small.cmdline, line);
}

bool host_find_microcode(const char *cpuinfo_path, char *out, size_t size)
{
	char line[LINE_BYTES];
	FILE *f = fopen(cpuinfo_path, "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		const char *value = strchr(line, ':');

		if (!value || strncmp(line, "microcode", strlen("microcode")) != 0)
			continue;
		value += 1 + strspn(value + 1, " \t");
		snprintf(out, size, "%.*s", (int)strcspn(value, " \t\n"), value);
		found = out[0] != '\0';
	}
	if (f)
		fclose(f);
	return found;
}

static enum rc gather_microcode(struct gather *g)
{
	char revision[64];

	/* fopen(), not open(): a lab replaces the text of this file */
	if (!host_find_microcode("/proc/cpuinfo", revision, sizeof(revision)))
		return gather_gap(g, "microcode", "/proc/cpuinfo has no microcode line");
	return gather_text(g, &g->facts->small.microcode, revision);
}

enum rc host_gather_system(struct gather *g)
{
	enum rc rc = gather_uname(g);

	if (rc == RC_OK)
		rc = gather_cmdline(g);
	return rc == RC_OK ? gather_microcode(g) : rc;
}

/* ---- parameters of the kvm modules */

static const char *const modules[] = { "kvm", "kvm_amd", "kvm_intel" };

static enum rc add_parameter(
	struct gather *g, const char *module, const char *name, const char *value)
{
	struct list *list = &g->facts->small.parameters;
	struct parameter *p = arena_grow(
		g->arena, list->item, list->count, sizeof(struct parameter));
	enum rc rc;

	if (!p)
		return err_memory(g->e);
	list->item = p;
	p += list->count++;
	*p = (struct parameter){ module, "", "" };
	rc = gather_text(g, &p->name, name);
	return rc == RC_OK ? gather_text(g, &p->value, value) : rc;
}

static int not_hidden(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Sorted, so that equal nodes give equal facts. */
static enum rc gather_module(struct gather *g, const char *module)
{
	char path[512], value[LINE_BYTES];
	struct dirent **entry;
	enum rc rc = RC_OK;
	int n;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters", module);
	n = scandir(path, &entry, not_hidden, alphasort);
	if (n < 0)
		return RC_OK; /* not loaded: the other vendor's, or no KVM */
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module,
			entry[i]->d_name);
		if (rc == RC_OK && read_line(path, value, sizeof(value)) == 0)
			rc = add_parameter(g, module, entry[i]->d_name, value);
		free(entry[i]);
	}
	free(entry);
	return rc;
}

enum rc host_gather_parameters(struct gather *g)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]) && rc == RC_OK; i++)
		rc = gather_module(g, modules[i]);
	if (rc == RC_OK && g->facts->small.parameters.count == 0)
		rc = gather_gap(g, "parameters", "no kvm module under /sys/module");
	return rc;
}

/* ---- CPUID */

/* SDM, APM 8000_0008h: EAX[7:0] physical, EAX[15:8] linear address bits */
static enum rc gather_address_bits(struct gather *g)
{
	static const char *const names[] = { "physical_address_bits",
		"linear_address_bits", NULL };
	const struct register_set *set = g->facts->registers[BODY_host].sets.item;
	const struct leaf *leaf = set->leaves.item;

	for (size_t i = 0; i < set->leaves.count; i++)
		if (leaf[i].function == 0x80000008) {
			g->facts->small.physical_address_bits = leaf[i].eax & 0xff;
			g->facts->small.linear_address_bits = leaf[i].eax >> 8 & 0xff;
			return RC_OK;
		}
	return gather_gaps(g, names, "CPUID has no leaf 0x80000008");
}

static enum rc gather_unread(struct gather *g, const struct cpu_list *unread, int reason)
{
	char *list;

	if (cpu_list_count(unread) == 0)
		return RC_OK;
	list = cpu_list_text(unread, g->arena);
	if (!list)
		return err_memory(g->e);
	return gather_gap(g, "host_cpus",
		"CPUs %s are online but this process cannot run there: %s", list,
		strerror(reason));
}

static enum rc gather_missing_cpuid(struct gather *g, const char *reason)
{
	static const char *const names[] = { "host", "physical_address_bits",
		"linear_address_bits", NULL };

	return gather_gaps(g, names, reason);
}

enum rc host_gather_cpuid(struct gather *g)
{
	struct cores_affinity *saved;
	struct cpu_list unread;
	struct cores cores;
	int reason;
	enum rc rc = cores_hardware(&cores, g->e);

	g->facts->small.cpus = rc == RC_OK ? cpu_list_count(&cores.online) : 0;
	if (rc == RC_OK)
		rc = cores_affinity_save(&saved, g->arena, g->e);
	if (rc == RC_OK) {
		rc = cores_read(&cores, g->arena, &g->facts->registers[BODY_host],
			&unread, &reason, g->e);
		cores_affinity_restore(saved);
	}
	if (rc == RC_MEMORY)
		return rc;
	if (rc != RC_OK)
		return gather_missing_cpuid(g, g->e->text);
	g->facts->present[BODY_host] = true;
	rc = gather_address_bits(g);
	return rc == RC_OK ? gather_unread(g, &unread, reason) : rc;
}
