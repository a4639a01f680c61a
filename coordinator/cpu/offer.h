/* offer.h - what one node can give a guest, and where the rest was lost.
 *
 * raw:   what the silicon shows (every kind of logical CPU has it)
 * kvm:   what KVM passes on (may hold features that it emulates)
 * offer: what a guest of the virt type can be given here, migratably, by KVM,
 *        QEMU and libvirt together: libvirt's host-model, expanded by the
 *        node's own libvirt, without what only some of the node's CPUs have
 */
#ifndef COORDINATOR_OFFER_H
#define COORDINATOR_OFFER_H

#include "coordinator/cpu/catalogue.h"
#include "proto/facts.h"
#include "proto/virt.h"

struct offer {
	const char *node; /* its name in texts: the facts' hostname; never NULL */
	struct bitset raw, kvm, features;
	/* Features whose names this node's libvirt certainly knows: it refuses a
	 * whole <cpu> for one name that it does not. */
	struct bitset names;
	/* Whose CPU a guest would see: libvirt's name of the vendor, the twelve
	 * letters of CPUID where libvirt has no name; "" unknown.  With KVM that
	 * is the host CPU's; TCG's is the same on every host. */
	const char *vendor;
	const char *host_model; /* libvirt's host-model for the virt type */
	const char *cpu;	/* brand string of CPUID 0x80000002.., or the signature */
	const char *emulator, *machine, *arch; /* of the domain capabilities */
	struct texts models; /* every model name that the node's libvirt and QEMU know
				* (usable or not) for custom mode */
	struct bitset model_rows; /* the catalogue's models among them */
	uint32_t sources;	  /* of the catalogue, that may apply on this node */
};

/* Can this node run guests of the virt type, as far as its facts tell?  When
 * not, *why is the reason in one line (static or owned by the facts). */
bool offer_has_virt(const struct node_facts *f, enum virt_type virt, const char **why);

/* RC_FACTS when an offer cannot be derived from the facts, with the reason. */
enum rc offer_from_facts(struct catalogue *c, const struct node_facts *f,
	enum virt_type virt, struct arena *arena, struct offer *out, struct err *e);

/* Fills in model_rows, names and sources from models, features and the versions of libvirt
 * and QEMU (major * 1000000 + minor * 1000 + release; 0 unknown). */
void offer_derive_names(struct offer *o, uint64_t libvirt_version, uint64_t qemu_version);

#endif
