/* page.h - what the trial guest's kernel keeps in its memory for the node to see.
 *
 * It lies at a fixed physical address, all of it little-endian 32-bit words, so that
 * kernel and peer share this header: no includes but the compiler's own.
 *
 * The kernel counts in it as long as it lives, twenty times a second where the machine
 * has a timer and is fast enough.  The
 * leaves are rewritten only when CPUID says something new; meanwhile `changing` is odd.
 */
#ifndef PEER_KERNEL_PAGE_H
#define PEER_KERNEL_PAGE_H

#include <stdint.h>

enum {
	PULSE_ADDRESS = 0x200000, /* physical */
	PULSE_BYTES = 8192,
	PULSE_MAGIC = 0x48555043, /* "CPUH" */
	PULSE_VERSION = 1,	  /* of this layout */
	PULSE_LEAVES = 336,	  /* at most; of real CPUs, 130 are the most seen */
};

struct pulse_leaf {
	uint32_t function, index, r[4]; /* EAX EBX ECX EDX */
};

struct pulse_page {
	uint32_t magic, version;
	uint32_t boot[2];  /* other numbers at each boot: a reboot is no going on */
	uint32_t count;	   /* from 1 at boot; the guest's life ends before it wraps */
	uint32_t changing; /* odd: what follows is being rewritten */
	uint32_t leaves;   /* how many */
	uint32_t sum;	   /* pulse_sum() */
	struct pulse_leaf leaf[PULSE_LEAVES];
};

_Static_assert(sizeof(struct pulse_page) <= PULSE_BYTES, "the page is too small");

/* Of the leaves and of what names them; FNV-1a by words. */
static inline uint32_t pulse_sum(const struct pulse_page *p)
{
	const uint32_t *word = (const uint32_t *)p->leaf;
	uint32_t sum = 2166136261u ^ p->leaves;

	for (uint32_t i = 0; i < p->leaves * (sizeof(p->leaf[0]) / 4); i++)
		sum = (sum ^ word[i]) * 16777619u;
	return sum;
}

#endif
