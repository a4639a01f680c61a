/* cpu_map.h - a level as a model of libvirt's cpu_map, and the line of its index.
 *
 * The model says all its features itself and inherits from none: an ancestor can only
 * be added to, and the same name means other features in another version's map.
 */
#ifndef COORDINATOR_RENDER_CPU_MAP_H
#define COORDINATOR_RENDER_CPU_MAP_H

#include "base/buf.h"
#include "coordinator/cpu/level.h"

/* RC_TARGET: not a name for a model, or one that libvirt or QEMU gives a meaning. */
enum rc cpu_map_check_name(const char *name, struct err *e);

/* A whole file, with the features that `said` has of the level.  libvirt never picks
 * the model by itself: decode is off for hosts and for guests.  RC_LIMIT, RC_MEMORY. */
enum rc cpu_map_render_model(struct buf *out, const struct catalogue *c,
	const struct level *l, const struct bitset *said, const char *name,
	struct arena *scratch, struct err *e);

/* The index with one more line, the include of the model's file as the last of those
 * for x86 (what a model needs must stand before it), or with the same bytes where that
 * include is there.  An index that is not laid out as libvirt's has always been is
 * RC_TARGET, and so is one that has a model of that name from elsewhere: it is not
 * guessed at. */
enum rc cpu_map_render_index(
	struct buf *out, struct bytes index, const char *name, struct err *e);

#endif
