/* vendor.h - whose CPUs the nodes have: names for people, nodes by vendor.
 *
 * With KVM a guest sees the vendor of the host that it runs on, whatever model it was
 * given (QEMU target/i386/host-cpu.c, host_cpu_instance_init()), so guests stay among
 * hosts of one vendor.  A vendor is spelled as in struct offer.
 */
#ifndef COORDINATOR_VENDOR_H
#define COORDINATOR_VENDOR_H

#include "coordinator/cpu/offer.h"

struct vendor_group {
	const char *vendor; /* "": unknown */
	size_t *node;	    /* places in the offers, ascending */
	size_t count;
	size_t nodes; /* that have these offers */
};

/* "Intel", "Zhaoxin or VIA (CentaurHauls)", "'GenuineIotel'", "unknown vendor"; "" when
 * memory is short. */
const char *vendor_title(const char *vendor, struct arena *arena);

/* The offers by vendor: every offer is in exactly one group.  Groups of many nodes come
 * first, then by name: the same in whatever order the offers come. */
enum rc vendor_group(const struct offer *offers, size_t n, struct arena *arena,
	struct vendor_group **out, size_t *count, struct err *e);

/* May guests of the virt type move between all these nodes, as far as vendors go?  Not
 * with KVM where one of several is unknown: it may be any. */
bool vendor_is_one(const struct offer *offers, size_t n, enum virt_type virt);

/* RC_LEVEL when it is not one, with the nodes of each vendor. */
enum rc vendor_check(const struct offer *offers, size_t n, enum virt_type virt,
	struct arena *arena, struct err *e);

#endif
