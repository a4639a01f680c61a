/* child.h - a function in a process of its own, with an end in time.
 *
 * For calls that may never return, or whose traces shall go with a process: of libvirt, of
 * the resolver.  What the function leaves in its buffer is what the parent hears; the child
 * ends behind it.  It ends with the parent, too, and takes what it started with it.
 *
 * The parent does not trust what it hears: a cap, a limit, and bytes that may end anywhere.
 */
#ifndef PEER_CHILD_H
#define PEER_CHILD_H

#include <signal.h>
#include <sys/types.h>

#include "base/buf.h"

struct child {
	pid_t pid;	 /* 0: none */
	int answer;	 /* the end of the pipe that is read */
	struct buf said; /* what came so far */
};

/* In the child, which shares no memory with the parent from here on. */
typedef void child_fn(const void *context, struct buf *out);

/* How long the parent waits, and for what else. */
struct child_wait {
	unsigned limit_ms;
	int caller;	      /* whose end of input is an end of waiting; -1: nobody's */
	const sigset_t *mask; /* of signals, while it waits; NULL: as it is */
};

/* It says at most `cap` bytes.  RC_TARGET: no process can be had; then there is none. */
enum rc child_start(
	struct child *c, child_fn *run, const void *context, size_t cap, struct err *e);

/* Until it has said all.  RC_TIMEOUT: not yet, and RC_INTERRUPTED: a signal, or the caller
 * is gone; both times it goes on, and may be heard again.  RC_LIMIT, RC_MEMORY. */
enum rc child_hear(struct child *c, const struct child_wait *wait, struct err *e);

/* Ends it where it has not ended, with its group.  Safe to call twice. */
void child_end(struct child *c);

#endif
