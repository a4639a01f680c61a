#include "peer/cores.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists of CPUs */

bool cpu_list_has(const struct cpu_list *list, unsigned cpu)
{
	return cpu < LIMIT_CPUS && (list->bit[cpu / 8] >> cpu % 8 & 1);
}

void cpu_list_add(struct cpu_list *list, unsigned cpu)
{
	list->bit[cpu / 8] |= (uint8_t)(1U << cpu % 8);
}

unsigned cpu_list_count(const struct cpu_list *list)
{
	unsigned n = 0;

	for (unsigned cpu = 0; cpu < LIMIT_CPUS; cpu++)
		n += cpu_list_has(list, cpu);
	return n;
}

/* A CPU number at *text, which moves behind it. */
static bool number_take(const char **text, unsigned *cpu)
{
	unsigned long value;
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	value = strtoul(*text, &end, 10);
	*text = end;
	*cpu = (unsigned)value;
	return value < LIMIT_CPUS;
}

bool cpu_list_parse(struct cpu_list *out, const char *text)
{
	unsigned first, last;

	*out = (struct cpu_list){ { 0 } };
	while (*text && *text != '\n') {
		if (!number_take(&text, &first))
			return false;
		last = first;
		if (*text == '-' && (text++, !number_take(&text, &last)))
			return false;
		if (last < first)
			return false;
		for (unsigned cpu = first; cpu <= last; cpu++)
			cpu_list_add(out, cpu);
		if (*text == ',' && text[1] >= '0' && text[1] <= '9')
			text++;
		else if (*text && *text != '\n')
			return false;
	}
	return text[strspn(text, " \n")] == '\0';
}

char *cpu_list_text(const struct cpu_list *list, struct arena *arena)
{
	/* longest when every third is missing: "8190-8191," for three CPUs */
	char text[LIMIT_CPUS * 4] = "", *at = text;

	for (unsigned cpu = 0; cpu < LIMIT_CPUS; cpu++) {
		unsigned first = cpu;

		if (!cpu_list_has(list, cpu))
			continue;
		while (cpu_list_has(list, cpu + 1))
			cpu++;
		if (first == cpu)
			at += sprintf(at, "%s%u", at == text ? "" : ",", first);
		else
			at += sprintf(at, "%s%u-%u", at == text ? "" : ",", first, cpu);
	}
	return arena_text(arena, text);
}

/* ---- kinds of CPU */

struct kinds {
	struct register_set set[LIMIT_CPU_KINDS];
	struct cpu_list cpus[LIMIT_CPU_KINDS];
	size_t count;
};

static enum rc kinds_add(
	struct kinds *kinds, unsigned cpu, const struct list *leaves, struct err *e)
{
	size_t i = 0;

	while (i < kinds->count && !cpuid_equals(&kinds->set[i].leaves, leaves))
		i++;
	if (i == LIMIT_CPU_KINDS)
		return err_set(e, RC_LIMIT, 0, "more than %d kinds of CPU in one machine",
			LIMIT_CPU_KINDS);
	if (i == kinds->count) {
		kinds->set[i].leaves = *leaves;
		kinds->count++;
	}
	cpu_list_add(&kinds->cpus[i], cpu);
	return RC_OK;
}

/* Walks one CPU; what is equal to a known kind goes with the scratch arena. */
static enum rc read_here(const struct cores *cores, unsigned cpu, struct kinds *kinds,
	struct arena *arena, struct err *e)
{
	struct arena scratch = { 0 };
	size_t before = kinds->count;
	struct list leaves, *kept;
	enum rc rc = cpuid_walk(&cores->reader, &scratch, &leaves, e);

	if (rc == RC_OK)
		rc = kinds_add(kinds, cpu, &leaves, e);
	if (rc == RC_OK && kinds->count > before) {
		kept = &kinds->set[before].leaves;
		kept->item = arena_alloc(arena, leaves.count, sizeof(struct leaf));
		if (kept->item)
			memcpy(kept->item, leaves.item,
				leaves.count * sizeof(struct leaf));
		else
			rc = err_memory(e);
	}
	arena_destroy(&scratch);
	return rc;
}

