#include "coordinator/verb/guests.h"

#include <string.h>

#include "coordinator/verb/offering.h"

void guests_find_types(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		for (int virt = 0; virt < VIRT_COUNT && run->nodes[i].facts; virt++)
			run->nodes[i].virt[virt] = offer_has_virt(&run->facts[i],
				(enum virt_type)virt, offering_weakest(run->options),
				&run->nodes[i].virt_why[virt]);
}

static size_t lacking(const struct run *run, enum virt_type virt)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += !run->nodes[i].virt[virt];
	return count;
}

static const char *why_not(const struct report_node *n, enum virt_type virt)
{
	return n->virt_why[virt] ? n->virt_why[virt] : "no reason given";
}

/* Every node that lacks this type says so. */
static void blame_lacking(struct run *run, enum virt_type virt)
{
	for (size_t i = 0; i < run->count; i++)
		if (!run->nodes[i].virt[virt] && run_has(run, i))
			err_set(&run->nodes[i].err, RC_FACTS, 0,
				"no guests of virt type %s: %s", virt_names[virt],
				why_not(&run->nodes[i], virt));
}

static void blame_both(struct report_node *n)
{
	const char *kvm = why_not(n, VIRT_KVM), *qemu = why_not(n, VIRT_QEMU);

	if (strcmp(kvm, qemu) == 0)
		err_set(&n->err, RC_FACTS, 0, "no guests can run here: %s", kvm);
	else
		err_set(&n->err, RC_FACTS, 0, "no guests can run here; kvm: %s; qemu: %s",
			kvm, qemu);
}

void guests_blame_the_unable(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (!run->nodes[i].virt[VIRT_KVM] && !run->nodes[i].virt[VIRT_QEMU] &&
			run_has(run, i))
			blame_both(&run->nodes[i]);
}

static enum rc virt_set(struct run *run, enum virt_type virt)
{
	run->virt = virt;
	run->report.virt = virt_names[virt];
	return RC_OK;
}

static bool lacks_kvm(const struct report_node *n)
{
	return !n->virt[VIRT_KVM];
}

static const char *consequence(const struct run *run)
{
	unsigned bit = run->options->verb->bit;

	return bit == FOR_NEGOTIATE ? "nothing was written"
	       : bit & FOR_TRIALS   ? "no guest was started"
				    : "no plan";
}

/* Falling back to qemu would agree on a CPU that no guest of the kvm nodes has. */
static enum rc virt_refuse_mix(struct run *run, struct err *e)
{
	err_set(e, RC_FACTS, 0,
		"kvm is missing on %s and not on the others: %s (--virt-type qemu agrees "
		"on one CPU for emulated guests)",
		run_names(run, lacks_kvm), consequence(run));
	blame_lacking(run, VIRT_KVM);
	return e->code;
}

static enum rc virt_set_emulated(struct run *run, struct err *e)
{
	run->report.virt_note = arena_format(&run->arena,
		"virt type qemu: no node has kvm; %s: %s", run->nodes[0].name,
		why_not(&run->nodes[0], VIRT_KVM));
	if (!run->report.virt_note)
		return err_memory(e);
	return virt_set(run, VIRT_QEMU);
}

enum rc guests_choose_type(struct run *run, struct err *e)
{
	enum virt_type wanted = virt_of(run->options->virt_type);
	size_t without_kvm = lacking(run, VIRT_KVM);

	if (wanted != VIRT_COUNT)
		blame_lacking(run, wanted);
	else
		guests_blame_the_unable(run);
	if (run_blame(run, consequence(run), e) != RC_OK)
		return e->code;
	if (wanted != VIRT_COUNT)
		return virt_set(run, wanted);
	if (without_kvm == 0)
		return virt_set(run, VIRT_KVM);
	if (without_kvm < run->count)
		return virt_refuse_mix(run, e);
	return virt_set_emulated(run, e);
}
