/* cpu.h - the CPU that the guest has, which may be as poor as a 486. */
#ifndef PEER_KERNEL_CPU_H
#define PEER_KERNEL_CPU_H

#include <stdbool.h>
#include <stdint.h>

/* A CPU has CPUID where bit 21 of EFLAGS can be changed (SDM volume 2A, CPUID). */
static inline bool cpu_has_cpuid(void)
{
	uint32_t before, after;

	__asm__ volatile("pushfl\n\tpopl %0\n\t"
			 "movl %0, %1\n\txorl $0x200000, %1\n\t"
			 "pushl %1\n\tpopfl\n\tpushfl\n\tpopl %1"
			 : "=&r"(before), "=&r"(after));
	return ((before ^ after) & 0x200000) != 0;
}

static inline void cpu_id(void *context, uint32_t function, uint32_t index, uint32_t r[4])
{
	(void)context;
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(function), "c"(index));
}

/* The low half of the time-stamp counter; 0 where there is none. */
static inline uint32_t cpu_tsc(void)
{
	uint32_t r[4], low, high;

	if (!cpu_has_cpuid())
		return 0;
	cpu_id(0, 1, 0, r);
	if (!(r[3] & 0x10)) /* leaf 1, EDX[4] */
		return 0;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return low;
}

#endif
