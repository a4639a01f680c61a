/* closing.h - what must be said beside a model's name, so that nothing is left to a
 * node's own idea of it.
 *
 * Each program (libvirt, QEMU with KVM, QEMU with TCG, each in its versions) gives the
 * name a definition.  A closed model requires each baseline feature that some
 * definition lacks and disables each other one that any of them holds: of all versions,
 * because a node may be upgraded tomorrow.
 */
#ifndef COORDINATOR_CLOSING_H
#define COORDINATOR_CLOSING_H

#include "coordinator/cpu/catalogue.h"

/* What holds for all offers together. */
struct common {
	enum virt_type virt;
	const char *vendor;
	struct bitset baseline;
	struct bitset floating;	  /* on wherever the model has them, on every node */
	struct bitset names;	  /* features that every node's libvirt can spell */
	struct bitset model_rows; /* models that every node knows */
	uint32_t sources;	  /* of the catalogue, that may apply on some node */
};

struct closing {
	const struct model_row *model;
	struct bitset require, disable;
	size_t elements; /* of both */
	/* Controls of vmx that a definition holds and the baseline does not, and that
	 * cannot be named on every node.  They matter to a guest that runs guests. */
	struct bitset unsaid;
};

/* False when no QEMU of the virt type is known to have the model, or when a definition
 * that may apply on a node makes it say a name that not every node's libvirt knows.
 * (A name that only the definition of a version asks for that no node has is left
 * out.) */
bool closing_of(
	const struct model_row *m, const struct common *common, struct closing *out);

/* What the definitions that may apply on a node (common->sources) hold besides the
 * baseline: a guest there has it unless a level switches it off. */
struct bitset closing_adds(const struct model_row *m, const struct common *common);

#endif
