#include <string.h>

#include "coordinator/cpu/psabi.h"
#include "coordinator/verb/document.h"
#include "coordinator/verb/gather.h"
#include "coordinator/verb/guests.h"
#include "coordinator/verb/judge.h"
#include "coordinator/verb/loss.h"
#include "coordinator/verb/offering.h"
#include "coordinator/verb/verb.h"
#include "proto/texts.h"

static void plan_sum_up(struct run *run)
{
	const struct level *l = &run->level;
	size_t psabi = psabi_reached(&l->baseline);
	const char *summary = arena_format(&run->arena,
		"%zu node%s could agree on %s +%zu -%zu (%s): %zu features%s%s, %zu lost",
		run->count, run->count == 1 ? "" : "s", l->model,
		report_policy_count(l, POLICY_REQUIRE),
		report_policy_count(l, POLICY_DISABLE), run->report.virt,
		bitset_count(&l->baseline), psabi ? ", " : "", psabi_name(psabi),
		run->report.loss_count);

	run->report.summary = summary ? summary : "";
}

/* A document is read where the warnings of this run are not: it says by itself that its
 * level is a guess, or of no vendor. */
static enum rc plan_document(struct run *run, struct err *e)
{
	const struct report_remark *m = run->report.remarks;
	struct texts doubts = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->report.remark_count && rc == RC_OK; i++)
		if (m[i].warning && (strcmp(m[i].about, "offer") == 0 ||
					    strcmp(m[i].about, "vendor") == 0))
			rc = texts_add(&doubts, m[i].text, &run->arena, e);
	return rc == RC_OK ? document_make(run->options, &run->level, run->catalogue,
				     doubts, &run->arena, &run->document, e)
			   : rc;
}

static enum rc plan_run(struct run *run, const struct options *o, struct err *e)
{
	enum rc rc = run_begin(run, o, e);

	if (rc == RC_OK)
		rc = gather_facts(run, false, e);
	if (rc == RC_OK)
		rc = run_blame(run, "no plan without them (--without NODE)", e);
	if (rc != RC_OK)
		return rc;
	guests_find_types(run);
	rc = guests_choose_type(run, e);
	if (rc != RC_OK)
		return rc;
	rc = offering_make(run, e);
	if (rc == RC_OK)
		rc = run_blame(run, "no plan without them (--without NODE)", e);
	if (rc == RC_OK)
		rc = judge_level(run, e);
	if (rc == RC_OK)
		rc = loss_explain(run, e);
	if (rc == RC_OK)
		rc = judge_remarks(run, e);
	if (rc == RC_OK)
		plan_sum_up(run);
	if (rc == RC_OK && o->as)
		rc = plan_document(run, e);
	return rc;
}

enum rc plan_main(const struct options *o, struct err *e)
{
	struct run run;
	enum rc rc = plan_run(&run, o, e);

	return run_end(&run, rc, e);
}
