/* Which CPU trial guests shall have. */
#include <string.h>

#include "coordinator/cpu/cpuxml.h"
#include "coordinator/verb/guests.h"
#include "coordinator/verb/judge.h"
#include "coordinator/verb/keeping.h"
#include "coordinator/verb/locked.h"
#include "coordinator/verb/offering.h"
#include "coordinator/verb/stream.h"
#include "coordinator/verb/trial.h"
#include "proto/limits.h"

static const char
	*const no_trial = "no guest was started (--without NODE leaves one out)";

/* Offers also say which emulator and machine type a node has. */
static enum rc offers_take(struct run *run, struct err *e)
{
	enum rc rc = guests_choose_type(run, e);

	if (rc == RC_OK)
		rc = offering_make(run, e);
	return rc == RC_OK ? run_blame(run, no_trial, e) : rc;
}

/* As it stands, so that also a host-model can be tried. */
static enum rc file_take(struct run *run, struct err *e)
{
	const char *path = run->options->cpu, *xml = NULL;
	struct cpuxml_cpu cpu;
	enum rc rc = stream_read_text(
		path, "a <cpu>", LIMIT_PLACE_BYTES, &run->arena, &xml, e);

	if (rc == RC_OK)
		rc = cpuxml_read_cpu(xml, path, &run->arena, &cpu, e);
	if (rc == RC_FACTS) /* facts come from nodes, this does not */
		return e->code = RC_INPUT;
	if (rc != RC_OK)
		return rc;
	if (strstr(xml, "<topology") || strstr(xml, "<numa"))
		return err_set(e, RC_INPUT, 0,
			"%s: <topology> and <numa> are about a guest's size, and a trial "
			"guest has one vCPU: take them out",
			path);
	run->report.level_name = path;
	run->report.xml = xml;
	rc = offers_take(run, e);
	return rc == RC_OK ? judge_read_conditions(run, e) : rc;
}

static enum rc agreed_take(struct run *run, struct err *e)
{
	struct keeping k;
	enum rc rc = locked_check_wishes(run, e);

	if (rc == RC_OK)
		rc = keeping_judge(run, run->agreed, &k, e);
	if (rc == RC_OK)
		rc = run_blame(run, no_trial, e);
	return rc == RC_OK ? judge_remarks(run, e) : rc;
}

static enum rc level_make(struct run *run, struct err *e)
{
	enum rc rc = offers_take(run, e);

	if (rc == RC_OK)
		rc = judge_level(run, e);
	return rc == RC_OK ? judge_remarks(run, e) : rc;
}

enum rc trial_take_level(struct run *run, struct err *e)
{
	guests_find_types(run);
	if (run->options->cpu)
		return file_take(run, e);
	return run->agreed ? agreed_take(run, e) : level_make(run, e);
}

const char *trial_cpu_text(struct run *run)
{
	const struct level *l = run->report.level;
	const char *text = l ? arena_format(&run->arena, "%s +%zu -%zu, %s", l->model,
				       report_policy_count(l, POLICY_REQUIRE),
				       report_policy_count(l, POLICY_DISABLE),
				       run->report.virt)
			     : arena_format(&run->arena, "%s, %s", run->options->cpu,
				       run->report.virt);

	return text ? text : "";
}
