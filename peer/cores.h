/* cores.h - CPUID on every logical CPU, equal ones once.
 *
 * CPUs of one machine can differ (hybrids; firmware that forgot a core), so each
 * one is asked, by moving the calling thread there.
 */
#ifndef PEER_CORES_H
#define PEER_CORES_H

#include "peer/cpuid.h"
#include "proto/limits.h"

/* A set of logical CPUs. */
struct cpu_list {
	uint8_t bit[LIMIT_CPUS / 8];
};

/* Reads "0-3,8"; false when it is not such a list or names a CPU above
 * LIMIT_CPUS.  Blanks at the end (a newline) are allowed; "" is empty. */
bool cpu_list_parse(struct cpu_list *out, const char *text);

/* Writes it back; NULL when memory is short. */
char *cpu_list_text(const struct cpu_list *list, struct arena *arena);

bool cpu_list_has(const struct cpu_list *list, unsigned cpu);
void cpu_list_add(struct cpu_list *list, unsigned cpu);
unsigned cpu_list_count(const struct cpu_list *list);

struct cores {
	struct cpuid_reader reader;
	struct cpu_list online;
	/* Goes on on that CPU; 0 or an errno. */
	int (*move_to)(void *context, unsigned cpu);
	void *context;
};

/* Fills out->sets, one per kind in the order of their first CPU, and *unread
 * with the online CPUs that could not be moved to (outside of a cpuset, gone
 * offline); *reason is the errno of the first of them.
 * RC_LIMIT past LIMIT_CPU_KINDS, RC_FACTS when no CPU could be read. */
enum rc cores_read(const struct cores *cores, struct arena *arena, struct registers *out,
	struct cpu_list *unread, int *reason, struct err *e);

/* The machine itself: what /sys says is online (else what the process may run
 * on), sched_setaffinity(2). */
enum rc cores_hardware(struct cores *out, struct err *e);

/* The affinity of the calling thread, to give it back after cores_read(). */
struct cores_affinity;
enum rc cores_affinity_save(
	struct cores_affinity **out, struct arena *arena, struct err *e);
void cores_affinity_restore(const struct cores_affinity *saved);

#endif
