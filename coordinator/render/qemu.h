/* qemu.h - features as QEMU spells them, for those who hand them to it. */
#ifndef COORDINATOR_RENDER_QEMU_H
#define COORDINATOR_RENDER_QEMU_H

#include "coordinator/render/writing.h"

/* QEMU's property of a feature; NULL when it has none, or nobody knows. */
const char *qemu_property(const struct catalogue *c, const char *feature);

/* RC_FORMAT, naming them, when a required feature has no property, or one to be
 * disabled is not known at all.  (No QEMU can switch on what it has no property for: to
 * disable that, nothing needs to be said.) */
enum rc qemu_check(struct writing *w, struct err *e);

#endif
