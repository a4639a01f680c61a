/* What trial guests got, and what follows from it for their nodes. */
#include <string.h>

#include "coordinator/cpu/names.h"
#include "coordinator/cpu/proof.h"
#include "coordinator/verb/objection.h"
#include "coordinator/verb/trial.h"
#include "proto/texts.h"

struct comparing {
	struct run *run;
	struct bitset *removed; /* NULL: the level is as it is */
	size_t taken;		/* features that were added to it */
	struct proof_trial *trials;
	size_t *nodes; /* of which node each is */
	size_t count;
	struct proof proof;
};

/* ---- each by itself */

/* Its libvirt did not start it. */
static enum rc refusal_take(struct comparing *c, size_t node, struct err *e)
{
	struct report_node *n = &c->run->nodes[node];
	const char *reason = n->trial->reason[0] ? n->trial->reason : "no reason given";
	size_t taken = 0;
	enum rc rc = RC_OK;

	n->proof = "refused";
	if (c->removed)
		rc = objection_take(c->run, node, &n->trial->features, reason, c->removed,
			&taken, &n->err);
	if (rc == RC_MEMORY)
		return err_memory(e);
	c->taken += taken;
	if (rc == RC_OK && !taken)
		err_set(&n->err, RC_TRIAL, 0,
			"its libvirt refused a guest with this CPU: %s", reason);
	return RC_OK;
}

static enum rc trials_collect(struct comparing *c, struct err *e)
{
	struct run *run = c->run;
	enum rc rc = RC_OK;

	c->trials = arena_alloc(&run->arena, run->count + 1, sizeof(*c->trials));
	c->nodes = arena_alloc(&run->arena, run->count + 1, sizeof(*c->nodes));
	if (!c->trials || !c->nodes)
		return err_memory(e);
	for (size_t i = 0; i < run->count && rc == RC_OK; i++) {
		struct report_node *n = &run->nodes[i];

		n->proof = "";
		if (!run_has(run, i))
			continue;
		if (!n->trial)
			err_set(&n->err, RC_TRIAL, 0, "not proven: no guest was started");
		else if (!n->trial->started)
			rc = refusal_take(c, i, e);
		else if (proof_check(n->trial, &n->err) == RC_OK) {
			c->trials[c->count] = (struct proof_trial){ n->trial,
				n->facts->small.libvirt_version,
				n->facts->small.hypervisor_version };
			c->nodes[c->count++] = i;
		}
	}
	return rc;
}

/* ---- features that are not there */

static enum rc lacks_take(struct comparing *c, struct err *e)
{
	struct run *run = c->run;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < c->count && rc == RC_OK; i++) {
		size_t node = c->nodes[i], taken = 0;
		struct texts names = names_of(
			run->catalogue, &c->proof.lacks[i], &run->arena);

		if (!names.item)
			return err_memory(e);
		rc = objection_take(run, node, &names, "its guest has not got it",
			c->removed, &taken, &run->nodes[node].err);
		c->taken += taken;
		if (rc != RC_MEMORY)
			rc = RC_OK;
	}
	return rc == RC_OK ? RC_OK : err_memory(e);
}

/* ---- differences */

static enum rc nodes_name(struct comparing *c, const size_t *trials, size_t count,
	struct texts *out, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = texts_add(
			out, c->run->nodes[c->nodes[trials[i]]].name, &c->run->arena, e);
	return rc;
}

static enum rc difference_report(
	struct comparing *c, const struct proof_difference *d, struct err *e)
{
	struct report *r = &c->run->report;
	struct report_difference *out;

	r->differences = arena_grow(&c->run->arena, r->differences, r->difference_count,
		sizeof(*r->differences));
	if (!r->differences)
		return err_memory(e);
	out = &r->differences[r->difference_count++];
	*out = (struct report_difference){ .what = d->what,
		.feature = d->feature,
		.is = d->is,
		.wanted = d->wanted,
		.of_level = d->of_level };
	return nodes_name(c, d->trials, d->trial_count, &out->nodes, e);
}

/* A node's line has the first; all of them stand in the report. */
static void node_blame(
	struct report_node *n, const struct proof_difference *d, size_t more)
{
	bool named = d->feature[0] && strcmp(d->feature, d->what) != 0;
	char rest[32] = "";

	if (more)
		snprintf(rest, sizeof(rest), ", and %zu more", more);
	err_set(&n->err, RC_TRIAL, 0,
		"its trial guest is not as %s: %s%s%s%s is %s, not %s%s",
		d->of_level   ? "the level says"
		: d->of_asked ? "its <cpu> asks for"
			      : "the others",
		d->what, named ? " (" : "", named ? d->feature : "", named ? ")" : "",
		d->is, d->wanted, rest);
}

static void difference_blame(
	struct comparing *c, const struct proof_difference *d, const size_t *counts)
{
	for (size_t i = 0; i < d->trial_count; i++) {
		size_t trial = d->trials[i];
		struct report_node *n = &c->run->nodes[c->nodes[trial]];

		n->proof = "differs";
		if (n->err.code == RC_OK)
			node_blame(n, d, counts[trial] - 1);
	}
}

static enum rc differences_report(struct comparing *c, struct err *e)
{
	const struct proof *p = &c->proof;
	size_t *counts = arena_alloc(&c->run->arena, c->count + 1, sizeof(*counts));
	enum rc rc = counts ? RC_OK : err_memory(e);

	c->run->report.differences = NULL;
	c->run->report.difference_count = 0;
	for (size_t i = 0; i < c->count; i++)
		c->run->nodes[c->nodes[i]].proof = "equal";
	for (size_t i = 0; i < p->count && rc == RC_OK; i++) {
		rc = difference_report(c, &p->differences[i], e);
		for (size_t t = 0; t < p->differences[i].trial_count; t++)
			counts[p->differences[i].trials[t]]++;
	}
	for (size_t i = 0; i < p->count && rc == RC_OK; i++)
		difference_blame(c, &p->differences[i], counts);
	return rc;
}

static enum rc notes_report(struct comparing *c, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < c->proof.note_count && rc == RC_OK; i++) {
		const struct proof_note *note = &c->proof.notes[i];
		struct texts nodes = { 0 };

		rc = nodes_name(c, note->trials, note->trial_count, &nodes, e);
		if (rc == RC_OK)
			rc = run_remark_of(c->run, true, "trial", nodes, note->text, e);
	}
	return rc;
}

enum rc trial_compare(struct run *run, struct bitset *removed, struct err *e)
{
	struct comparing c = { .run = run, .removed = removed };
	enum rc rc = trials_collect(&c, e);

	if (rc == RC_OK)
		rc = proof_make(run->catalogue, c.trials, c.count, run->report.level,
			&run->arena, &c.proof, e);
	run->report.words = c.proof.words;
	run->report.properties = c.proof.properties;
	if (rc == RC_OK && removed)
		rc = lacks_take(&c, e);
	if (rc != RC_OK || c.taken)
		return rc;
	rc = differences_report(&c, e);
	return rc == RC_OK ? notes_report(&c, e) : rc;
}
