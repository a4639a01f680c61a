/* reach.h - why a target cannot be reached from here, in plain words.
 *
 * Asked after a migration failed: libvirt's own words may say no more than that a
 * connection could not be made.  The resolver may hang, so callers ask in a child.
 */
#ifndef PEER_REACH_H
#define PEER_REACH_H

#include "base/arena.h"
#include "peer/remote_uri.h"

enum { REACH_LIMIT_MS = 5000 };

/* "node02 does not resolve here: Name or service not known", "10.0.0.2 port 16509:
 * Connection refused", "... no answer within 5 s".  "" when a connection was accepted; NULL
 * when memory is short.  Takes REACH_LIMIT_MS at most, and what the resolver takes. */
const char *reach_look(const struct remote_uri *target, struct arena *arena);

#endif
