/* Mitigations that a guest loses because some node cannot give them. */
#include "coordinator/cpu/conditions_rules.h"

#include <string.h>

#include "proto/texts.h"

const char *const mitigation_floor_names[FLOOR_COUNT] = {
	[FLOOR_WARN] = "warn",
	[FLOOR_REQUIRE] = "require",
	[FLOOR_IGNORE] = "ignore",
};

enum mitigation_floor mitigation_floor_of(const char *name)
{
	int floor = 0;

	while (floor < FLOOR_COUNT && strcmp(mitigation_floor_names[floor], name) != 0)
		floor++;
	return (enum mitigation_floor)floor;
}

/* What a guest's kernel defends itself with, or learns that it need not (Linux
 * arch/x86/kernel/cpu/bugs.c and Documentation/admin-guide/hw-vuln; Intel SDM 4 on
 * IA32_ARCH_CAPABILITIES; AMD APM 3, leaves 80000008 and 80000021). */
static const struct mitigation {
	const char *feature, *use;
} mitigations[] = {
	{ "spec-ctrl", "IBRS and IBPB against Spectre v2" },
	{ "stibp", "Spectre v2 between threads" },
	{ "ssbd", "Speculative Store Bypass" },
	{ "md-clear", "MDS: buffers can be cleared" },
	{ "flush-l1d", "L1TF: the L1 cache can be flushed" },
	{ "arch-capabilities", "tells what the CPU is immune to" },
	{ "rdctl-no", "immune to Meltdown and L1TF" },
	{ "ibrs-all", "enhanced IBRS" },
	{ "rsba", "warns that retpoline is not enough" },
	{ "skip-l1dfl-vmentry", "L1TF: no flush needed" },
	{ "ssb-no", "immune to Speculative Store Bypass" },
	{ "mds-no", "immune to MDS" },
	{ "pschange-mc-no", "immune to iTLB multihit" },
	{ "tsx-ctrl", "TSX can be switched off against TAA" },
	{ "taa-no", "immune to TAA" },
	{ "sbdr-ssdp-no", "immune to MMIO stale data" },
	{ "fbsdp-no", "immune to MMIO stale data" },
	{ "psdp-no", "immune to MMIO stale data" },
	{ "fb-clear", "MMIO stale data: buffers can be cleared" },
	{ "pbrsb-no", "immune to post-barrier RSB" },
	{ "gds-no", "immune to Downfall" },
	{ "rfds-no", "immune to register file sampling" },
	{ "rfds-clear", "register file sampling: buffers can be cleared" },
	{ "bhi-no", "immune to Branch History Injection" },
	{ "bhi-ctrl", "Branch History Injection" },
	{ "ipred-ctrl", "indirect branch prediction can be limited" },
	{ "rrsba-ctrl", "RSB alternates can be switched off" },
	{ "mcdt-no", "immune to MCDT" },
	{ "its-no", "immune to Indirect Target Selection" },
	{ "intel-psfd", "Predictive Store Forwarding" },
	{ "ibpb", "barrier against Spectre v2" },
	{ "ibrs", "Spectre v2" },
	{ "amd-stibp", "Spectre v2 between threads" },
	{ "stibp-always-on", "Spectre v2 between threads" },
	{ "auto-ibrs", "automatic IBRS against Spectre v2" },
	{ "amd-ssbd", "Speculative Store Bypass" },
	{ "virt-ssbd", "Speculative Store Bypass" },
	{ "amd-no-ssb", "immune to Speculative Store Bypass" },
	{ "amd-psfd", "Predictive Store Forwarding" },
	{ "ibpb-brtype", "SRSO: the barrier clears branch types" },
	{ "sbpb", "SRSO: a cheaper barrier" },
	{ "srso-no", "immune to SRSO" },
	{ "srso-user-kernel-no", "immune to SRSO across the kernel's border" },
	{ "verw-clear", "TSA: buffers can be cleared" },
	{ "tsa-sq-no", "immune to TSA" },
	{ "tsa-l1-no", "immune to TSA" },
	{ "lfence-always-serializing", "lfence stops Spectre v1" },
	{ "no-nested-data-bp", "nested data breakpoints" },
	{ "null-sel-clr-base", "null selectors clear their base" },
};

enum { MITIGATIONS = sizeof(mitigations) / sizeof(mitigations[0]) };

/* Why a node does not offer a feature. */
enum reason { OFFERED, ABSENT, UNNAMED };

/* Do KVM's registers say that the node lacks the feature?  Not if they, or its MSR, could
 * not be read, or nobody knows where the feature is. */
static bool kvm_denies(const struct conditions *c, size_t node, size_t bit)
{
	const struct feature_row *row = catalogue_feature(c->catalogue, bit);
	const struct offer *o = &c->offers[node];

	if (!row || bitset_is_empty(&o->kvm) || bitset_has(&o->kvm, bit))
		return false;
	return !row->is_msr || !facts_gap(&c->facts[node].small, "kvm_msrs");
}

/* A libvirt that does not know the name cannot offer it: what the node itself has is then
 * for KVM's registers to say, and a guest gets it as little. */
static enum reason reason_of(const struct conditions *c, size_t node, size_t bit)
{
	const struct offer *o = &c->offers[node];

	if (bitset_has(&o->features, bit))
		return OFFERED;
	if (bitset_has(&o->names, bit) || kvm_denies(c, node, bit))
		return ABSENT;
	return UNNAMED;
}

