/* migration_cpu.h - the CPU of one guest before and after it moved.  Pure. */
#ifndef COORDINATOR_MIGRATION_CPU_H
#define COORDINATOR_MIGRATION_CPU_H

#include "coordinator/cpu/level.h"
#include "proto/message.h"

/* Registers of CPUID from lists of struct leaf, or of struct cpu_word; one that is not
 * listed counts as 0.  *what: the first that differs ("CPUID 0x7/0 EBX: 0x1 before, 0x3
 * after (tsc_adjust)"), ""; RC_MEMORY. */
enum rc migration_leaves_differ(const struct list *before, const struct list *after,
	struct arena *arena, const char **what, struct err *e);
enum rc migration_words_differ(const struct list *before, const struct list *after,
	struct arena *arena, const char **what, struct err *e);

/* The same of QEMU's properties (struct cpu_property) that both lists have: QEMUs of two
 * versions have not the same ones.  Those of the node alone are not compared (proof.h). */
enum rc migration_properties_differ(const struct list *before, const struct list *after,
	struct arena *arena, const char **what, struct err *e);

/* Features that were asked for, and that QEMU does not show, by words: their names, or
 * their place where they have none; "". */
enum rc migration_taken_away(
	const struct list *words, struct arena *arena, const char **what, struct err *e);

/* Also of libvirt's live <cpu>: equal is what means the same, or gives the same
 * features by the catalogue (versions of libvirt write down more or less). */
enum rc migration_xml_differs(const struct catalogue *c, enum virt_type virt,
	const char *before, const char *after, struct arena *arena, const char **what,
	struct err *e);

#endif
