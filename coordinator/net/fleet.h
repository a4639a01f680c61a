/* fleet.h - how: all nodes of a run, spoken to at once, in rounds.
 *
 * A fleet owns one session per node on one libuv loop.  fleet_connect() brings
 * every session to the point where its peer has said welcome; fleet_round()
 * sends each living node one request and runs the loop until every node has
 * answered, failed, or run out of time.  Whatever happens to one node is kept
 * as that node's outcome and delays no other.
 */
#ifndef COORDINATOR_FLEET_H
#define COORDINATOR_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/inventory/inventory.h"
#include "coordinator/ssh/settings.h"
#include "proto/codec.h"

struct fleet;

struct fleet_options {
	/* One a node, in the order of the inventory; they outlive the fleet. */
	const struct ssh_settings *const *settings;
	bool become;		    /* run the peer through sudo -n */
	const char *connect;	    /* libvirt URI on the nodes; "": default */
	uint32_t connect_timeout_s; /* name, TCP, handshake, login, peer start; 0: 30.
				     * A node's own ConnectTimeout wins. */
	uint32_t timeout_s;	    /* one request and its answer; 0: 120 */
	uint32_t parallel;	    /* sessions being opened at once; 0: default */
};

/* What the fleet calls while it works; any may be NULL.  No callback may call
 * back into the fleet. */
struct fleet_progress {
	const char *phase; /* "connect", or the round's */
	size_t done, failed, total;
};
typedef void fleet_progress_fn(void *context, const struct fleet_progress *p);

/* NULL with *e filled when memory, the loop, a key file or a known_hosts file
 * is not to be had.  inv and options must outlive the fleet. */
struct fleet *fleet_new(const struct inventory *inv, const struct fleet_options *options,
	fleet_progress_fn *progress, void *context, struct err *e);

/* Opens all sessions.  RC_OK when every node was heard, whatever it said;
 * RC_INTERRUPTED after SIGINT, SIGTERM or SIGHUP.  Ask fleet_error() for each node. */
enum rc fleet_connect(struct fleet *f, struct err *e);

struct fleet_call {
	const char *phase; /* for progress and error texts: "facts", "vote", "stage" */
	/* Fills in the request of node i; false: this node is not asked. */
	bool (*ask)(
		void *context, size_t node, enum message_tag *tag, const void **value);
	/* Takes an answer (never a `failure`; its type is one that answers the
	 * request).  The message lives as long as the fleet.  RC_OK: this node is done;
	 * RC_AGAIN: more answers follow; anything else fails the node's round
	 * (its session stays up). */
	enum rc (*answer)(
		void *context, size_t node, const struct message *m, struct err *e);
};

/* One request to every living node that ask() names.  Return as fleet_connect(). */
enum rc fleet_round(
	struct fleet *f, const struct fleet_call *call, void *context, struct err *e);

/* After SIGINT a round is refused unless this was called: reverting must go on. */
void fleet_ignore_interrupt(struct fleet *f);

/* Is the session up: can the node be asked again? */
bool fleet_is_alive(const struct fleet *f, size_t node);

/* How the node's last round (or its connection) ended; code RC_OK when well.
 * A `failure` message of the peer appears here with its own code. */
const struct err *fleet_error(const struct fleet *f, size_t node);

/* Sends bye to the living, closes all sessions, frees.  NULL is fine. */
void fleet_destroy(struct fleet *f);

#endif
