/* pulse.h - is a trial guest's kernel alive, and which CPU does it see?
 *
 * The kernel (peer/kernel/) keeps a page in the guest's memory; libvirt's memory peek
 * brings it here.  A guest is a stranger: nothing in the page is believed before it is
 * checked, and a page that makes no sense is a guest that does not live.
 */
#ifndef PEER_PULSE_H
#define PEER_PULSE_H

#include <stdbool.h>

#include "peer/kernel/page.h"
#include "proto/message.h"

/* The kernel's own file: multiboot, ELF of 32 bits.  Empty where cpuherd was built for
 * machines without CPUID. */
extern const uint8_t trial_kernel[], trial_kernel_end[];

struct pulse {
	bool valid;	    /* the page is the kernel's, and whole */
	uint64_t boot;	    /* tells one boot from another */
	uint64_t count;	    /* grows while the kernel runs */
	struct list leaves; /* of struct leaf: CPUID, as the guest reads it */
};

/* What the page says; size is at least PULSE_BYTES, or it is not valid.  A page that was
 * read while the kernel wrote it is not valid either: read again after a few
 * milliseconds.  The leaves live in the arena.  RC_MEMORY. */
enum rc pulse_read(const void *page, size_t size, struct arena *arena, struct pulse *out,
	struct err *e);

#endif
