/* reach.h - why a target cannot be reached from here, in plain words.
 *
 * Asked after a migration failed: libvirt's own words may say no more than that a
 * connection could not be made, or nothing at all.  The resolver may hang, so callers ask
 * in a child.
 *
 * The port that a guest's memory goes to is never tried: a QEMU that waits there takes one
 * connection, and that may be the migration of somebody's guest.  But where a firewall
 * drops what goes there, libvirt waits for minutes, and deaf to all that it is told of the
 * guest; the kernel shows this in its table of connections.
 */
#ifndef PEER_REACH_H
#define PEER_REACH_H

#include "base/arena.h"
#include "proto/remote_uri.h"

/* Where QEMU listens for guests, unless qemu.conf has another migration_port_min and max. */
enum { REACH_PORT_MIN = 49152, REACH_PORT_MAX = 49215, REACH_LIMIT_MS = 5000 };

/* "node02 does not resolve here: Name or service not known", "10.0.0.2 port 16509:
 * Connection refused", "... no answer within 5 s".  "" when a connection was accepted; NULL
 * when memory is short.  Takes REACH_LIMIT_MS at most, and what the resolver takes. */
const char *reach_look(const struct remote_uri *target, struct arena *arena);

/* "10.0.0.2 port 49152, where the guest's memory goes: no answer yet", where a connection
 * to that port (0: to one of those of QEMU's) is not answered.  "" where there is none;
 * NULL when memory is short.  The table is /proc/net/tcp or tcp6. */
const char *reach_waits(const char *table, uint32_t port, struct arena *arena);

#endif
