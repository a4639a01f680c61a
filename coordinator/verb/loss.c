#include "coordinator/verb/loss.h"

#include <stdlib.h>
#include <string.h>

#include "proto/texts.h"

/* Does a class offer one of two features and not the other? */
static bool tells_apart(const struct run *run, size_t a, size_t b)
{
	for (size_t i = 0; i < run->class_count; i++)
		if (bitset_has(&run->offers[i].features, a) !=
			bitset_has(&run->offers[i].features, b))
			return true;
	return false;
}

static bool was_refused(const struct run *run, const char *feature)
{
	for (size_t i = 0; i < run->count; i++)
		if (texts_have(&run->nodes[i].refused, feature))
			return true;
	return false;
}

/* An earlier loss with the same nodes: they need not be listed again. */
static const struct report_loss *loss_like(
	const struct run *run, const size_t *bits, size_t count)
{
	const struct report_loss *losses = run->report.losses;

	if (was_refused(run, losses[count].feature))
		return NULL;
	for (size_t i = count; i-- > 0;)
		if (!losses[i].refused_by.count &&
			!tells_apart(run, bits[i], bits[count]))
			return &losses[i];
	return NULL;
}

static enum rc loss_add(struct run *run, size_t *bits, size_t bit, struct err *e)
{
	struct report *r = &run->report;
	const struct report_loss *like;
	struct report_loss *loss;
	enum rc rc = RC_OK;

	r->losses = arena_grow(&run->arena, r->losses, r->loss_count, sizeof(*r->losses));
	if (!r->losses)
		return err_memory(e);
	loss = &r->losses[r->loss_count];
	*loss = (struct report_loss){ .feature = catalogue_name(run->catalogue, bit) };
	bits[r->loss_count] = bit;
	like = loss_like(run, bits, r->loss_count++);
	if (like) {
		loss->lacked_by = like->lacked_by;
		return RC_OK;
	}
	for (size_t i = 0; i < run->count && rc == RC_OK; i++) {
		const struct report_node *n = &run->nodes[i];

		if (!bitset_has(&n->offer->features, bit))
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

enum rc loss_explain(struct run *run, struct err *e)
{
	struct report *r = &run->report;
	struct bitset any = { 0 };
	size_t bits[BITSET_BITS];
	enum rc rc = RC_OK;

	r->losses = NULL;
	r->loss_count = 0;
	r->explains = true;
	for (size_t i = 0; i < run->class_count; i++)
		any = bitset_or(&any, &run->offers[i].features);
	any = bitset_minus(&any, &run->level.baseline);
	for (size_t bit = bitset_next(&any, 0); bit < BITSET_BITS && rc == RC_OK;
		bit = bitset_next(&any, bit + 1))
		rc = loss_add(run, bits, bit, e);
	if (rc == RC_OK && r->loss_count)
		qsort(r->losses, r->loss_count, sizeof(*r->losses), compare_losses);
	return rc;
}
