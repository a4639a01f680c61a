#include "coordinator/verb/trial.h"

#include <string.h>

#include "base/text.h"
#include "base/token.h"
#include "proto/texts.h"

enum { RUN_BYTES = 33 }; /* 32 hexadecimal digits and a NUL */

enum rc trial_begin(struct run *run, struct err *e)
{
	char *name = arena_alloc(&run->arena, RUN_BYTES, 1);
	enum rc rc = name ? token_make(name, RUN_BYTES, e) : err_memory(e);

	/* of which the machine types are wanted: remarks are taken by who judges */
	if (rc == RC_OK)
		rc = conditions_remark(&run->conditions, &run->level, e);
	run->report.conditions = &run->conditions;
	run->trial_run = rc == RC_OK ? name : NULL;
	return rc;
}

/* ---- try */

struct trials {
	struct run *run;
	struct try *tries; /* one per node */
};

/* One for all nodes, so that nothing but the node is tried: of the kind that the first
 * would take by itself, the newest that all have.  NULL where none is known to all. */
static const char *common_machine(const struct run *run)
{
	const char *usual = "";

	if (run->options->machine)
		return run->options->machine;
	for (size_t i = 0; i < run->count && !usual[0]; i++)
		if (run->nodes[i].offer)
			usual = run->nodes[i].offer->machine;
	for (int i = 0; i < MACHINE_FAMILIES; i++)
		if (text_starts_with(usual, machine_family_names[i]))
			return run->conditions.machines[i];
	return NULL;
}

void trial_fill(const struct run *run, size_t node, struct try *out)
{
	const struct offer *offer = run->nodes[node].offer;
	const char *machine = common_machine(run);

	out->run = run->trial_run;
	out->virt_type = virt_names[run->virt];
	out->emulator = offer->emulator;
	out->arch = offer->arch;
	out->machine = machine ? machine : offer->machine;
	out->cpu = run->report.xml;
}

static bool ask_try(void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct trials *t = context;

	if (!t->run->nodes[node].offer)
		return false;
	trial_fill(t->run, node, &t->tries[node]);
	t->tries[node].guest = "trial";
	*tag = MESSAGE_try;
	*value = &t->tries[node];
	return true;
}

static enum rc answer_try(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct trials *t = context;

	(void)e;
	t->run->nodes[node].trial = m->value;
	return RC_OK;
}

/* ---- what was left behind */

/* Nodes that left the same share a remark. */
static enum rc remark_left(
	struct run *run, size_t node, const struct texts *left, struct err *e)
{
	const char *paths = left->count ? texts_join(left, 4, &run->arena) : "";
	const char *text = paths ? arena_format(&run->arena,
					   "a trial guest left behind: %s", paths)
				 : NULL;
	struct texts nodes = { 0 };
	enum rc rc;

	if (!left->count)
		return RC_OK;
	for (size_t i = 0; text && i < run->report.remark_count; i++)
		if (strcmp(run->report.remarks[i].text, text) == 0)
			return texts_add(&run->report.remarks[i].nodes,
				run->nodes[node].name, &run->arena, e);
	rc = texts_add(&nodes, run->nodes[node].name, &run->arena, e);
	return rc == RC_OK ? run_remark_of(run, false, "left", nodes, text, e) : rc;
}

enum rc trial_ask(struct run *run, struct err *e)
{
	static const struct fleet_call call = { "trial", ask_try, answer_try,
		.hold = true, .repeatable = true };
	struct trials t = { run,
		arena_alloc(&run->arena, run->count, sizeof(struct try)) };
	enum rc rc = t.tries ? RC_OK : err_memory(e);

	for (size_t i = 0; i < run->count; i++)
		run->nodes[i].trial = NULL;
	if (rc == RC_OK)
		rc = run_round(run, &call, &t, e);
	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		if (run->nodes[i].trial)
			rc = remark_left(run, i, &run->nodes[i].trial->left, e);
	return rc;
}
