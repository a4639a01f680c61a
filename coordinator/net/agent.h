/* agent.h - an ssh-agent, spoken to without blocking (draft-ietf-sshm-ssh-agent): its keys,
 * listed once, and signatures, one after the other in the order in which they were asked
 * for.
 *
 * An agent can be slow (its user is asked), hang (forwarded, over a connection that died)
 * or lie.  It is given so long for each answer; one that is late, breaks off or makes no
 * sense is of no use for the rest of the run, and says why to whoever needs it.  Nobody
 * else waits.
 *
 * The loop is somebody else's: it calls agent_ready() and agent_late(); from there, and
 * never from another call, the agent wakes those who wait.
 */
#ifndef COORDINATOR_AGENT_H
#define COORDINATOR_AGENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

struct agent;

/* What an agent needs of the loop around it. */
struct agent_loop {
	/* Calls agent_ready() when a->fd can be read, or (also) written. */
	void (*watch)(struct agent *a, bool also_write);
	/* Calls agent_late() in so many milliseconds; 0: never. */
	void (*alarm)(struct agent *a, uint32_t ms);
};

struct agent_key {
	struct bytes blob; /* the public key as it goes over the wire */
	const char *name;  /* the comment */
};

/* Who waits for something; part of the one who waits, all zero at first. */
struct agent_wait {
	void (*wake)(void *context);
	void *context;
	struct agent *agent;	       /* NULL: it does not wait */
	struct agent_request *request; /* a signature; NULL: the list */
	struct agent_wait *next;
};

struct agent {
	const char *path; /* of its socket */
	uint32_t patience_ms;
	const struct agent_loop *loop;
	void *owner; /* for the loop */
	int fd;
	struct err err; /* RC_OK, or why it is of no use any more */
	bool listed;
	const struct agent_key *keys;
	size_t key_count;
	struct arena arena;

	struct buf in, out;
	struct agent_wait *listeners; /* for the list */
	struct agent_request *queue;  /* for signatures; the first may be on its way */
	bool asked;		      /* something is on its way */
};

/* Connects and asks for the list.  What goes wrong shows in agent_list(). */
void agent_open(struct agent *a, const char *path, uint32_t patience_ms,
	const struct agent_loop *loop, void *owner);

/* The agent's keys are in a->keys; RC_AGAIN: not yet, who waits will be woken; RC_AUTH or
 * RC_TIMEOUT: there is no such agent, or it is of no use. */
enum rc agent_list(struct agent *a, struct agent_wait *who, struct err *e);

/* Signs the data of a login with the key of this blob.  RC_AGAIN: who waits will be woken,
 * and calls again.  RC_AUTH: it refuses, or signs with something else.  *out is to be
 * freed, and is as key_sign() has it. */
enum rc agent_sign(struct agent *a, struct agent_wait *who, struct bytes blob,
	struct bytes data, uint8_t **out, size_t *size, struct err *e);

/* Does not wait any more; safe twice. */
void agent_forget(struct agent_wait *who);

/* The socket is ready; the time for an answer is up. */
void agent_ready(struct agent *a);
void agent_late(struct agent *a);

/* Frees; nobody waits any more.  The loop's watch and alarm are the caller's to end. */
void agent_close(struct agent *a);

#endif
