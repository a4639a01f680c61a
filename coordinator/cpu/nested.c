/* Guests that run guests: what vmx means is decided by a dozen MSRs beside its bit. */
#include "coordinator/cpu/conditions_rules.h"

#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "coordinator/cpu/decode.h"

/* IA32_VMX_BASIC to IA32_VMX_VMFUNC (Intel SDM 3, appendix A). */
enum { VMX_FIRST = 0x480, VMX_LAST = 0x491 };

/* ---- can the controls be stated, or are they equal? */

/* vmx-* names that some node's libvirt knows. */
static struct bitset controls_known(const struct conditions *c)
{
	struct bitset any = { { 0 } }, controls = { { 0 } };

	for (size_t i = 0; i < c->count; i++)
		any = bitset_or(&any, &c->offers[i].names);
	for (size_t bit = bitset_next(&any, 0); bit < BITSET_BITS;
		bit = bitset_next(&any, bit + 1))
		if (text_starts_with(catalogue_name(c->catalogue, bit), "vmx-"))
			bitset_add(&controls, bit);
	return controls;
}

static bool can_state(
	const struct conditions *c, size_t node, const struct bitset *controls)
{
	return !bitset_is_empty(controls) &&
	       bitset_is_subset(controls, &c->offers[node].names);
}

static bool all_can_state(const struct conditions *c, const struct bitset *controls)
{
	for (size_t i = 0; i < c->count; i++)
		if (!can_state(c, i, controls))
			return false;
	return true;
}

/* Registers that KVM has none of read as absent; that is something else than
 * registers which could not be asked for. */
static bool msrs_are_known(const struct conditions *c, size_t node)
{
	const struct facts *f = &c->facts[node].small;

	return !facts_gap(f, "kvm") && !facts_gap(f, "kvm_msrs");
}

static const struct msr *kvm_msr(const struct node_facts *f, uint32_t index)
{
	const struct registers *kvm = &f->registers[BODY_kvm];

	return kvm->sets.count ? decode_msr(kvm->sets.item, index) : NULL;
}

static bool same_msrs(const struct node_facts *a, const struct node_facts *b)
{
	for (uint32_t index = VMX_FIRST; index <= VMX_LAST; index++) {
		const struct msr *x = kvm_msr(a, index), *y = kvm_msr(b, index);

		if (!x != !y || (x && x->value != y->value))
			return false;
	}
	return true;
}

/* Major and minor: each version of QEMU may mean other controls by a model. */
static bool same_qemu(const struct node_facts *a, const struct node_facts *b)
{
	return a->small.hypervisor_version / 1000 == b->small.hypervisor_version / 1000;
}

static bool all_are_equal(const struct conditions *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (!msrs_are_known(c, i) || !same_msrs(&c->facts[0], &c->facts[i]) ||
			!same_qemu(&c->facts[0], &c->facts[i]))
			return false;
	return true;
}

static bool vmx_must_go(const struct conditions *c, const struct bitset *baseline)
{
	struct bitset controls;

	if (c->virt != VIRT_KVM || !conditions_several(c) ||
		!conditions_has(baseline, "vmx"))
		return false;
	controls = controls_known(c);
	return !all_can_state(c, &controls) && !all_are_equal(c);
}

struct bitset nested_forbids(const struct conditions *c, const struct bitset *baseline)
{
	struct bitset forbidden = { { 0 } };

	if (!vmx_must_go(c, baseline))
		return forbidden;
	for (size_t bit = bitset_next(baseline, 0); bit < BITSET_BITS;
		bit = bitset_next(baseline, bit + 1)) {
		const char *name = catalogue_name(c->catalogue, bit);

		if (strcmp(name, "vmx") == 0 || text_starts_with(name, "vmx-"))
			bitset_add(&forbidden, bit);
	}
	return forbidden;
}

/* ---- what a level was agreed on */

