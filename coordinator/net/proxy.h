/* proxy.h - the way to a node through a command (ProxyCommand).
 *
 * `/bin/sh -c "exec COMMAND"` gets one end of a socket pair as its standard input and
 * output; the session has the other end.  What it prints on standard error is kept for the
 * error text.  It is a session and process group of its own, so that it neither asks on
 * our terminal nor hears our Ctrl-C, and ends (SIGTERM to the group) with the connection.
 */
#ifndef COORDINATOR_PROXY_H
#define COORDINATOR_PROXY_H

#include "coordinator/net/session.h"

/* For world_sockets.c: as the world's operations, for a session with a ProxyCommand. */
enum rc proxy_dial(struct session *s, struct err *e);
void proxy_hang_up(struct session *s);
void proxy_explain(struct session *s);

/* Waits for all that were ended, and kills those that do not obey. */
void proxies_close(struct world *w);

#endif
