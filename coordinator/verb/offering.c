#include "coordinator/verb/offering.h"

#include <string.h>

#include "base/log.h"
#include "coordinator/verb/guests.h"
#include "proto/texts.h"

enum offer_source offering_weakest(const struct options *o)
{
	if (o->verb->bit == FOR_NEGOTIATE)
		return OFFER_LIBVIRT;
	return o->allow_unproven ? OFFER_RAW : OFFER_KVM;
}

static void offer_make(struct run *run, size_t i, enum virt_type virt)
{
	struct report_node *n = &run->nodes[i];
	struct offer *offer = &run->offers[i];
	const char *unread;

	if (!run_has(run, i) || offer_from_facts(run->catalogue, &run->facts[i], virt,
					offering_weakest(run->options), &run->arena,
					offer, &n->err) != RC_OK)
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

enum rc offering_make(struct run *run, struct err *e)
{
	for (size_t i = 0; i < run->count; i++)
		offer_make(run, i, run->virt);
	return offers_finish(run, e);
}

enum rc offering_make_best(struct run *run, struct err *e)
{
	guests_blame_the_unable(run);
	for (size_t i = 0; i < run->count; i++)
		offer_make(run, i, run->nodes[i].virt[VIRT_KVM] ? VIRT_KVM : VIRT_QEMU);
	return offers_finish(run, e);
}
