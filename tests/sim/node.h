/* node.h - a scripted node: how it behaves, and what it was asked to do.
 *
 * A connection goes through steps; each takes the node's time.  At one step, or at one call
 * counted over the node's life, the node does something else than it should.
 */
#ifndef TESTS_SIM_NODE_H
#define TESTS_SIM_NODE_H

#include <stdatomic.h>

#include "coordinator/net/session.h"

enum sim_step {
	SIM_RESOLVE,
	SIM_DIAL,
	SIM_HANDSHAKE,
	SIM_LOGIN,
	SIM_CHANNEL,
	SIM_EXEC,
	SIM_START, /* the shell's start line */
	SIM_WELCOME,
	SIM_ANSWER,
	SIM_STEPS
};

enum sim_fault {
	SIM_GOOD,
	/* at any step, or at any call */
	SIM_SILENT,  /* nothing comes any more */
	SIM_REFUSED, /* nobody listens */
	SIM_RESET,
	SIM_CLOSED,  /* the end of the stream */
	SIM_GARBAGE, /* what comes makes no sense */
	SIM_MEMORY,
	/* at any call */
	SIM_AGAIN,	/* once "not yet" */
	SIM_AGAIN_BOTH, /* once "not yet", and nobody knows for what */
	SIM_SHORT,	/* one byte is read or written */
	/* at the steps that can do it */
	SIM_ENDLESS, /* a greeting, or noise, for ever */
	SIM_WRONG_KEY,
	SIM_NO_LOGIN,
	SIM_DENIAL, /* the peer says "failure" */
	SIM_WRONG,  /* the answer to another question */
	SIM_BIG,    /* a frame of two gigabytes is announced */
	SIM_TWICE,  /* the same answer again */
	SIM_HYDRA,  /* answers without end that the one before does not end */
	SIM_FAULTS
};

struct sim_manner {
	const char *name;
	enum sim_fault fault;
	enum sim_step at;
	unsigned at_call; /* not 0: at this call of the node's life, not at a step */
	unsigned times;	  /* connections that suffer; 0: all */
	uint32_t step_ms; /* 0: a few, by the node's number */
	size_t piece;	  /* of reads and writes; 0: all of it */
	bool stutters;	  /* "not yet" before each piece */
	size_t cmdline;	  /* characters of it in the facts */
	/* what must come of it */
	enum rc code;
	const char *words;
	unsigned dials; /* 0: not known */
};

enum { SIM_DIALS_MAX = 8 };

struct sim_node {
	struct ssh_settings settings; /* first: found again by the session's */
	char name[16];
	const struct sim_manner *manner;
	uint32_t step_ms;
	int fd; /* of its connection: SIM_FD and its number */

	/* life */
	unsigned dials, calls, sessions;
	uint64_t dialled_at[SIM_DIALS_MAX];
	struct transport *transport; /* the one that is open */

	/* the connection */
	struct world *world;
	enum sim_step step;
	uint64_t due;	   /* when that step is done */
	uint64_t ready_at; /* when the socket is ready; SIM_NEVER */
	int directions;
	bool mute, stuttered;

	/* what came of it */
	unsigned answers;
	uint64_t answered_at; /* from the beginning of the run, ms */
};

#define SIM_NEVER UINT64_MAX
enum { SIM_FD = 1000, SIM_BEGIN_MS = 1000 /* on every lane's clock */ };

static inline struct sim_node *sim_node_of(const struct session *s)
{
	return (struct sim_node *)(void *)s->settings;
}

/* A session to the node begins. */
void sim_node_begins(struct sim_node *n, struct world *w);

/* Goes through a step: RC_AGAIN until its time has come, then what the manner says. */
enum rc sim_pass(struct sim_node *n, enum sim_step step, struct err *e);

/* Counts a call, and does what is wanted at it. RC_OK: go on (*fault: SIM_SHORT, SIM_CLOSED
 * and SIM_GARBAGE are the caller's). */
enum rc sim_count(struct sim_node *n, enum sim_fault *fault, struct err *e);

/* Not yet: perhaps in so many milliseconds. */
enum rc sim_later(struct sim_node *n, uint64_t ms);

/* Does the manner strike at this step of this connection? */
enum sim_fault sim_fault_at(const struct sim_node *n, enum sim_step step);

uint64_t sim_now(const struct sim_node *n);

#endif