/* As same_msrs() and same_qemu() compare: an MSR that is absent is not one that is 0. */
const char *nested_ground_on(const struct conditions *c, size_t node)
{
	const struct node_facts *f = &c->facts[node];
	uint64_t ground[2 * (VMX_LAST - VMX_FIRST + 1) + 1] = { 0 };
	char hex[DIGEST_HEX_MAX];
	struct digest digest;

	for (uint32_t i = 0; i <= VMX_LAST - VMX_FIRST; i++) {
		const struct msr *m = kvm_msr(f, VMX_FIRST + i);

		ground[2 * i] = m != NULL;
		ground[2 * i + 1] = m ? m->value : 0;
	}
	ground[2 * (VMX_LAST - VMX_FIRST + 1)] = f->small.hypervisor_version / 1000;
	digest = digest_of(ground, sizeof(ground));
	digest_to_hex(&digest, hex);
	return msrs_are_known(c, node) ? arena_text(c->arena, hex) : "";
}

const char *nested_ground_of(const struct conditions *c, const struct bitset *features)
{
	struct bitset controls = controls_known(c);

	if (c->virt != VIRT_KVM || !conditions_has(features, "vmx") ||
		all_can_state(c, &controls))
		return "";
	return nested_ground_on(c, 0);
}

/* ---- remarks */

static enum rc remark_vmx(struct conditions *c, struct err *e)
{
	struct bitset controls = controls_known(c);
	bool *unread = conditions_nodes(c), *speechless = conditions_nodes(c);
	enum rc rc;

	if (!unread || !speechless)
		return err_memory(e);
	if (!vmx_must_go(c, &c->before))
		return RC_OK;
	for (size_t i = 0; i < c->count; i++) {
		unread[i] = !msrs_are_known(c, i);
		speechless[i] = !can_state(c, i, &controls);
	}
	rc = conditions_say(c, true, "nested", speechless, e,
		"vmx left the level: libvirt does not know all vmx-* names here, and "
		"KVM's VMX registers and QEMU are not proven to be equal on all nodes");
	return rc == RC_OK ? conditions_say(c, false, "nested", unread, e,
				     "KVM's VMX registers could not be read")
			   : rc;
}

/* vmx or svm that some offer and others do not. */
static enum rc remark_partial(struct conditions *c, const char *feature, struct err *e)
{
	bool *of = conditions_nodes(c);
	size_t lacking = 0;

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++) {
		of[i] = !conditions_has(&c->offers[i].features, feature);
		lacking += of[i];
	}
	if (lacking == c->count)
		return RC_OK;
	return conditions_say(c, false, "nested", of, e,
		"no %s here, so no guest of the level can run guests", feature);
}

/* kvm_intel.nested, kvm_amd.nested; NULL: not known, or no such module. */
static const char *nested_of(const struct node_facts *f)
{
	const struct parameter *p = f->small.parameters.item;

	for (size_t i = 0; i < f->small.parameters.count; i++)
		if (strcmp(p[i].name, "nested") == 0)
			return p[i].value;
	return NULL;
}

/* /sys shows a flag as Y or N, older kernels as 1 or 0. */
static bool is_on(const char *value)
{
	return value[0] == 'Y' || value[0] == 'y' || value[0] == '1';
}

static enum rc remark_parameters(struct conditions *c, struct err *e)
{
	bool *of = conditions_nodes(c), some_on = false;

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++) {
		const char *value = nested_of(&c->facts[i]);

		of[i] = value && !is_on(value);
		some_on = some_on || (value && is_on(value));
	}
	return some_on ? conditions_say(c, false, "nested", of, e,
				 "the KVM module's parameter 'nested' is off here and "
				 "on elsewhere")
		       : RC_OK;
}

static enum rc remark_unsaid(struct conditions *c, const struct level *l, struct err *e)
{
	if (!conditions_several(c) || !conditions_has(&l->baseline, "vmx") ||
		bitset_is_empty(&l->unsaid))
		return RC_OK;
	return conditions_say(c, false, "nested", NULL, e,
		"the level cannot name %zu vmx-* controls of the model: they are equal "
		"only as long as the nodes' kernels and QEMUs are",
		bitset_count(&l->unsaid));
}

enum rc nested_remark(struct conditions *c, const struct level *l, struct err *e)
{
	enum rc rc;

	if (c->virt != VIRT_KVM)
		return RC_OK;
	rc = remark_vmx(c, e);
	if (rc == RC_OK)
		rc = remark_unsaid(c, l, e);
	if (rc == RC_OK)
		rc = remark_partial(c, "vmx", e);
	if (rc == RC_OK)
		rc = remark_partial(c, "svm", e);
	return rc == RC_OK ? remark_parameters(c, e) : rc;
}
