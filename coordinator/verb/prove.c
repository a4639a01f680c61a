#include "coordinator/verb/gather.h"
#include "coordinator/verb/trial.h"
#include "coordinator/verb/verb.h"

static const char *const not_proven = "not proven (--without NODE leaves one out)";

static void sum_up(struct run *run)
{
	const char *summary = arena_format(&run->arena,
		"%zu of %zu node%s give%s a guest the same CPU (%s): %zu words and %zu "
		"properties compared",
		run->count, run->count, run->count == 1 ? "" : "s",
		run->count == 1 ? "s" : "", trial_cpu_text(run), run->report.words,
		run->report.properties);

	run->report.summary = summary ? summary : "";
}

static enum rc prove_run(struct run *run, const struct options *o, struct err *e)
{
	enum rc rc = run_begin(run, o, e);

	if (rc == RC_OK)
		rc = gather_facts(run, true, e);
	if (rc == RC_OK)
		rc = run_blame(run, not_proven, e);
	if (rc == RC_OK)
		rc = trial_take_level(run, e);
	if (rc == RC_OK)
		rc = trial_begin(run, e);
	if (rc == RC_OK)
		rc = trial_ask(run, e);
	if (rc == RC_OK)
		rc = trial_compare(run, NULL, e);
	if (rc == RC_OK)
		rc = run_blame(run, not_proven, e);
	if (rc == RC_OK)
		sum_up(run);
	return rc;
}

enum rc prove_main(const struct options *o, struct err *e)
{
	struct run run;
	enum rc rc = prove_run(&run, o, e);

	return run_end(&run, rc, e);
}
