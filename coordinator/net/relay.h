/* relay.h - one connection to a jump host, and the tunnels that it carries.
 *
 * libssh2 opens one channel of a connection after the other, and while one packet is half
 * sent the same call must come first: the relay keeps to both.
 */
#ifndef COORDINATOR_RELAY_H
#define COORDINATOR_RELAY_H

#include "coordinator/net/tunnel.h"

/* sshd's own limit of open files is 1024 where nobody changed it. */
enum { RELAY_TUNNELS_MAX = 400 };

struct relay {
	struct session session;
	struct arena arena; /* the session's */
	struct bastion *bastion;
	struct tunnel *tunnels;
	size_t count;
	struct tunnel *opening; /* of these, the one that is being opened */
	uint64_t opening_since_ms;
	struct tunnel *half;	/* whose packet is half sent, */
	enum tunnel_op half_op; /* by this */
	bool up;		/* it was logged in */
	bool over;		/* its session is being taken apart */
	struct relay *next;
};

/* For session_common.relay. */
enum rc relay_run(struct session *s);

/* Lets it run soon. */
void relay_rouse(struct relay *r);

#endif