static enum rc kinds_finish(
	struct kinds *kinds, struct arena *arena, struct registers *out, struct err *e)
{
	for (size_t i = 0; i < kinds->count; i++) {
		kinds->set[i].cpus = cpu_list_text(&kinds->cpus[i], arena);
		if (!kinds->set[i].cpus)
			return err_memory(e);
	}
	out->sets = (struct list){ kinds->set, kinds->count };
	return RC_OK;
}

enum rc cores_read(const struct cores *cores, struct arena *arena, struct registers *out,
	struct cpu_list *unread, int *reason, struct err *e)
{
	struct kinds *kinds = arena_alloc(arena, 1, sizeof(*kinds));
	enum rc rc = RC_OK;

	if (!kinds)
		return err_memory(e);
	*unread = (struct cpu_list){ { 0 } };
	*reason = 0;
	for (unsigned cpu = 0; cpu < LIMIT_CPUS && rc == RC_OK; cpu++) {
		int problem;

		if (!cpu_list_has(&cores->online, cpu))
			continue;
		problem = cores->move_to(cores->context, cpu);
		if (problem) {
			cpu_list_add(unread, cpu);
			*reason = *reason ? *reason : problem;
			continue;
		}
		rc = read_here(cores, cpu, kinds, arena, e);
	}
	if (rc == RC_OK && kinds->count == 0)
		rc = err_set(e, RC_FACTS, *reason, "no CPU could be run on: %s",
			strerror(*reason));
	return rc == RC_OK ? kinds_finish(kinds, arena, out, e) : rc;
}

/* ---- the machine itself */

struct cores_affinity {
	size_t size;
	cpu_set_t *set; /* CPU_ALLOC_SIZE(LIMIT_CPUS) bytes: more than cpu_set_t's 1024 */
};

enum rc cores_affinity_save(
	struct cores_affinity **out, struct arena *arena, struct err *e)
{
	struct cores_affinity *saved = arena_alloc(arena, 1, sizeof(*saved));

	if (!saved)
		return err_memory(e);
	saved->size = CPU_ALLOC_SIZE(LIMIT_CPUS);
	saved->set = arena_alloc(arena, saved->size, 1);
	if (!saved->set)
		return err_memory(e);
	if (sched_getaffinity(0, saved->size, saved->set) != 0)
		return err_set(
			e, RC_FACTS, errno, "sched_getaffinity: %s", strerror(errno));
	*out = saved;
	return RC_OK;
}

void cores_affinity_restore(const struct cores_affinity *saved)
{
	/* a CPU of it may have gone offline; the kernel keeps what is left */
	(void)sched_setaffinity(0, saved->size, saved->set);
}

static int move_thread(void *context, unsigned cpu)
{
	uint8_t memory[LIMIT_CPUS / 8] __attribute__((aligned(sizeof(long)))) = { 0 };
	cpu_set_t *set = (cpu_set_t *)(void *)memory;

	(void)context;
	CPU_SET_S(cpu, sizeof(memory), set);
	return sched_setaffinity(0, sizeof(memory), set) == 0 ? 0 : errno;
}

/* False when /sys does not tell. */
static bool online_of_sys(struct cpu_list *out)
{
	char text[4096];
	FILE *f = fopen("/sys/devices/system/cpu/online", "re");
	bool read;

	if (!f)
		return false;
	read = fgets(text, sizeof(text), f) != NULL;
	fclose(f);
	return read && cpu_list_parse(out, text) && cpu_list_count(out) > 0;
}

enum rc cores_hardware(struct cores *out, struct err *e)
{
	struct arena scratch = { 0 };
	struct cores_affinity *mine;
	enum rc rc = cpuid_hardware(&out->reader, e);

	out->move_to = move_thread;
	out->context = NULL;
	if (rc != RC_OK || online_of_sys(&out->online))
		return rc;
	rc = cores_affinity_save(&mine, &scratch, e);
	out->online = (struct cpu_list){ { 0 } };
	for (unsigned cpu = 0; rc == RC_OK && cpu < LIMIT_CPUS; cpu++)
		if (CPU_ISSET_S(cpu, mine->size, mine->set))
			cpu_list_add(&out->online, cpu);
	arena_destroy(&scratch);
	return rc;
}
