/* grants.h - which of a node's registers reach a guest, where no libvirt says it.
 *
 * KVM passes on only what its tables name, QEMU corrects that and holds some of it
 * back, and a few features need no hardware at all.  One row a feature, with the
 * reason; what has no row is passed on as it is read.
 */
#ifndef COORDINATOR_GRANTS_H
#define COORDINATOR_GRANTS_H

#include "coordinator/cpu/catalogue.h"
#include "proto/message.h"

enum grant {
	GRANT_AS_READ,	 /* KVM passes it on where the CPU has it */
	GRANT_NEVER,	 /* KVM gives it to no guest */
	GRANT_WITH_MORE, /* QEMU needs more than the CPU element for it */
	GRANT_DEPENDS,	 /* on kernel, parameters, microcode: CPUID does not tell */
	GRANT_EMULATED,	 /* KVM gives it whatever the CPU has */
	GRANT_HARMLESS,	 /* QEMU gives it to its models unasked, and to no host model */
};

/* What becomes of a feature's bit; *reason (may be NULL) is static, "" as read. */
enum grant grant_of(size_t bit, const char **reason);

/* What KVM said of a node, and who would make a guest of it. */
struct kvm_view {
	const struct registers *kvm;  /* KVM_GET_SUPPORTED_CPUID, KVM_GET_MSRS */
	uint64_t qemu_version;	      /* major * 1000000 + ...; 0 unknown */
	bool certainly_ioctl;	      /* not QEMU's answer put back into registers */
	const struct registers *host; /* the CPUs' own; NULL: not known */
};

/* What QEMU would make of KVM's answer for a guest.  What QEMU adds to it is added
 * only where the registers are certainly KVM's own. */
struct bitset grants_of_kvm(const struct kvm_view *view);

/* What a guest can have of the CPUs themselves, as far as nobody asked KVM: certain
 * enough to state are only `features`; those in `floating` are on wherever a model
 * has them. */
struct grants {
	struct bitset features, floating;
};
struct grants grants_of_raw(const struct registers *host);

#endif
