/* libvirt.h - a level as a libvirt <cpu> element, the content of the stanza place.
 *
 * Equal levels give equal bytes: no dates, no names of nodes.
 */
#ifndef COORDINATOR_RENDER_LIBVIRT_H
#define COORDINATOR_RENDER_LIBVIRT_H

#include "base/buf.h"
#include "coordinator/cpu/level.h"

/* <cpu mode='custom' match='exact' check='partial'> with model
 * (fallback='forbid'), vendor, maxphysaddr and features, ending in a newline. */
enum rc render_libvirt_cpu(struct buf *out, const struct level *l, struct err *e);

#endif
