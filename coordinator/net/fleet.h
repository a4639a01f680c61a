/* fleet.h - how: all nodes of a run, spoken to at once, in rounds.
 *
 * fleet_round() sends each node that is not lost one request (or a chain of them) and
 * returns when every one of them has answered, failed, or run out of time.  Sessions are
 * opened as they are needed, so many at once; those of a round that holds stay open
 * for the next one, as far as memory and open files allow, and the others are opened
 * again.  Whatever happens to one node is kept as that node's outcome and delays no other.
 */
#ifndef COORDINATOR_FLEET_H
#define COORDINATOR_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "coordinator/inventory/inventory.h"
#include "coordinator/ssh/settings.h"
#include "proto/codec.h"

struct fleet;
struct transport_ops;
struct world_ops;

/* What a node is doing, as a person wants to know it. */
enum fleet_stage {
	FLEET_QUEUED,
	FLEET_PAUSED, /* it will be tried again */
	FLEET_CONNECTING,
	FLEET_LOGIN,
	FLEET_STARTING, /* the shell and the peer */
	FLEET_ASKED,
	FLEET_STAGES
};
const char *fleet_stage_name(enum fleet_stage stage);

enum { FLEET_SLOWEST = 3 };

/* A round that runs, as seen a few times in a second. */
struct fleet_progress {
	const char *phase;
	size_t done, failed, total; /* failed ones are done as well */
	size_t in_stage[FLEET_STAGES];
	double seconds; /* since the round began */
	struct {
		const char *name;
		enum fleet_stage stage;
		double seconds;	  /* since its session was opened, or asked */
	} slowest[FLEET_SLOWEST]; /* the slowest first; name NULL: no more */
};
typedef void fleet_progress_fn(void *context, const struct fleet_progress *p);

struct fleet_options {
	/* One a node, in the order of the inventory; they outlive the fleet. */
	const struct ssh_settings *const *settings;
	bool become;		    /* run the peer through sudo -n, where the inventory
				     * says nothing of it */
	const char *connect;	    /* libvirt URI on the nodes; "": default */
	uint32_t connect_timeout_s; /* name, TCP, handshake, login, peer start; 0: 30 */
	uint32_t timeout_s;	    /* one request and its answer; 0: 120 */
	uint32_t deadline_s;	    /* the whole run, up to the point where nodes are
				     * changed; 0: none */
	uint32_t parallel;	    /* sessions being opened at once; 0: as many as memory
				     * and open files allow, at most FLEET_PARALLEL */
	uint32_t threads;	    /* loops; 0: 1 */
	uint32_t tries; /* connections to a node that refuses, resets or is full; 0: 3 */
	/* Log this node's frames; may be NULL. */
	bool (*traces)(void *context, size_t node);
	fleet_progress_fn *progress; /* may be NULL; called while a round runs */
	void *context;		     /* of both */
};

enum { FLEET_PARALLEL = 256, FLEET_THREADS_MAX = 64 };

/* NULL with *e filled when memory, open files, the loop, a key file or a known_hosts file
 * is not to be had.  inv and what options point to must outlive the fleet. */
struct fleet *fleet_new(
	const struct inventory *inv, const struct fleet_options *options, struct err *e);

/* What a fleet stands on, so that a test can put another ground under it. */
struct fleet_ground {
	const struct world_ops *world;
	const struct transport_ops *transport;
	size_t sessions; /* that fit at once; 0: as many as this machine has room for */
};
struct fleet *fleet_new_on(const struct fleet_ground *ground, const struct inventory *inv,
	const struct fleet_options *options, struct err *e);

struct fleet_call {
	const char *phase; /* for progress and error texts: "facts", "vote", "stage" */
	/* Fills in the request of node i, valid until the round ends; false: this node
	 * is not asked. */
	bool (*ask)(
		void *context, size_t node, enum message_tag *tag, const void **value);
	/* Takes an answer (never a `failure`; its type is one that answers the
	 * request).  The message lives as long as the fleet.  RC_OK: this node is done;
	 * RC_AGAIN: more answers follow; anything else fails the node's round
	 * (its session stays up). */
	enum rc (*answer)(
		void *context, size_t node, const struct message *m, struct err *e);
	/* After each request that went well ask() is called again, until it says no. */
	bool chain;
	/* The sessions stay open for the next round. */
	bool hold;
	/* Asking twice does no harm: a node whose connection breaks before it answered is
	 * tried again.  Its first request is then sent again, without ask(). */
	bool repeatable;
};

/* Asks every node that is not lost and that ask() names.  ask() and answer() are never
 * called by two threads at once, and must not call the fleet.  RC_OK when every node was
 * heard, whatever it said: see fleet_error(); RC_INTERRUPTED after SIGINT, SIGTERM or
 * SIGHUP (answers under way get a few seconds, unless the signal comes twice). */
enum rc fleet_round(
	struct fleet *f, const struct fleet_call *call, void *context, struct err *e);

/* Can the sessions of so many nodes be held at once, whichever they are?  RC_MEMORY says
 * what is in the way. */
enum rc fleet_holds(const struct fleet *f, size_t count, struct err *e);

/* Those of all nodes? */
enum rc fleet_holds_all(const struct fleet *f, struct err *e);

/* After SIGINT or the deadline a round is refused unless this was called: reverting must
 * go on. */
void fleet_ignore_interrupt(struct fleet *f);

/* No round follows: the next SIGINT, SIGTERM or SIGHUP is let pass, so that what is being
 * written becomes whole, and a second one ends the process, whatever it waits for (a pipe
 * that nobody reads). */
void fleet_release_signals(struct fleet *f);

/* A node whose session has failed may be asked again, in a new one. */
void fleet_try_again(struct fleet *f, size_t node);

/* Can the node be asked again? False once its session has failed. */
bool fleet_is_alive(const struct fleet *f, size_t node);

/* How the node's last round ended; code RC_OK when well.  A `failure` message of the peer
 * appears here with its own code. */
const struct err *fleet_error(const struct fleet *f, size_t node);

/* Sends bye to the living, closes all sessions, frees.  NULL is fine. */
void fleet_destroy(struct fleet *f);

#endif
