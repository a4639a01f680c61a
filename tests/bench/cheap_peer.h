/* cheap_peer.h - what a node says to cpuherd, without a shell and without a peer.
 *
 * The benchmark is about the client, so its server must cost little: one process plays
 * the login shell's start line (coordinator/net/bootstrap.h) and the peer's answers
 * (docs/protocol.md) from a file of saved facts.  It is for probing: every request that
 * would write is answered by a failure.
 */
#ifndef TESTS_CHEAP_PEER_H
#define TESTS_CHEAP_PEER_H

#include "proto/facts.h"
#include "proto/frame.h"

/* What all connections share; read only after cheap_peer_load(). */
struct cheap_peer {
	struct arena arena;
	struct node_facts facts;
	struct buf bodies[BODY_COUNT]; /* as they travel */
};

/* Reads facts as `cpuherd probe --save` and `cpuherd-peer --facts` write them. */
enum rc cheap_peer_load(struct cheap_peer *peer, const char *path, struct err *e);
void cheap_peer_unload(struct cheap_peer *peer);

/* One connection. */
struct cheap_dialogue {
	const struct cheap_peer *peer;
	struct buf in, out; /* bytes from, and for, the coordinator */
	bool over;	    /* it said bye */
};

void cheap_dialogue_open(struct cheap_dialogue *d, const struct cheap_peer *peer);
void cheap_dialogue_close(struct cheap_dialogue *d);

/* Is this the command by which cpuherd starts a peer?  Then the start line, and the
 * answers to the first words that the command may carry, are in d->out.
 * RC_INPUT: it is not; RC_PROTOCOL: it is, but makes no sense. */
enum rc cheap_dialogue_start(
	struct cheap_dialogue *d, const char *command, struct err *e);

/* Answers every whole request in d->in. */
enum rc cheap_dialogue_answer(struct cheap_dialogue *d, struct err *e);

#endif
