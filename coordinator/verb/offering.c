#include "coordinator/verb/offering.h"

#include <string.h>

#include "base/log.h"
#include "coordinator/verb/classes.h"
#include "coordinator/verb/guests.h"
#include "proto/texts.h"

enum offer_source offering_weakest(const struct options *o)
{
	if (o->verb->bit & (FOR_NEGOTIATE | FOR_CHECK | FOR_ADMIT | FOR_TRIALS))
		return OFFER_LIBVIRT;
	return o->allow_unproven ? OFFER_RAW : OFFER_KVM;
}

/* What a class could not be offered is the err of each of its nodes. */
static void offer_hand_out(struct run *run, size_t class, const struct err *why)
{
	const struct run_class *c = &run->classes[class];

	for (size_t i = 0; i < c->count; i++) {
		struct report_node *n = &run->nodes[c->places[i]];

		if (n->err.code != RC_OK)
			continue;
		if (why->code == RC_OK)
			n->offer = &run->offers[class];
		else
			n->err = *why;
	}
}

static void warn_of_unread(const struct run *run, size_t class)
{
	const struct run_class *c = &run->classes[class];
	const char *unread = facts_gap(&run->class_facts[class].small, "host_cpus");

	if (unread && c->count == 1)
		log_line(LOG_WARN, c->names[0], "not every CPU could be looked at: %s",
			unread);
	else if (unread)
		log_line(LOG_WARN, NULL,
			"%s and %zu more: not every CPU could be looked at: %s",
			c->names[0], c->count - 1, unread);
}

/* An offer does not depend on the TSC, and classes that differ by it alone stand for very
 * many equal machines. */
static const struct offer *offer_of_twin(
	const struct run *run, size_t class, enum virt_type virt)
{
	size_t kind = run->classes[class].kind;

	if (kind == class || run->offer_virt[kind] != virt || !run->offers[kind].node)
		return NULL;
	return &run->offers[kind];
}

static void offer_make(struct run *run, size_t class, enum virt_type virt)
{
	const struct run_class *c = &run->classes[class];
	const struct offer *twin = offer_of_twin(run, class, virt);
	struct offer *offer = &run->offers[class];
	struct err why = { 0 };

	if (!run_has(run, c->places[0]))
		return;
	if (twin)
		*offer = *twin;
	else if (offer_from_facts(run->catalogue, &run->class_facts[class], virt,
			 offering_weakest(run->options), &run->arena, offer,
			 &why) != RC_OK)
		*offer = (struct offer){ 0 };
	run->offer_virt[class] = virt;
	offer->node = why.code == RC_OK ? c->names[0] : NULL;
	offer->nodes = c->names;
	offer->places = c->places;
	offer->node_count = c->count;
	offer_hand_out(run, class, &why);
	if (why.code == RC_OK)
		warn_of_unread(run, class);
}

static bool has_offer(const struct run *run, size_t class)
{
	return run->offers[class].node != NULL;
}

static bool is_alike(const struct offer *a, const struct offer *b)
{
	return a->source == b->source && strcmp(a->why, b->why) == 0;
}

/* Says of all nodes whose offers come from the same place for the same reason as this one's
 * that libvirt did not make them, and marks their classes as told. */
static enum rc remark_source(
	struct run *run, const struct offer *like, bool *told, struct err *e)
{
	bool raw = like->source == OFFER_RAW;
	struct arena scratch = { 0 };
	bool *of = arena_alloc(&scratch, run->class_count, sizeof(*of));
	const char *text = arena_format(&run->arena,
		raw ? "unproven: raw CPUID less what KVM never gives, as libvirt was not "
		      "asked: %s"
		    : "from KVM's answer less what QEMU is known to hold back, as "
		      "libvirt was not asked: %s",
		like->why);
	struct texts nodes = { 0 };
	enum rc rc;

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < run->class_count; i++) {
		of[i] = !told[i] && has_offer(run, i) && is_alike(&run->offers[i], like);
		told[i] |= of[i];
	}
	rc = classes_add_names(run, of, &nodes, e);
	arena_destroy(&scratch);
	return rc == RC_OK ? run_remark_of(run, raw, "offer", nodes, text, e) : rc;
}

/* Once the offers are there. */
static enum rc offers_finish(struct run *run, struct err *e)
{
	bool *told = arena_alloc(&run->arena, run->class_count + 1, sizeof(*told));
	enum rc rc = told ? RC_OK : err_memory(e);

	offers_settle_floating(run->offers, run->class_count);
	for (size_t i = 0; i < run->class_count && rc == RC_OK; i++)
		if (has_offer(run, i) && run->offers[i].source != OFFER_LIBVIRT &&
			!told[i])
			rc = remark_source(run, &run->offers[i], told, e);
	return rc;
}

static enum rc offers_begin(struct run *run, struct err *e)
{
	run->offer_virt = arena_alloc(
		&run->arena, run->class_count + 1, sizeof(*run->offer_virt));
	return run->offer_virt ? RC_OK : err_memory(e);
}

enum rc offering_make(struct run *run, struct err *e)
{
	if (offers_begin(run, e) != RC_OK)
		return e->code;
	for (size_t i = 0; i < run->class_count; i++)
		offer_make(run, i, run->virt);
	return offers_finish(run, e);
}

enum rc offering_make_best(struct run *run, struct err *e)
{
	guests_blame_the_unable(run);
	if (offers_begin(run, e) != RC_OK)
		return e->code;
	for (size_t i = 0; i < run->class_count; i++) {
		const struct report_node *n = &run->nodes[run->classes[i].places[0]];

		offer_make(run, i, n->virt[VIRT_KVM] ? VIRT_KVM : VIRT_QEMU);
	}
	return offers_finish(run, e);
}
