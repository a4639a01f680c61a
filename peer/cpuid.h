/* cpuid.h - all CPUID leaves and sub-leaves of one logical CPU.
 *
 * The walk (leaves.h) is a pure function over a reader, so that tests hand it
 * machines of their own; cpuid_hardware() is the one reader that executes the
 * instruction.
 * The answers are raw, with one exception: fields that name the individual CPU
 * (its APIC id, ...) are zero, because they make no difference between CPUs and
 * would give each node registers of its own.
 */
#ifndef PEER_CPUID_H
#define PEER_CPUID_H

#include "base/err.h"
#include "peer/leaves.h"
#include "proto/message.h"

/* The CPUID instruction on the CPU that runs the caller.  If the process has a
 * function cpuherd_lab_cpuid() (a test lab preloads it), that answers instead.
 * RC_FACTS on machines without CPUID. */
enum rc cpuid_hardware(struct cpuid_reader *out, struct err *e);

/* Fills *leaves with struct leaf, in the order of leaves_walk().  RC_FACTS when leaf 0 makes no sense. */
enum rc cpuid_walk(const struct cpuid_reader *reader, struct arena *arena,
	struct list *leaves, struct err *e);

/* Clears the fields of one answer that name the individual CPU. */
void cpuid_mask(struct leaf *leaf);

/* Do two walks show the same kind of CPU? */
bool cpuid_equals(const struct list *a, const struct list *b);

#endif
