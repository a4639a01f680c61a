/* Back, with the journal of this machine; or, with --on, by the journals of the nodes. */
#include <string.h>

#include "coordinator/verb/carry_on.h"
#include "coordinator/verb/left.h"
#include "coordinator/verb/verb.h"
#include "proto/texts.h"

static bool is_kept(const struct report_node *n)
{
	return strcmp(n->outcome, twophase_state_name(TWOPHASE_KEPT)) == 0;
}

/* Where one has kept, the run was decided, and others may have dropped their way back:
 * the coordinator that knows is another one. */
static enum rc check_kept(struct push *p, struct err *e)
{
	struct run *run = p->run;
	bool any = false;

	for (size_t i = 0; i < run->count; i++) {
		run->nodes[i].outcome = twophase_state_name(p->phases.state[i]);
		any = any || is_kept(&run->nodes[i]);
	}
	if (!any || run->options->replace)
		return RC_OK;
	return err_set(e, RC_CONFLICT, 0,
		"%s: %s is decided there, and other nodes may hold it for good: finish "
		"it where it was begun (cpuherd resume), or give --replace to put back "
		"these nodes alone",
		run_names(run, is_kept), p->name);
}

/* A name that no node knows may be a mistyped one: that nothing was put back must not look
 * as if all had been. */
static enum rc check_known(const struct push *p, struct err *e)
{
	const struct run *run = p->run;

	for (size_t i = 0; i < run->count; i++)
		if (p->phases.state[i] != TWOPHASE_REVERTED)
			return RC_OK;
	return err_set(e, RC_USAGE, 0,
		"rollback: none of these nodes has %s: it is over there, or has another "
		"name (cpuherd negotiate tells which run a node is held by)",
		p->name);
}

static enum rc put_back(struct run *run, const char *name, struct err *e)
{
	enum twophase_state *state = arena_alloc(&run->arena, run->count, sizeof(*state));
	struct push p = { .run = run, .name = name };
	enum rc rc = state ? push_prepare(&p, e) : err_memory(e);

	if (rc != RC_OK)
		return rc;
	p.phases = twophase_resume(state, run->count, PHASE_COMMITTING, true, true);
	push_step(&p); /* recover */
	rc = check_kept(&p, e);
	if (rc == RC_OK)
		rc = check_known(&p, e);
	if (rc != RC_OK)
		return rc;
	while (push_step(&p))
		;
	rc = push_tell(&p, e);
	if (twophase_result(&p.phases) != RESULT_REVERTED)
		return rc;
	run->report.summary = arena_format(
		&run->arena, "%s: nothing of it is left on these nodes", name);
	return run->report.summary ? RC_OK : err_memory(e);
}

static enum rc check_words(const struct options *o, struct err *e)
{
	struct arena arena = { 0 };
	struct texts runs = { 0 };
	const char *folder;
	enum rc rc = left_folder(o, &arena, &folder, e);

	if (o->nodes.count != 1)
		rc = err_set(e, RC_USAGE, 0,
			"rollback: with --on the run must be named: the nodes say its "
			"name when they refuse another one");
	if (rc == RC_OK)
		rc = journal_list(folder, &runs, &arena, e);
	if (rc == RC_OK && texts_have(&runs, o->nodes.item[0]))
		rc = err_set(e, RC_USAGE, 0,
			"rollback: %s has a journal of %s, which knows more than the "
			"nodes: leave out --on",
			folder, o->nodes.item[0]);
	arena_destroy(&arena);
	return rc;
}

static enum rc rollback_on(const struct options *given, struct err *e)
{
	struct options o = *given;
	struct run run;
	enum rc rc = check_words(given, e);

	if (rc != RC_OK)
		return rc;
	o.nodes = (struct texts){ (const char **)&given->on, 1 };
	rc = run_begin(&run, &o, e);
	if (rc == RC_OK)
		rc = put_back(&run, given->nodes.item[0], e);
	return run_end(&run, rc, e);
}

enum rc rollback_main(const struct options *o, struct err *e)
{
	return o->on ? rollback_on(o, e) : carry_on(o, true, e);
}
