/* libvirt.c - libvirtd, and every program that uses libvirt, sees the table.
 *
 * libvirt.so reads CPUID and MSRs through functions that it exports so that its
 * own tests can replace them (src/util/virhostcpu.h, G_NO_INLINE).  It calls
 * them through its own PLT, so a definition in a preloaded library wins.
 */
#include "table.h"

#include <stdlib.h>

LAB_EXPORT void virHostCPUX86GetCPUID(uint32_t leaf, uint32_t extended, uint32_t *eax,
	uint32_t *ebx, uint32_t *ecx, uint32_t *edx);
LAB_EXPORT int virHostCPUGetMSR(unsigned long index, uint64_t *msr);
LAB_EXPORT unsigned virHostCPUGetMicrocodeVersion(int arch);

void virHostCPUX86GetCPUID(uint32_t leaf, uint32_t extended, uint32_t *eax, uint32_t *ebx,
	uint32_t *ecx, uint32_t *edx)
{
	uint32_t *out[4] = { eax, ebx, ecx, edx }, r[4];

	table_cpuid(leaf, extended, r);
	for (int i = 0; i < 4; i++)
		if (out[i])
			*out[i] = r[i];
}

/* libvirt takes a failure for "this CPU does not have that MSR", which is what a
 * table without the line says.  The machine's own value would be a lie. */
int virHostCPUGetMSR(unsigned long index, uint64_t *msr)
{
	return table_msr(&table_get()->host, (uint32_t)index, msr) ? 0 : -1;
}

/* Replaced although cpuinfo.c answers for /proc/cpuinfo: this one reads the file
 * with open(2).  It decides whether libvirt's cached capabilities are stale. */
unsigned virHostCPUGetMicrocodeVersion(int arch)
{
	(void)arch;
	return (unsigned)strtoul(table_get()->microcode, NULL, 0);
}
