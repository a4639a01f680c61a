/* proof.h - guests that should have one CPU: what they really show, held against each
 * other word by word, and against the level.
 *
 * What is compared: each bit of CPUID that QEMU will show, each property of QEMU's CPU,
 * and libvirt's live <cpu>.  Not compared is what is the node's own and no <cpu> can
 * state: the frequency of the TSC (conditions.h has its rule), and KVM's leaf 0x40000001,
 * whose differences are notes.  docs/truth.md has the reasons.
 *
 * With a level, a feature is held against it, on every node; all else against what most
 * nodes show: the smaller group is named, of groups that are equally large each one.  The
 * verdict does not depend on the order of the trials; equal ones are compared once.
 */
#ifndef COORDINATOR_PROOF_H
#define COORDINATOR_PROOF_H

#include "coordinator/cpu/level.h"
#include "proto/message.h"

/* One node's guest, of which all is known (proof_check()). */
struct proof_trial {
	const struct tried *tried;
	uint64_t libvirt, qemu; /* versions of the node's: struct source_row */
};

struct proof_difference {
	const char *what;    /* "CPUID 0x7/0 EBX bit 19", "l3-cache", "<cpu>" */
	const char *feature; /* libvirt's name of it; "" */
	const size_t *trials;
	size_t trial_count;
	const char *is, *wanted; /* what these show; the others, or the level */
	bool of_level;		 /* what is wanted: by it; */
	bool of_asked;		 /* by the guest's own <cpu>; else by what most show */
};

/* What is worth to know and no difference. */
struct proof_note {
	const char *text;
	const size_t *trials; /* none: about all */
	size_t trial_count;
};

struct proof {
	struct proof_difference *differences;
	size_t count;
	struct proof_note *notes;
	size_t note_count;
	struct bitset *lacks; /* by trial: features of the level that its guest has not */
	size_t words, properties; /* that were compared */
};

/* Is what a node said of its guest whole and in order?  RC_TRIAL: QEMU's view is not all
 * there; RC_PROTOCOL, RC_FACTS: it is not what it should be. */
enum rc proof_check(const struct tried *t, struct err *e);

/* Is a property of QEMU's CPU one of the guest's?  Others are the node's own. */
bool proof_compares(const char *property);

/* Compares them, level NULL: with each other alone.  All that is in *out lives in the
 * arena.  RC_MEMORY, or as proof_check(). */
enum rc proof_make(const struct catalogue *c, const struct proof_trial *trials, size_t n,
	const struct level *level, struct arena *arena, struct proof *out, struct err *e);

#endif
