#include "coordinator/verb/agreement.h"
#include "coordinator/verb/gather.h"
#include "coordinator/verb/guests.h"
#include "coordinator/verb/judge.h"
#include "coordinator/verb/left.h"
#include "coordinator/verb/locked.h"
#include "coordinator/verb/offering.h"
#include "coordinator/verb/push.h"
#include "coordinator/verb/summary.h"
#include "coordinator/verb/survey.h"
#include "coordinator/verb/verb.h"
#include "coordinator/verb/vote.h"

static const char
	*const nothing_written = "nothing was written (--without NODE leaves one out)";

/* The level that the offers allow, and all nodes vote for; of a lock, the level there. */
static enum rc agree(struct run *run, struct err *e)
{
	enum rc rc;

	guests_find_types(run);
	if (run->agreed)
		return locked_propose(run, e);
	rc = guests_choose_type(run, e);
	if (rc != RC_OK)
		return rc;
	rc = offering_make(run, e);
	if (rc == RC_OK)
		rc = run_blame(run, nothing_written, e);
	if (rc == RC_OK)
		rc = judge_level(run, e);
	return rc == RC_OK ? vote_until_unanimous(run, e) : rc;
}

/* Behind what the network knows of an interrupt: during which phase. */
static enum rc say_nothing_was_written(struct err *e)
{
	const struct err inner = *e;

	return err_set(
		e, inner.code, inner.native, "%.800s: nothing was written", inner.text);
}

static enum rc look(struct run *run, struct err *e)
{
	enum rc rc = survey_ask(run, e);

	if (rc == RC_OK)
		rc = survey_plan(run, e);
	return rc == RC_OK ? run_blame(run, "nothing was written", e) : rc;
}

static enum rc negotiate_run(struct run *run, const struct options *o, struct err *e)
{
	enum rc rc = run_begin(run, o, e);

	if (rc == RC_OK)
		rc = locked_check_wishes(run, e);
	if (rc == RC_OK)
		rc = survey_choose_targets(run, e);
	if (rc == RC_OK && !o->dry_run)
		rc = left_check(run, e);
	if (rc == RC_OK && !o->dry_run)
		rc = agreement_check_writable(run, e);
	if (rc == RC_OK)
		rc = gather_facts(run, true, e);
	if (rc == RC_OK)
		rc = run_blame(run, nothing_written, e);
	if (rc == RC_OK)
		rc = agree(run, e);
	if (rc == RC_OK)
		rc = judge_remarks(run, e);
	if (rc == RC_OK)
		rc = locked_remark_nodes(run, e);
	if (rc == RC_OK)
		rc = look(run, e);
	if (rc == RC_INTERRUPTED)
		return say_nothing_was_written(e);
	if (rc == RC_OK && !o->dry_run)
		rc = push_write(run, e);
	if (rc == RC_OK)
		summary_tell(run);
	if (rc == RC_OK && o->check)
		return summary_check(run, e);
	return rc == RC_OK && !o->dry_run ? agreement_write(run, e) : rc;
}

enum rc negotiate_main(const struct options *o, struct err *e)
{
	struct run run;
	enum rc rc = negotiate_run(&run, o, e);

	return run_end(&run, rc, e);
}
