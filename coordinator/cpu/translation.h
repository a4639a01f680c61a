/* translation.h - what a guest really gets that names a model of our own.
 *
 * QEMU does not know such a model.  libvirt puts one in its place that QEMU knows, by
 * its usual choice (libvirt_choice.h), says the features that this one lacks, and takes
 * out what *libvirt* thinks that it has besides (libvirt src/cpu/cpu_x86.c,
 * virCPUx86Translate).  What QEMU's own definition has or lacks against libvirt's stays
 * unsaid: there the guest is not the agreed CPU.  And each pair of libvirt and QEMU may
 * choose another model.
 */
#ifndef COORDINATOR_TRANSLATION_H
#define COORDINATOR_TRANSLATION_H

#include "coordinator/cpu/level.h"

struct translation {
	const struct model_row *model; /* put in its place; NULL: none can be */
	const struct model_row *other; /* put there by some other pair; NULL: none */
	struct bitset said;	       /* what the map's model can say of the level */
	struct bitset adds, lacks;     /* by some pair, against the level */
};

/* Over all libvirts and QEMUs that may apply on some node.  Where nothing is added by
 * the model that is chosen, no host's own limits can change the choice: they only make
 * the others dearer. */
struct translation translation_of(const struct level *l);

/* The guest is the agreed CPU on every node. */
bool translation_is_true(const struct translation *t);

#endif
