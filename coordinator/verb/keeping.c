#include "coordinator/verb/keeping.h"

#include <string.h>

#include "coordinator/verb/guests.h"
#include "coordinator/verb/judge.h"
#include "coordinator/verb/offering.h"
#include "coordinator/verb/vote.h"
#include "proto/texts.h"

/* ---- judging */

static void level_take(struct run *run, const struct agreement *a)
{
	run->level = a->level;
	holds_meet(&run->level, run->offers, run->class_count);
	run->report.level = &run->level;
	run->report.level_name = a->lock.level.name;
	run->report.xml = a->xml;
}

/* Facts that know of no such guests say so for certain; a libvirt that could not be asked
 * does not. */
static void unable_find(struct run *run, struct keeping *k)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct report_node *n = &run->nodes[i];
		const char *why;

		k->unable[i] = n->facts && !n->offer && n->err.code == RC_FACTS &&
			       !offer_has_virt(n->facts, run->virt, OFFER_KVM, &why);
	}
}

static enum rc classes_judge(struct run *run, struct keeping *k, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->class_count && rc == RC_OK; i++)
		if (run->offers[i].node)
			rc = holds_judge(&run->conditions, i, &run->level,
				&k->agreement->ground, &k->holdings[i], e);
	return rc;
}

enum rc keeping_judge(
	struct run *run, const struct agreement *a, struct keeping *out, struct err *e)
{
	enum rc rc;

	*out = (struct keeping){ .agreement = a,
		.holdings = arena_alloc(
			&run->arena, run->class_count + 1, sizeof(*out->holdings)),
		.refusals = arena_alloc(
			&run->arena, run->count + 1, sizeof(*out->refusals)),
		.unable = arena_alloc(&run->arena, run->count + 1, sizeof(bool)) };
	if (!out->holdings || !out->refusals || !out->unable)
		return err_memory(e);
	run->virt = a->virt;
	run->report.virt = virt_names[a->virt];
	guests_find_types(run);
	run->conditions.nodes = NULL;
	rc = offering_make(run, e);
	unable_find(run, out);
	level_take(run, a);
	if (rc == RC_OK)
		rc = judge_read_conditions(run, e);
	return rc == RC_OK ? classes_judge(run, out, e) : rc;
}

enum rc keeping_vote(struct run *run, struct keeping *k, struct err *e)
{
	return run->fleet ? vote_once(run, k->refusals, e) : RC_OK;
}

/* ---- saying */

static const struct holding *holding_of(
	const struct run *run, const struct keeping *k, size_t node)
{
	const struct report_node *n = &run->nodes[node];

	return n->offer ? &k->holdings[n->class] : NULL;
}

const char *keeping_why(struct run *run, const struct keeping *k, size_t node)
{
	const struct holding *h = holding_of(run, k, node);
	struct texts reasons = { 0 };
	struct err e;

	if (k->unable[node])
		return arena_format(&run->arena, "%s", run->nodes[node].err.text);
	for (size_t i = 0; h && i < h->count; i++)
		if (texts_add(&reasons, h->reason[i].text, &run->arena, &e) != RC_OK)
			return NULL;
	if (k->refusals[node] &&
		texts_add(&reasons,
			arena_format(&run->arena, "its libvirt says no: %s",
				k->refusals[node]),
			&run->arena, &e) != RC_OK)
		return NULL;
	return reasons.count ? texts_join_with(&reasons, "; ", &run->arena) : "";
}

struct bitset keeping_lost(const struct run *run, const struct keeping *k, size_t node)
{
	const struct holding *h = holding_of(run, k, node);
	struct bitset lost = { { 0 } };

	for (size_t i = 0; h && i < h->count; i++)
		lost = bitset_or(&lost, &h->reason[i].features);
	for (size_t i = 0; i < run->nodes[node].refused.count; i++) {
		int bit = catalogue_find(
			run->catalogue, run->nodes[node].refused.item[i]);

		if (bit >= 0 && bitset_has(&run->level.baseline, (size_t)bit))
			bitset_add(&lost, (size_t)bit);
	}
	return lost;
}