/* The bit of a mitigation that some node offers and the level lacks; -1: not so. */
static int lost_bit(
	const struct conditions *c, const struct mitigation *m, const struct level *l)
{
	int bit = catalogue_find(c->catalogue, m->feature);

	if (bit < 0 || bitset_has(&l->baseline, (size_t)bit))
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (bitset_has(&c->offers[i].features, (size_t)bit))
			return bit;
	return -1;
}

/* ---- remarks */

struct loss {
	const struct mitigation *mitigation;
	bool *absent, *unnamed; /* by node */
	bool said;
};

static enum rc collect_losses(const struct conditions *c, const struct level *l,
	struct loss *out, size_t *count, struct err *e)
{
	*count = 0;
	for (size_t m = 0; m < MITIGATIONS; m++) {
		int bit = lost_bit(c, &mitigations[m], l);
		struct loss *loss = &out[*count];

		if (bit < 0)
			continue;
		*loss = (struct loss){ &mitigations[m], conditions_nodes(c),
			conditions_nodes(c), false };
		if (!loss->absent || !loss->unnamed)
			return err_memory(e);
		for (size_t i = 0; i < c->count; i++) {
			enum reason reason = reason_of(c, i, (size_t)bit);

			loss->absent[i] = reason == ABSENT;
			loss->unnamed[i] = reason == UNNAMED;
		}
		++*count;
	}
	return RC_OK;
}

static bool same_cause(
	const struct conditions *c, const struct loss *a, const struct loss *b)
{
	return memcmp(a->absent, b->absent, c->count * sizeof(bool)) == 0 &&
	       memcmp(a->unnamed, b->unnamed, c->count * sizeof(bool)) == 0;
}

/* "ssbd (Speculative Store Bypass), stibp (…)": all that were lost for one cause. */
static const char *group_text(
	const struct conditions *c, struct loss *losses, size_t first, size_t count)
{
	const char *text = "";

	for (size_t i = first; i < count && text; i++) {
		if (losses[i].said || !same_cause(c, &losses[first], &losses[i]))
			continue;
		losses[i].said = true;
		text = arena_format(c->arena, "%s%s%s (%s)", text, text[0] ? ", " : "",
			losses[i].mitigation->feature, losses[i].mitigation->use);
	}
	return text;
}

static enum rc remark_group(struct conditions *c, struct loss *losses, size_t first,
	size_t count, struct err *e)
{
	const struct loss *loss = &losses[first];
	const char *what = group_text(c, losses, first, count);
	enum rc rc;

	if (!what)
		return err_memory(e);
	if (!conditions_any(c, loss->absent) && !conditions_any(c, loss->unnamed))
		return conditions_say(c, true, "mitigations", NULL, e,
			"all nodes offer them, and the level was made without: %s", what);
	rc = conditions_say(c, true, "mitigations", loss->absent, e,
		"lost, not offered here: %s; newer microcode or kernel may bring it",
		what);
	if (rc == RC_OK)
		rc = conditions_say(c, true, "mitigations", loss->unnamed, e,
			"lost; the node may have them, but libvirt here is not known to "
			"know the names: %s",
			what);
	return rc;
}

enum rc mitigation_remark(struct conditions *c, const struct level *l, struct err *e)
{
	struct loss losses[MITIGATIONS];
	size_t count;
	enum rc rc;

	if (c->floor == FLOOR_IGNORE)
		return RC_OK;
	rc = collect_losses(c, l, losses, &count, e);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		if (!losses[i].said)
			rc = remark_group(c, losses, i, count, e);
	return rc;
}

/* ---- the floor */

/* "ssbd (not on node03, node07 and 5 more)" */
static const char *who_lacks(const struct conditions *c, size_t bit, const char *feature)
{
	bool *lacking = conditions_nodes(c);

	if (!lacking)
		return NULL;
	for (size_t i = 0; i < c->count; i++)
		lacking[i] = !bitset_has(&c->offers[i].features, bit);
	if (!conditions_any(c, lacking))
		return arena_format(c->arena, "%s (taken out)", feature);
	return arena_format(c->arena, "%s (not on %s)", feature,
		offers_name(c->offers, c->count, lacking, c->arena));
}

/* All that the level lost, each with who lacks it. */
static enum rc collect_lost(const struct conditions *c, const struct level *l,
	struct texts *out, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t m = 0; m < MITIGATIONS && rc == RC_OK; m++) {
		const char *feature = mitigations[m].feature;
		int bit = lost_bit(c, &mitigations[m], l);

		if (bit >= 0)
			rc = texts_add(
				out, who_lacks(c, (size_t)bit, feature), c->arena, e);
	}
	return rc;
}

enum rc mitigation_check(const struct conditions *c, const struct level *l, struct err *e)
{
	struct texts lost = { 0 };
	const char *text;

	if (c->floor != FLOOR_REQUIRE)
		return RC_OK;
	if (collect_lost(c, l, &lost, e) != RC_OK)
		return e->code;
	if (lost.count == 0)
		return RC_OK;
	text = texts_join(&lost, lost.count, c->arena);
	if (!text)
		return err_memory(e);
	return err_set(e, RC_LEVEL, 0,
		"guests would lose mitigations (--mitigations warn accepts that): %.800s",
		text);
}
