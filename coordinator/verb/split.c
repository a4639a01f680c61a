#include "coordinator/verb/split.h"

#include <string.h>

#include "coordinator/cpu/pools.h"
#include "coordinator/cpu/vendor.h"
#include "coordinator/report/groups.h"
#include "coordinator/verb/classes.h"
#include "coordinator/verb/judge.h"
#include "proto/texts.h"

/* ---- pools */

/* "node02,node05": of all nodes but these.  It goes with any other option of the run,
 * which a list of the pool's own nodes would not (--hosts, --from). */
static enum rc names_but(struct run *run, const bool *of, const char **out, struct err *e)
{
	struct texts names = { 0 }, folded;
	bool *others = arena_alloc(&run->arena, run->class_count, sizeof(*others));
	enum rc rc = others ? RC_OK : err_memory(e);

	for (size_t i = 0; i < run->class_count && rc == RC_OK; i++)
		others[i] = !of[i];
	if (rc == RC_OK)
		rc = classes_add_names(run, others, &names, e);
	if (rc == RC_OK && names.count > GROUPS_TABLE_NODES) {
		rc = groups_fold(&names, &run->arena, &folded, e);
		names = folded;
	}
	*out = rc == RC_OK ? texts_join_with(&names, ",", &run->arena) : NULL;
	return rc == RC_OK && !*out ? err_memory(e) : rc;
}

static enum rc pool_report(
	struct run *run, const struct pool *from, struct report_pool *to, struct err *e)
{
	bool *of = arena_alloc(&run->arena, run->class_count, sizeof(*of));

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < from->count; i++)
		of[from->node[i]] = true;
	*to = (struct report_pool){ .vendor = from->vendor,
		.title = vendor_title(from->vendor, &run->arena),
		.xml = "",
		.err = from->why };
	if (names_but(run, of, &to->without, e) != RC_OK)
		return e->code;
	if (classes_add_names(run, of, &to->nodes, e) != RC_OK)
		return e->code;
	if (from->why.code != RC_OK)
		return RC_OK;
	to->level = &from->level;
	if (judge_take_remarks(run, from->remarks, from->remark_count, from, e) != RC_OK)
		return e->code;
	return judge_write_xml(run, to->level, &to->xml, e);
}

enum rc split_by_vendor(struct run *run, struct err *e)
{
	struct report *r = &run->report;
	struct err inner;
	struct pool *pools;
	size_t count;

	if (run->wishes.cross_vendor ||
		vendor_is_one(run->offers, run->class_count, run->virt))
		return e->code;
	if (pools_choose(&run->conditions, &run->wishes, run->ops, &pools, &count,
		    &inner) != RC_OK)
		return err_set(e, inner.code, 0, "%s", inner.text);
	r->pool_count = 0;
	r->pools = arena_alloc(&run->arena, count, sizeof(*r->pools));
	if (!r->pools)
		return err_memory(e);
	for (size_t i = 0; i < count; i++) {
		if (pool_report(run, &pools[i], &r->pools[i], &inner) != RC_OK)
			return err_set(e, inner.code, 0, "%s", inner.text);
		r->pool_count++;
	}
	return e->code;
}

/* ---- --cross-vendor */

/* KVM: QEMU target/i386/host-cpu.c, host_cpu_instance_init().  What Linux decides at boot
 * by vendor: arch/x86/entry/vdso/vdso32-setup.c (sysenter or syscall in 32-bit programs),
 * arch/x86/kernel/cpu/common.c, cpu_vuln_whitelist (which holes there are to close). */
static const char *const warnings[VIRT_COUNT] = {
	[VIRT_KVM] =
		"with KVM a guest sees its host's CPU vendor, and these nodes' differ: "
		"what it decided by vendor at boot it keeps, so moved live to another "
		"vendor it can crash (32-bit programs above all) and lacks mitigations "
		"that only the new CPU needs (Meltdown, L1TF, MDS); shut down and "
		"started again it is safe",
	[VIRT_QEMU] = "an emulated CPU has the vendor of QEMU's model, the same on every "
		      "host, so the hosts' vendors do not matter",
};

enum rc split_warn(struct run *run, struct err *e)
{
	bool one = vendor_is_one(run->offers, run->class_count, run->virt);
	const char *text = warnings[run->virt];

	if (!run->wishes.cross_vendor || run->report.rounds > 0)
		return RC_OK;
	if (one && run->virt == VIRT_KVM)
		text = "all these nodes are of one vendor: without --cross-vendor the "
		       "level can have a model of that vendor";
	return run_remark_of(run, !one && run->virt == VIRT_KVM, "vendor",
		(struct texts){ 0 }, text, e);
}
