#include "coordinator/verb/gather.h"
#include "coordinator/verb/guests.h"
#include "coordinator/verb/offering.h"
#include "coordinator/verb/saved.h"
#include "coordinator/verb/verb.h"

/* Saves the facts of every node that has all of them. */
static enum rc facts_save(struct run *run, struct err *e)
{
	const char *folder = run->options->save;
	struct inventory files = { 0 };
	enum rc rc = saved_make_folder(folder, e);

	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		rc = saved_claim(&files, run->nodes[i].name, &run->arena, e);

	for (size_t i = 0; i < run->count && rc == RC_OK; i++) {
		struct report_node *n = &run->nodes[i];

		if (!run_has(run, i))
			continue;
		rc = saved_write(folder, n->name, &run->facts[i], e);
		if (rc == RC_OK)
			n->outcome = "saved";
	}
	return rc;
}

static enum rc probe_run(struct run *run, const struct options *o, struct err *e)
{
	enum rc rc = run_begin(run, o, e);

	if (rc == RC_OK)
		rc = gather_facts(run, false, e);
	run_rounds_over(run);
	if (rc == RC_OK && o->save)
		rc = facts_save(run, e);
	if (rc != RC_OK)
		return rc;
	guests_find_types(run);
	rc = offering_make_best(run, e);
	if (rc == RC_OK)
		rc = run_blame(run, "see the lines of the report", e);
	if (rc == RC_OK) {
		const char *summary = arena_format(&run->arena, "%zu node%s%s%s",
			run->count, run->count == 1 ? "" : "s",
			o->save ? ", facts saved to " : "", o->save ? o->save : "");

		run->report.summary = summary ? summary : "";
	}
	return rc;
}

enum rc probe_main(const struct options *o, struct err *e)
{
	struct run run;
	enum rc rc = probe_run(&run, o, e);

	return run_end(&run, rc, e);
}
