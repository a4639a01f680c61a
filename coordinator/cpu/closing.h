/* closing.h - what must be said beside a model's name, so that nothing is left to a
 * node's own idea of it.
 *
 * Each program (libvirt, QEMU with KVM, QEMU with TCG, each in its versions) gives the
 * name a definition.  A closed model requires each baseline feature that some
 * definition lacks and disables each other one that any of them holds.
 */
#ifndef COORDINATOR_CLOSING_H
#define COORDINATOR_CLOSING_H

#include "coordinator/cpu/catalogue.h"

/* What holds for all offers together. */
struct common {
	enum virt_type virt;
	const char *vendor;
	struct bitset baseline;
	struct bitset names;	  /* features that every node's libvirt can spell */
	struct bitset model_rows; /* models that every node knows */
};

struct closing {
	const struct model_row *model;
	struct bitset require, disable;
	size_t elements; /* of both */
};

/* False when the model cannot be closed with names that every node's libvirt knows,
 * or no QEMU of the virt type is known to have it. */
bool closing_of(
	const struct model_row *m, const struct common *common, struct closing *out);

#endif
