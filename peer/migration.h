/* migration.h - a trial guest sent to another node, and why that did not work.
 *
 * libvirt's calls cannot be given an end, so each is made in a child (child.h) with a
 * connection of its own.  The parent waits for the migration as long as the caller allows;
 * then it has the job aborted, gives libvirt a moment to say so, and ends the child.
 *
 * After a failure, and only then, it is asked why: can the target be reached at all
 * (reach.h)?  And where the words of peer-to-peer hide what the target said: once more,
 * without peer-to-peer, so that the target's own words come here.  Should that second
 * attempt succeed, the guest has moved, by a way that is not the user's: the answer stays
 * a no and says where the guest is; dismiss on both nodes ends it.
 */
#ifndef PEER_MIGRATION_H
#define PEER_MIGRATION_H

#include "peer/child.h"
#include "proto/remote_uri.h"
#include "proto/message.h"

enum { MIGRATION_LIMIT_MAX_S = 3600 };

struct migration {
	const char *connect; /* the node's own libvirt */
	const char *domain;  /* libvirt's name of the guest */
	const struct migrate *how;
	struct remote_uri target; /* what how->uri says */
	uint32_t data_port;	  /* what how->data_uri says; 0: no port */
	bool given_up;		  /* for reach: it took too long */
};

/* In a child: fills what it learns into *out, which is empty; texts in the arena. */
typedef void migration_call(
	const struct migration *m, struct arena *arena, struct migrated *out);

/* libvirt's and the network's; tests have others. */
struct migration_calls {
	migration_call *send;	/* ok, native, reason, ms */
	migration_call *abort;	/* the job that send began */
	migration_call *direct; /* as send, without peer-to-peer: ok, reason */
	migration_call *reach;	/* reach */
};

/* libvirt_migrate.c */
extern const struct migration_calls migration_calls;

/* Does the request name a guest and ways that may be named?  Fills *out, which points to
 * the request.  RC_PROTOCOL: it is no request that cpuherd makes; RC_USAGE: a URI;
 * RC_MEMORY. */
enum rc migration_read(const struct migrate *request, const char *connect,
	struct arena *arena, struct migration *out, struct err *e);

/* However it went, *out says so, without a log.  RC_INTERRUPTED: the coordinator left (the
 * job is aborted then); RC_TARGET: no process; RC_MEMORY. */
enum rc migration_run(const struct migration *m, const struct migration_calls *calls,
	const struct child_wait *wait, struct arena *arena, struct migrated *out,
	struct err *e);

#endif
