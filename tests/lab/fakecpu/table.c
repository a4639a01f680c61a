#include "table.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS_MAX = 1024, MSRS_MAX = 64, KINDS_MAX = 16, DIE_STATUS = 97 };

/* Static: the library lives in every program of a node, and most never ask. */
static struct table_row rows[3][ROWS_MAX];
static struct table_msr msrs[3][MSRS_MAX];
static struct table_kind kinds[3][KINDS_MAX];
static struct table table;
static pthread_once_t once = PTHREAD_ONCE_INIT;

void table_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("fakecpu: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	_exit(DIE_STATUS);
}

bool table_path(const char *name, char *path, size_t size)
{
	Dl_info me;
	const char *slash;
	int n;

	if (!dladdr(&table, &me) || !(slash = strrchr(me.dli_fname, '/')))
		return false;
	n = snprintf(
		path, size, "%.*s/%s", (int)(slash - me.dli_fname), me.dli_fname, name);
	return n > 0 && (size_t)n < size;
}

struct reader {
	const char *path;
	unsigned line;
	struct table_source *source;
};

static void refuse(const struct reader *r, const char *why)
{
	table_die("%s:%u: %s", r->path, r->line, why);
}

static void read_source(struct reader *r, const char *rest)
{
	char name[16] = "";

	sscanf(rest, "%15s", name);
	if (!strcmp(name, "host"))
		r->source = &table.host;
	else if (!strcmp(name, "kvm"))
		r->source = &table.kvm;
	else if (!strcmp(name, "emulated"))
		r->source = &table.emulated;
	else
		refuse(r, "unknown source");
}

/* "0-3,8": the bits of those CPUs; the lab's machines have no more than 64. */
static uint64_t read_cpu_list(struct reader *r, const char *text)
{
	uint64_t cpus = 0;

	for (char *end; *text && *text != '\n'; text = end + (*end == ',')) {
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (end != text && *end == '-')
			last = strtoul(end + 1, &end, 10);
		if (end == text || last > 63 || first > last)
			refuse(r, "bad CPU list");
		for (unsigned long cpu = first; cpu <= last; cpu++)
			cpus |= UINT64_C(1) << cpu;
		while (*end == ' ' || *end == '\t' || *end == '\r')
			end++;
	}
	return cpus;
}

static void open_kind(struct reader *r, uint64_t cpus)
{
	struct table_source *s = r->source;

	if (s->kind_count == KINDS_MAX)
		refuse(r, "too many kinds of CPU");
	s->kinds[s->kind_count++] = (struct table_kind){ .cpus = cpus,
		.first = s->row_count };
}

static void read_cpu(struct reader *r, const char *rest)
{
	open_kind(r, read_cpu_list(r, rest + strspn(rest, " \t")));
}

static void read_cpuid(struct reader *r, const char *rest)
{
	struct table_source *s = r->source;
	struct table_row row;

	if (sscanf(rest, "%x %x %x %x %x %x", &row.leaf, &row.index, &row.r[0], &row.r[1],
		    &row.r[2], &row.r[3]) != 6)
		refuse(r, "a cpuid line has six numbers: leaf subleaf eax ebx ecx edx");
	if (s->row_count == ROWS_MAX)
		refuse(r, "too many cpuid lines");
	if (s->kind_count == 0)
		open_kind(r, 0);
	s->rows[s->row_count++] = row;
	s->kinds[s->kind_count - 1].count++;
}

static void read_msr(struct reader *r, const char *rest)
{
	struct table_source *s = r->source;
	struct table_msr msr;

	if (sscanf(rest, "%x %lx", &msr.number, &msr.value) != 2)
		refuse(r, "an msr line has two numbers: number value");
	if (s->msr_count == MSRS_MAX)
		refuse(r, "too many msr lines");
	s->msrs[s->msr_count++] = msr;
}

static void read_fact(struct reader *r, const char *rest)
{
	(void)r;
	sscanf(rest, " microcode %31s", table.microcode);
}

/* The words that say something about the CPU; all others belong to the peer. */
static const struct {
	const char *word;
	void (*read)(struct reader *r, const char *rest);
} words[] = {
	{ "source", read_source },
	{ "cpu", read_cpu },
	{ "cpuid", read_cpuid },
	{ "msr", read_msr },
	{ "fact", read_fact },
};

static void read_line(struct reader *r, const char *line)
{
	line += strspn(line, " \t");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);

		if (!strncmp(line, words[i].word, n) &&
			(line[n] == ' ' || line[n] == '\t'))
			words[i].read(r, line + n);
	}
}

static void table_read(void)
{
	struct table_source *sources[] = { &table.host, &table.kvm, &table.emulated };
	char path[512], line[4096];
	struct reader r = { .path = path, .source = &table.host };
	FILE *f;

	for (int i = 0; i < 3; i++)
		*sources[i] = (struct table_source){
			.rows = rows[i], .msrs = msrs[i], .kinds = kinds[i]
		};
	if (!table_path("cpu.facts", path, sizeof(path)))
		table_die("the library does not know its own folder");
	if (!(f = fopen(path, "re")))
		table_die("%s: %s", path, strerror(errno));
	for (r.line = 1; fgets(line, sizeof(line), f); r.line++)
		read_line(&r, line);
	fclose(f);
	if (table.host.row_count == 0)
		table_die("%s: no cpuid line under `source host`", path);
}

const struct table *table_get(void)
{
	pthread_once(&once, table_read);
	return &table;
}

bool table_leaf_is_indexed(uint32_t leaf)
{
	static const uint32_t indexed[] = { 0x4, 0x7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14,
		0x17, 0x18, 0x1d, 0x1e, 0x1f, 0x20, 0x23, 0x24, 0x8000001d, 0x80000020,
		0x80000026 };

	for (size_t i = 0; i < sizeof(indexed) / sizeof(indexed[0]); i++)
		if (indexed[i] == leaf)
			return true;
	return false;
}

/* The caller has pinned itself if it wants one certain CPU. */
static const struct table_kind *kind_of_this_cpu(const struct table_source *s)
{
	int cpu = s->kind_count > 1 ? sched_getcpu() : -1;

	for (size_t i = 0; cpu >= 0 && cpu < 64 && i < s->kind_count; i++)
		if (s->kinds[i].cpus >> cpu & 1)
			return &s->kinds[i];
	return &s->kinds[0];
}

void table_cpuid(uint32_t leaf, uint32_t index, uint32_t r[4])
{
	const struct table_source *s = &table_get()->host;
	const struct table_kind *kind = kind_of_this_cpu(s);
	const struct table_row *row = s->rows + kind->first;

	if (!table_leaf_is_indexed(leaf))
		index = 0;
	memset(r, 0, 4 * sizeof(*r));
	for (size_t i = 0; i < kind->count; i++, row++)
		if (row->leaf == leaf && row->index == index)
			memcpy(r, row->r, sizeof(row->r));
}

bool table_msr(const struct table_source *s, uint32_t number, uint64_t *value)
{
	for (size_t i = 0; i < s->msr_count; i++)
		if (s->msrs[i].number == number) {
			*value = s->msrs[i].value;
			return true;
		}
	return false;
}
