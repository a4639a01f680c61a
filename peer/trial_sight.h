/* trial_sight.h - what can be seen of one trial guest, from libvirt to its own memory.
 *
 * libvirt's live XML, QEMU's view of its first vCPU, and the pulse of its kernel.  QEMU's
 * view is a gap where it cannot be had, with the reason, and a guest that does not count is
 * told, not a failure.  Texts and lists live in the arena.
 */
#ifndef PEER_TRIAL_SIGHT_H
#define PEER_TRIAL_SIGHT_H

#include "peer/libvirt_guest.h"
#include "proto/message.h"

struct trial_eye {
	const struct guest_calls *calls;
	struct guest_link *link;
	const char *name; /* of the guest, libvirt's */
	int caller;	  /* whose end is the end of looking: RC_INTERRUPTED */
};

struct trial_sight {
	struct guest_now now;
	const char *machine, *cpu;     /* of the live XML */
	struct list words, properties; /* as in struct tried */
	const char *gap;	       /* "": none */
};

struct trial_life {
	bool alive;
	const char *why;      /* it is not; "" when it is */
	uint64_t boot, count; /* struct pulse */
	struct list leaves;
};

/* All but the pulse.  A guest that is not there is seen as such.  RC_LIBVIRT; RC_MEMORY. */
enum rc trial_look(const struct trial_eye *eye, struct arena *arena,
	struct trial_sight *out, struct err *e);

/* Waits until the kernel of a guest counts: two looks with the same boot, the later one
 * further on.  Gives up after limit_ms, and where the guest ends.  RC_LIBVIRT where libvirt
 * cannot say even that; RC_MEMORY. */
enum rc trial_wait(const struct trial_eye *eye, unsigned limit_ms, struct arena *arena,
	struct trial_life *out, struct err *e);

#endif
