/* offer.h - what one node can give a guest, and where the rest was lost.
 *
 * raw:   what the silicon shows (every kind of logical CPU has it)
 * kvm:   what KVM passes on (may hold features that it emulates)
 * offer: what a guest of the virt type can be given here, migratably, by KVM,
 *        QEMU and libvirt together
 *
 * The best source of an offer is libvirt's host-model, expanded by the node's own
 * libvirt, without what only some of the node's CPUs have.  Where libvirt was not
 * asked an offer can be made of KVM's answer, or, unproven, of raw CPUID
 * (coordinator/cpu/grants.h); who uses it says how weak a source will do.
 */
#ifndef COORDINATOR_OFFER_H
#define COORDINATOR_OFFER_H

#include "coordinator/cpu/catalogue.h"
#include "proto/facts.h"
#include "proto/virt.h"

/* From the strongest to the weakest. */
enum offer_source {
	OFFER_LIBVIRT, /* host-model, expanded by the node's libvirt */
	OFFER_KVM,     /* KVM's answer, less what QEMU is known to hold back */
	OFFER_RAW,     /* raw CPUID, less what KVM is known not to give: unproven */
	OFFER_NONE,
};

extern const char *const offer_source_names[]; /* "libvirt", "kvm", "raw" */

struct offer {
	enum offer_source source;
	const char *why; /* it is not from libvirt; "" where it is */
	/* Of a file with nothing but registers: no peer says which kernel, QEMU or
	 * libvirt they belong to. */
	bool bare;
	const char *node; /* its name in texts: the facts' hostname; never NULL */
	/* Where many nodes have these facts: their names, and their places among all
	 * nodes, ascending.  node_count 0: it is one, at its place in the array. */
	const char *const *nodes;
	const size_t *places;
	size_t node_count;
	struct bitset raw, kvm, features;
	/* May be on or off whatever the CPU has, and nobody asked: a guest has them
	 * where its model does.  Empty but for OFFER_RAW. */
	struct bitset floating;
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

/* The best source of these facts; *why (may be NULL) is the reason why it is not
 * libvirt, in one line (static or owned by the facts). */
enum offer_source offer_best_source(
	const struct node_facts *f, enum virt_type virt, const char **why);

/* Can this node run guests of the virt type, as far as its facts tell, when sources
 * down to `weakest` are believed?  When not, *why is the reason, as above. */
bool offer_has_virt(const struct node_facts *f, enum virt_type virt,
	enum offer_source weakest, const char **why);

/* The offer from the best source, down to `weakest`.  RC_FACTS when there is none, with
 * the reason. */
enum rc offer_from_facts(struct catalogue *c, const struct node_facts *f,
	enum virt_type virt, enum offer_source weakest, struct arena *arena,
	struct offer *out, struct err *e);

/* Where one node of a set is proven, what the others leave floating must be stated
 * as on that node: it counts as offered by them. */
void offers_settle_floating(struct offer *offers, size_t n);

/* How many nodes have these n offers? */
size_t offers_node_count(const struct offer *offers, size_t n);

/* "n01, n02 and 3 more" of the nodes of those that are picked, for a line of text; what
 * has no name goes by its place, "node 4".  "" when memory is short. */
const char *offers_name(
	const struct offer *offers, size_t n, const bool *picked, struct arena *arena);

/* Fills in model_rows, names and sources from models, features and the versions of libvirt
 * and QEMU (major * 1000000 + minor * 1000 + release; 0 unknown). */
void offer_derive_names(struct offer *o, uint64_t libvirt_version, uint64_t qemu_version);

#endif
