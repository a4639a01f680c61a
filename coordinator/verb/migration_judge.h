/* migration_judge.h - did a trial guest really survive its migration?
 *
 * Pure.  That libvirt says so is not enough: migrations were seen to end well for libvirt
 * with guests that had panicked or rebooted.  A guest that ran must be there, alive, have
 * counted on, and read the CPUID that it read before; a paused one must be there, and
 * QEMU must show it the same CPU.  What is not known is not well.
 */
#ifndef COORDINATOR_MIGRATION_JUDGE_H
#define COORDINATOR_MIGRATION_JUDGE_H

#include "coordinator/report/report.h"

/* What is known beside the three answers of a migration. */
struct migration_case {
	const char *source_trouble, *target_trouble; /* errors of the nodes; "" */
	const struct facts *source, *target;	     /* NULL: not known */
	const struct catalogue *catalogue;
	enum virt_type virt;
	bool bare_maxphysaddr; /* the guest's <cpu> states no width of addresses */
	uint32_t limit_s;
};

/* Fills ok, ran, why and cause of *m from its source, target, before, migrated and met.
 * RC_MEMORY. */
enum rc migration_judge(struct report_migration *m, const struct migration_case *c,
	struct arena *arena, struct err *e);

#endif
