/* agent.h - is there an ssh-agent that answers?  Found out once and before any node
 * is asked: libssh2 talks to it with calls that block, so one that hangs (forwarded,
 * over a connection that died) would hang the whole run, deaf to deadlines and Ctrl-C.
 */
#ifndef COORDINATOR_AGENT_H
#define COORDINATOR_AGENT_H

#include <stdint.h>

#include "base/err.h"

/* Asks the agent of SSH_AUTH_SOCK for its list of keys.  RC_AUTH: there is none, or it
 * makes no sense; RC_TIMEOUT: it is there and says nothing. */
enum rc agent_check(uint32_t patience_ms, struct err *e);

#endif
