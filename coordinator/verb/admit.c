#include <string.h>

#include "coordinator/cpu/names.h"
#include "coordinator/verb/cost.h"
#include "coordinator/verb/gather.h"
#include "coordinator/verb/said.h"
#include "coordinator/verb/verb.h"
#include "proto/texts.h"

struct admitting {
	struct run *run;
	struct report_check *checks; /* one per node */
	bool *reached;		     /* its facts are here */
	struct err *doubts;	     /* it could not be told: the first time */
	struct texts *reasons;	     /* "PATH: why", of each lock that it does not fit */
};

/* ---- one lock */

/* What the lock before has left. */
static void nodes_begin(struct admitting *a)
{
	for (size_t i = 0; i < a->run->count; i++) {
		struct report_node *n = &a->run->nodes[i];

		if (!a->reached[i])
			continue;
		n->err = (struct err){ 0 };
		n->offer = NULL;
		n->vote = REPORT_NO_VOTE;
		n->refused = (struct texts){ 0 };
	}
}

static enum rc misfit_take(struct admitting *a, const struct keeping *k, size_t node,
	const char *why, struct err *e)
{
	struct run *run = a->run;
	struct report_check *check = &a->checks[node];
	struct bitset lost = keeping_lost(run, k, node);
	const char *cost = cost_of_node(run, k, node);

	if (!cost)
		return err_memory(e);
	check->lost = names_of(run->catalogue, &lost, &run->arena);
	check->cost = cost;
	return texts_add(&a->reasons[node],
		arena_format(&run->arena, "%s: %s%s%s", k->agreement->path, why,
			cost[0] ? "; " : "", cost),
		&run->arena, e);
}

static enum rc node_judge(
	struct admitting *a, const struct keeping *k, size_t node, struct err *e)
{
	const struct report_node *n = &a->run->nodes[node];
	struct report_check *check = &a->checks[node];
	const char *why = keeping_why(a->run, k, node);

	if (!why)
		return err_memory(e);
	if (check->lock[0]) /* an earlier one has it */
		return RC_OK;
	if (why[0])
		return misfit_take(a, k, node, why, e);
	if (n->err.code == RC_OK)
		check->lock = k->agreement->path;
	else if (a->doubts[node].code == RC_OK)
		a->doubts[node] = n->err;
	return RC_OK;
}

static enum rc lock_judge(
	struct admitting *a, const struct agreement *agreement, struct err *e)
{
	struct keeping k;
	enum rc rc;

	nodes_begin(a);
	rc = keeping_judge(a->run, agreement, &k, e);
	if (rc == RC_OK)
		rc = keeping_vote(a->run, &k, e);
	for (size_t i = 0; i < a->run->count && rc == RC_OK; i++)
		rc = node_judge(a, &k, i, e);
	return rc;
}

/* ---- the outcome */

static enum rc node_finish(struct admitting *a, size_t node, struct err *e)
{
	struct report_node *n = &a->run->nodes[node];
	struct report_check *check = &a->checks[node];
	const char *why = a->reasons[node].count ? texts_join_with(&a->reasons[node],
							   "; ", &a->run->arena)
						 : "";

	if (!why)
		return err_memory(e);
	n->check = check;
	n->err = (struct err){ 0 };
	if (check->lock[0]) {
		n->outcome = "fits";
		check->cost = "";
		check->lost = (struct texts){ 0 };
	} else if (a->doubts[node].code != RC_OK) {
		n->outcome = "unknown";
		n->err = a->doubts[node];
	} else {
		n->outcome = "does not fit";
		check->why = why;
		err_set(&n->err, RC_BROKEN, 0, "%s", why);
	}
	return RC_OK;
}

static bool is_misfit(const struct report_node *n)
{
	return n->err.code == RC_BROKEN;
}

static bool is_unknown(const struct report_node *n)
{
	return n->err.code != RC_OK && !is_misfit(n);
}

/* "node17 fits intel.lock" of several locks: a pool for each. */
static enum rc pools_say(struct admitting *a, struct err *e)
{
	struct run *run = a->run;
	enum rc rc = RC_OK;

	for (size_t k = 0; k < run->agreement_count && rc == RC_OK; k++) {
		const char *path = run->agreements[k].path;
		struct texts nodes = { 0 };

		for (size_t i = 0; i < run->count && rc == RC_OK; i++)
			if (a->checks[i].lock == path)
				rc = texts_add(
					&nodes, run->nodes[i].name, &run->arena, e);
		if (rc == RC_OK && nodes.count)
			rc = run_remark_of(run, false, "fits", nodes, path, e);
	}
	return rc;
}

static enum rc verdict(struct run *run, struct err *e)
{
	size_t misfits = 0, unknown = 0;
	const char *text;

	for (size_t i = 0; i < run->count; i++) {
		misfits += is_misfit(&run->nodes[i]);
		unknown += is_unknown(&run->nodes[i]);
	}
	text = arena_format(&run->arena, "%zu node%s: %zu fit, %zu do not, %zu unknown",
		run->count, run->count == 1 ? "" : "s", run->count - misfits - unknown,
		misfits, unknown);
	run->report.summary = text ? text : "";
	if (misfits)
		return err_set(e, RC_BROKEN, 0, "%zu of %zu nodes do not fit (%s)",
			misfits, run->count, run_names(run, is_misfit));
	if (unknown)
		return err_set(e, RC_UNKNOWN, 0,
			"of %zu of %zu nodes it cannot be told (%s)", unknown, run->count,
			run_names(run, is_unknown));
	return RC_OK;
}

/* ---- the run */

static enum rc admitting_begin(struct admitting *a, struct err *e)
{
	struct run *run = a->run;

	a->checks = arena_alloc(&run->arena, run->count, sizeof(*a->checks));
	a->reached = arena_alloc(&run->arena, run->count, sizeof(bool));
	a->doubts = arena_alloc(&run->arena, run->count, sizeof(*a->doubts));
	a->reasons = arena_alloc(&run->arena, run->count, sizeof(*a->reasons));
	if (!a->checks || !a->reached || !a->doubts || !a->reasons)
		return err_memory(e);
	for (size_t i = 0; i < run->count; i++) {
		a->checks[i].lock = a->checks[i].why = a->checks[i].cost = "";
		a->reached[i] = run_has(run, i);
		a->doubts[i] = run->nodes[i].err;
	}
	return RC_OK;
}

static enum rc nodes_admit(struct run *run, struct err *e)
{
	struct admitting a = { .run = run };
	enum rc rc = admitting_begin(&a, e);

	for (size_t i = 0; i < run->agreement_count && rc == RC_OK; i++)
		rc = lock_judge(&a, &run->agreements[i], e);
	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		rc = node_finish(&a, i, e);
	if (rc == RC_OK)
		rc = pools_say(&a, e);
	/* one of several is not the level of the run */
	if (run->agreement_count > 1) {
		run->report.level = NULL;
		run->report.xml = "";
	}
	return rc;
}

static enum rc admit_run(struct run *run, const struct options *o, struct err *e)
{
	enum rc rc = run_begin(run, o, e);

	if (rc == RC_OK)
		rc = gather_facts(run, true, e);
	if (rc == RC_OK)
		rc = nodes_admit(run, e);
	if (rc == RC_OK && !run->fleet)
		rc = said_not_asked(run, e);
	return rc == RC_OK ? verdict(run, e) : rc;
}

enum rc admit_main(const struct options *o, struct err *e)
{
	struct run run;
	enum rc rc = admit_run(&run, o, e);

	return run_end(&run, rc, e);
}
