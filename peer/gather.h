/* gather.h - all facts of the node that runs this process.
 *
 * Each source (host.h, kvm.h, libvirt.h) fills what it can of one struct
 * node_facts and names what it cannot with the reason: a gap.  A source fails
 * only for want of memory; that a node lacks KVM or libvirt is a fact.
 */
#ifndef PEER_GATHER_H
#define PEER_GATHER_H

#include "proto/facts.h"

struct gather {
	struct node_facts *facts;
	struct arena *arena;
	const char *connect; /* libvirt URI */
	struct err *e;
};

/* The fact could not be had: why, in one line.  RC_OK, RC_MEMORY. */
enum rc gather_gap(struct gather *g, const char *fact, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As gather_gap() for each name of a list that ends with NULL. */
enum rc gather_gaps(struct gather *g, const char *const *facts, const char *reason);

/* Keeps a text of the outside: copied to the arena, made printable. */
enum rc gather_text(struct gather *g, const char **field, const char *text);

/* Asks all sources; everything in *out belongs to the arena, with the digests
 * of the bodies in out->small.bodies.  connect: libvirt URI, as libvirt_open()
 * takes it.  Can wait for libvirt without end: see serve.h for the watchdog.
 * RC_MEMORY; RC_LIMIT when a body is larger than what may be sent. */
enum rc gather_facts(
	struct node_facts *out, const char *connect, struct arena *arena, struct err *e);

#endif
