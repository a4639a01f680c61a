#include "coordinator/verb/judge.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "coordinator/render/libvirt.h"
#include "coordinator/verb/split.h"
#include "coordinator/verb/wants.h"
#include "proto/texts.h"

enum { XML_BYTES_MAX = 256 * 1024 };

/* What is written must be libvirt's own word; to look ahead KVM's will do, and raw
 * CPUID where the user says so. */
static enum offer_source weakest_source(const struct options *o)
{
	if (o->verb->bit == FOR_NEGOTIATE)
		return OFFER_LIBVIRT;
	return o->allow_unproven ? OFFER_RAW : OFFER_KVM;
}

/* ---- virt type */

void judge_virt_types(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		for (int virt = 0; virt < VIRT_COUNT && run->nodes[i].facts; virt++)
			run->nodes[i].virt[virt] = offer_has_virt(&run->facts[i],
				(enum virt_type)virt, weakest_source(run->options),
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

/* A node that can run no guest at all says so, whatever the others can. */
static void blame_the_unable(struct run *run)
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

/* Falling back to qemu would agree on a CPU that no guest of the kvm nodes has. */
static enum rc virt_refuse_mix(struct run *run, struct err *e)
{
	err_set(e, RC_FACTS, 0,
		"kvm is missing on %s and not on the others: nothing was written "
		"(--virt-type qemu agrees on one CPU for emulated guests)",
		run_names(run, lacks_kvm));
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

enum rc judge_choose_virt(struct run *run, struct err *e)
{
	enum virt_type wanted = virt_of(run->options->virt_type);
	size_t without_kvm = lacking(run, VIRT_KVM);

	if (wanted != VIRT_COUNT)
		blame_lacking(run, wanted);
	else
		blame_the_unable(run);
	if (run_blame(run, "nothing was written", e) != RC_OK)
		return e->code;
	if (wanted != VIRT_COUNT)
		return virt_set(run, wanted);
	if (without_kvm == 0)
		return virt_set(run, VIRT_KVM);
	if (without_kvm < run->count)
		return virt_refuse_mix(run, e);
	return virt_set_emulated(run, e);
}

/* ---- offers and level */

static void offer_make(struct run *run, size_t i, enum virt_type virt)
{
	struct report_node *n = &run->nodes[i];
	struct offer *offer = &run->offers[i];
	const char *unread;

	if (!run_has(run, i) || offer_from_best(run->catalogue, &run->facts[i], virt,
					weakest_source(run->options), &run->arena, offer,
					&n->err) != RC_OK)
		return;
	offer->node = n->name; /* the user's name for it, not its own */
	n->offer = offer;
	unread = facts_gap(&run->facts[i].small, "host_cpus");
	if (unread)
		log_line(LOG_WARN, n->name, "not every CPU could be looked at: %s",
			unread);
}

static bool is_alike(const struct offer *a, const struct offer *b)
{
	return a->source == b->source && strcmp(a->why, b->why) == 0;
}

/* The first of those whose offers come from the same place for the same reason? */
static bool is_first_alike(const struct run *run, size_t node)
{
	for (size_t i = 0; i < node; i++)
		if (run->nodes[i].offer && is_alike(&run->offers[i], &run->offers[node]))
			return false;
	return true;
}

/* Says of all nodes whose offers are like this one's that libvirt did not make them. */
static enum rc remark_source(struct run *run, const struct offer *like, struct err *e)
{
	bool raw = like->source == OFFER_RAW;
	const char *text = arena_format(&run->arena,
		raw ? "unproven: raw CPUID less what KVM never gives, as libvirt was not "
		      "asked: %s"
		    : "from KVM's answer less what QEMU is known to hold back, as "
		      "libvirt was not asked: %s",
		like->why);
	struct texts nodes = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		if (run->nodes[i].offer && is_alike(&run->offers[i], like))
			rc = texts_add(&nodes, run->nodes[i].name, &run->arena, e);
	return rc == RC_OK ? run_remark_of(run, raw, "offer", nodes, text, e) : rc;
}

/* Once the offers are there. */
static enum rc offers_finish(struct run *run, struct err *e)
{
	enum rc rc = RC_OK;

	offers_settle_floating(run->offers, run->count);
	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		if (run->nodes[i].offer && run->offers[i].source != OFFER_LIBVIRT &&
			is_first_alike(run, i))
			rc = remark_source(run, &run->offers[i], e);
	return rc;
}

enum rc judge_offers(struct run *run, struct err *e)
{
	for (size_t i = 0; i < run->count; i++)
		offer_make(run, i, run->virt);
	return offers_finish(run, e);
}

enum rc judge_best_offers(struct run *run, struct err *e)
{
	blame_the_unable(run);
	for (size_t i = 0; i < run->count; i++)
		offer_make(run, i, run->nodes[i].virt[VIRT_KVM] ? VIRT_KVM : VIRT_QEMU);
	return offers_finish(run, e);
}

enum rc judge_write_xml(
	struct run *run, const struct level *level, const char **out, struct err *e)
{
	struct buf xml = buf_with_cap(XML_BYTES_MAX);
	enum rc rc = render_libvirt_cpu(&xml, level, e);
	const char *text = NULL;

	if (rc == RC_OK) {
		text = arena_text_n(
			&run->arena, buf_bytes(&xml).data, buf_bytes(&xml).size);
		rc = text ? RC_OK : err_memory(e);
	}
	*out = text ? text : "";
	buf_destroy(&xml);
	return rc;
}

static enum mitigation_floor floor_of(const char *name)
{
	int floor = 0;

	while (floor < FLOOR_COUNT && strcmp(mitigation_floor_names[floor], name) != 0)
		floor++;
	return (enum mitigation_floor)floor;
}

/* Once: the votes change the level, not what the nodes said. */
static enum rc conditions_read(struct run *run, struct err *e)
{
	if (run->conditions.nodes)
		return RC_OK;
	run->conditions = (struct conditions){ .catalogue = run->catalogue,
		.facts = run->facts,
		.offers = run->offers,
		.count = run->count,
		.virt = run->virt,
		.arena = &run->arena,
		.floor = floor_of(run->options->mitigations) };
	return conditions_begin(&run->conditions, e);
}

/* In the words of the report: a list of those that are marked. */
static enum rc remark_take(
	struct run *run, const struct condition_remark *m, struct err *e)
{
	struct texts nodes = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; m->of && i < run->count && rc == RC_OK; i++)
		if (m->of[i])
			rc = texts_add(&nodes, run->nodes[i].name, &run->arena, e);
	return rc == RC_OK ? run_remark_of(run, m->warning, m->about, nodes, m->text, e)
			   : rc;
}

static enum rc remarks_take(struct run *run, struct err *e)
{
	const struct conditions *c = &run->conditions;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < c->remark_count && rc == RC_OK; i++)
		rc = remark_take(run, &c->remarks[i], e);
	return rc;
}

enum rc judge_remarks(struct run *run, struct err *e)
{
	enum rc rc = conditions_remark(&run->conditions, &run->level, e);

	run->report.conditions = &run->conditions;
	return rc == RC_OK ? remarks_take(run, e) : rc;
}

/* A wish that cannot be had, and the conditions that may stand in its way.  The run ends
 * with it. */
static enum rc explain_refusal(struct run *run, struct err *e)
{
	enum rc rc;

	run->wishes.unsafe = run->conditions.forbidden;
	rc = wants_explain(run, e);
	if (rc == RC_OK)
		rc = conditions_explain(&run->conditions, e);
	return rc == RC_OK ? remarks_take(run, e) : rc;
}

/* Where vendors are the reason, each has a level of its own; else a wish may be. */
static enum rc refuse_level(struct run *run, struct err *e)
{
	enum rc rc = split_by_vendor(run, e);
	struct err why;

	if (rc == RC_LEVEL && run->report.pool_count == 0 &&
		explain_refusal(run, &why) != RC_OK)
		return err_set(e, why.code, why.native, "%s", why.text);
	return rc;
}

enum rc judge_level(struct run *run, struct err *e)
{
	enum rc rc = conditions_read(run, e);

	run->report.level = NULL;
	run->report.xml = "";
	if (rc == RC_OK)
		rc = conditions_choose(
			&run->conditions, &run->wishes, run->ops, &run->level, e);
	if (rc != RC_OK)
		return rc == RC_LEVEL ? refuse_level(run, e) : rc;
	rc = judge_write_xml(run, &run->level, &run->report.xml, e);
	if (rc == RC_OK)
		run->report.level = &run->level;
	return rc == RC_OK ? split_warn(run, e) : rc;
}

/* ---- why */

static enum rc loss_add(struct run *run, size_t bit, struct err *e)
{
	struct report *r = &run->report;
	struct report_loss *loss;
	enum rc rc = RC_OK;

	r->losses = arena_grow(&run->arena, r->losses, r->loss_count, sizeof(*r->losses));
	if (!r->losses)
		return err_memory(e);
	loss = &r->losses[r->loss_count++];
	*loss = (struct report_loss){ .feature = catalogue_name(run->catalogue, bit) };
	for (size_t i = 0; i < run->count && rc == RC_OK; i++) {
		const struct report_node *n = &run->nodes[i];

		if (!bitset_has(&run->offers[i].features, bit))
			rc = texts_add(&loss->lacked_by, n->name, &run->arena, e);
		else if (texts_have(&n->refused, loss->feature))
			rc = texts_add(&loss->refused_by, n->name, &run->arena, e);
	}
	return rc;
}

/* By the number of nodes that lack it, so that the cheapest cures come first. */
static int compare_losses(const void *left, const void *right)
{
	const struct report_loss *a = left, *b = right;
	size_t an = a->lacked_by.count, bn = b->lacked_by.count;

	if (an != bn)
		return an < bn ? -1 : 1;
	return strcmp(a->feature, b->feature);
}

enum rc judge_explain(struct run *run, struct err *e)
{
	struct report *r = &run->report;
	struct bitset any = { 0 };
	enum rc rc = RC_OK;

	r->losses = NULL;
	r->loss_count = 0;
	r->explains = true;
	for (size_t i = 0; i < run->count; i++)
		any = bitset_or(&any, &run->offers[i].features);
	any = bitset_minus(&any, &run->level.baseline);
	for (size_t bit = bitset_next(&any, 0); bit < BITSET_BITS && rc == RC_OK;
		bit = bitset_next(&any, bit + 1))
		rc = loss_add(run, bit, e);
	if (rc == RC_OK && r->loss_count)
		qsort(r->losses, r->loss_count, sizeof(*r->losses), compare_losses);
	return rc;
}
