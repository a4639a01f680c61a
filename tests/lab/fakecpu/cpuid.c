/* cpuid.c - the CPUID of programs that let themselves be fooled.
 *
 * The instruction itself cannot be caught here: it needs CPUID faulting
 * (arch_prctl ARCH_CPUID), which this lab's machines do not have.  cpuherd-peer
 * therefore looks for this function once and calls it in place of the
 * instruction.
 */
#include "table.h"

LAB_EXPORT void cpuherd_lab_cpuid(uint32_t function, uint32_t index, uint32_t r[4]);

void cpuherd_lab_cpuid(uint32_t function, uint32_t index, uint32_t r[4])
{
	table_cpuid(function, index, r);
}
