/* libvirt_map.h - what libvirt makes of the cpu_map that this process sees.
 *
 * libvirt reads its map once in the life of a process, so this is for a child that ends
 * afterwards.  (The peer itself asks daemons: for that the library needs no map.)  No
 * daemon is asked here: the driver "test" lives in the library, and reads the same
 * files.
 */
#ifndef PEER_LIBVIRT_MAP_H
#define PEER_LIBVIRT_MAP_H

#include "base/buf.h"

/* Appends lines: "model NAME" for each model that there is and, where `model` is one of
 * them, "feature NAME" for each feature that it stands for.  RC_LIBVIRT with libvirt's
 * words: it cannot be loaded, or cannot read the map; RC_LIMIT, RC_MEMORY. */
enum rc libvirt_map_list(struct buf *out, const char *model, struct err *e);

#endif
