/* How wide physical addresses are: a guest that migrates must not have been told of more
 * bits than the node has; it would build page tables that fault there. */
#include "coordinator/cpu/conditions_rules.h"

#include "coordinator/cpu/decode.h"

/* <maxphysaddr> of a <cpu>: libvirt's news of 8.7.0. */
enum { LIBVIRT_STATES = 8007000 };

/* QEMU's named models, where nothing is said (target/i386/cpu.h TCG_PHYS_ADDR_BITS). */
enum { QEMU_OWN = 40 };

/* What QEMU takes for phys-bits (target/i386/cpu.c x86_cpu_realizefn). */
enum { BITS_MIN = 32, BITS_MAX = 52 };

/* QEMU hands on KVM's GuestPhysAddrSize (target/i386/kvm/kvm-cpu.c). */
enum { QEMU_SHOWS_GUEST_BITS = 9001000 };

static void take_smaller(uint32_t *bits, uint32_t said)
{
	if (said && (*bits == 0 || said < *bits))
		*bits = said;
}

/* Leaf 0x80000008 EAX: [7:0] the physical width; [23:16], where KVM fills it in, what its
 * page tables can map for a guest (Linux arch/x86/kvm/cpuid.c). */
static void take_registers(uint32_t *bits, const struct registers *r, bool of_kvm)
{
	const struct register_set *sets = r->sets.item;

	for (size_t i = 0; i < r->sets.count; i++) {
		const struct leaf *l = decode_leaf(&sets[i], 0x80000008, 0);

		take_smaller(bits, l ? l->eax & 0xff : 0);
		if (of_kvm)
			take_smaller(bits, l ? l->eax >> 16 & 0xff : 0);
	}
}

/* The smallest that anybody says: KVM's word is what a guest can use, and libvirt starts
 * no guest with more than its capabilities have, which are the kernel's, less what memory
 * encryption takes (libvirt src/qemu/qemu_validate.c qemuValidateDomainDefCpu). */
static uint32_t bits_of(const struct conditions *c, size_t node)
{
	const struct node_facts *f = &c->facts[node];
	uint32_t bits = f->small.physical_address_bits;

	take_smaller(&bits, c->nodes[node].host.maxphysaddr);
	take_registers(&bits, &f->registers[BODY_host], false);
	take_registers(&bits, &f->registers[BODY_kvm], true);
	return bits >= BITS_MIN && bits <= BITS_MAX ? bits : 0;
}

static bool can_state(const struct conditions *c, size_t node)
{
	return c->facts[node].small.libvirt_version >= LIBVIRT_STATES;
}

uint32_t address_bits_on(const struct conditions *c, size_t node)
{
	return bits_of(c, node);
}

bool address_can_be_stated(const struct conditions *c, size_t node)
{
	return can_state(c, node);
}

struct widths {
	uint32_t least, most; /* of the known; 0: none is */
	bool all_known, all_can_state;
};

static struct widths widths_of(const struct conditions *c)
{
	struct widths w = { .all_known = true, .all_can_state = true };

	for (size_t i = 0; i < c->count; i++) {
		uint32_t bits = bits_of(c, i);

		take_smaller(&w.least, bits);
		w.most = bits > w.most ? bits : w.most;
		w.all_known = w.all_known && bits;
		w.all_can_state = w.all_can_state && can_state(c, i);
	}
	return w;
}

/* TCG takes nothing but its own 40 bits (QEMU target/i386/cpu.c x86_cpu_realizefn). */
uint32_t address_bits_to_state(const struct conditions *c)
{
	struct widths w = widths_of(c);

	return c->virt == VIRT_KVM && w.all_known && w.all_can_state ? w.least : 0;
}

static enum rc remark_unknown(struct conditions *c, struct err *e)
{
	bool *of = conditions_nodes(c);

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++)
		of[i] = bits_of(c, i) == 0;
	return conditions_say(c, true, "maxphysaddr", of, e,
		"the width of physical addresses is not known, so the level leaves it to "
		"QEMU (%d bits, or the node's own)",
		QEMU_OWN);
}

static enum rc remark_old_libvirt(
	struct conditions *c, const struct widths *w, struct err *e)
{
	bool *of = conditions_nodes(c);

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++)
		of[i] = !can_state(c, i);
	if (w->all_known && w->least == w->most)
		return conditions_say(c, false, "maxphysaddr", of, e,
			"libvirt is not known to be 8.7 or newer, which can state it; "
			"all nodes have %u bits",
			w->least);
	return conditions_say(c, true, "maxphysaddr", of, e,
		"libvirt is not known to be 8.7 or newer, which can state it, so the "
		"level leaves it to QEMU (%d bits, or the node's own), and the nodes "
		"have from %u to %u bits",
		QEMU_OWN, w->least, w->most);
}

/* "64 GiB": where addresses of so many bits end. */
static const char *end_text(const struct conditions *c, uint32_t bits)
{
	uint64_t end = (uint64_t)1 << (bits % 64) >> 30;

	if (end < 1024)
		return arena_format(c->arena, "%u GiB", (unsigned)end);
	return arena_format(c->arena, "%u TiB", (unsigned)(end / 1024));
}

/* QEMU keeps 32 GiB of a q35 guest's addresses for 64-bit PCI windows, and does not start
 * where they end above phys-bits (hw/i386/pc.c pc_memory_init, hw/pci-host/q35.c). */
static enum rc remark_narrowest(
	struct conditions *c, const struct widths *w, struct err *e)
{
	bool *of = conditions_nodes(c);
	const char *end = end_text(c, w->least);

	if (!of || !end)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++)
		of[i] = w->least != w->most && bits_of(c, i) == w->least;
	return conditions_say(c, false, "maxphysaddr", of, e,
		"%u bits of physical addresses are all that is here (elsewhere up to "
		"%u): a guest of the level gets less than %s of memory, and q35 needs "
		"32 GiB of that for PCI",
		w->least, w->most, end);
}

static bool shows_guest_bits(const struct conditions *c, size_t node)
{
	const struct registers *r = &c->facts[node].registers[BODY_kvm];
	const struct leaf *l = r->sets.count ? decode_leaf(r->sets.item, 0x80000008, 0)
					     : NULL;

	return l && (l->eax >> 16 & 0xff) &&
	       c->facts[node].small.hypervisor_version >= QEMU_SHOWS_GUEST_BITS;
}

static enum rc remark_guest_bits(struct conditions *c, struct err *e)
{
	bool *of = conditions_nodes(c), all = true;

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++) {
		of[i] = shows_guest_bits(c, i);
		all = all && of[i];
	}
	return all ? RC_OK
		   : conditions_say(c, false, "maxphysaddr", of, e,
			     "only here do KVM and QEMU fill in CPUID 0x80000008 "
			     "EAX[23:16]; a guest sees it change when it moves (its "
			     "firmware reads it at boot)");
}

enum rc address_remark(struct conditions *c, const struct level *l, struct err *e)
{
	struct widths w = widths_of(c);
	enum rc rc;

	if (c->virt != VIRT_KVM)
		return RC_OK;
	rc = remark_unknown(c, e);
	if (rc == RC_OK && l->maxphysaddr == 0)
		rc = remark_old_libvirt(c, &w, e);
	if (rc == RC_OK && l->maxphysaddr)
		rc = remark_narrowest(c, &w, e);
	return rc == RC_OK ? remark_guest_bits(c, e) : rc;
}
