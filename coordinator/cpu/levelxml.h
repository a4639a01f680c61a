/* levelxml.h - a level read back from the <cpu> that cpuherd wrote. */
#ifndef COORDINATOR_LEVELXML_H
#define COORDINATOR_LEVELXML_H

#include "coordinator/cpu/level.h"

/* Reads a <cpu> as a level for guests of the virt type.  The baseline is what the
 * text requires and what all definitions of its model agree on, without what it
 * disables and what then has no ground to stand on.
 *
 * The text does not say which names and models the nodes know: out->names are those that
 * every libvirt of the catalogue knows and those of the text, out->model_rows what all
 * know and the text's own.  *open is what some definition adds to the baseline and the
 * text, with these names, could have disabled: where it is not empty, the level is not
 * closed.
 *
 * RC_INPUT when it is no level: no model, one that the catalogue or every QEMU of that
 * type lacks, another vendor than the model's, a feature named twice.  `what` names the
 * text in errors. */
enum rc levelxml_read(struct catalogue *c, const char *xml, const char *what,
	enum virt_type virt, struct arena *arena, struct level *out, struct bitset *open,
	struct err *e);

#endif
