/* host.h - what the kernel tells about the node: names, versions, microcode,
 * module parameters, and CPUID of every logical CPU.
 */
#ifndef PEER_HOST_H
#define PEER_HOST_H

#include "peer/gather.h"

enum rc host_gather_system(struct gather *g);
enum rc host_gather_parameters(struct gather *g);

/* The body "host" and the address widths of leaf 0x80000008.  CPUs that are
 * online but could not be read are the gap "host_cpus". */
enum rc host_gather_cpuid(struct gather *g);

/* ---- pieces, for tests */

/* The microcode revision in the text of /proc/cpuinfo: written to out; false
 * when the text has none. */
bool host_find_microcode(const char *cpuinfo_path, char *out, size_t size);

#endif
