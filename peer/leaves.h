/* leaves.h - which leaves and sub-leaves CPUID has: the walk over all of them.
 *
 * Pure, over a reader and a taker.  It is part of the trial guest's kernel too
 * (peer/kernel/), so that a guest looks at its CPU as a peer looks at its node's: no
 * includes but the compiler's own, no libc.
 */
#ifndef PEER_LEAVES_H
#define PEER_LEAVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpuid_reader {
	/* r: EAX EBX ECX EDX of CPUID with EAX = function, ECX = index */
	void (*read)(void *context, uint32_t function, uint32_t index, uint32_t r[4]);
	void *context;
};

struct leaves_taker {
	/* false: no more of them */
	bool (*take)(
		void *context, uint32_t function, uint32_t index, const uint32_t r[4]);
	void *context;
};

/* In the order of asking: the ranges 0, 0x40000000 (only under a hypervisor), 0x80000000
 * and 0xC0000000, each leaf with all its sub-leaves.  However odd the answers, it ends.
 * False: the taker wanted no more, or leaf 0 makes no sense; then nothing was taken. */
bool leaves_walk(const struct cpuid_reader *reader, const struct leaves_taker *taker);

#endif
