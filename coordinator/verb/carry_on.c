#include "coordinator/verb/carry_on.h"

#include "base/log.h"
#include "coordinator/verb/left.h"

/* All that outlives the run's own arena. */
struct carrying {
	struct arena arena;
	struct options options; /* those of the run where none were given now */
	struct journal journal;
	struct journal_plan plan;
	size_t *places; /* in the plan, of the nodes that are not done with */
	size_t count;
	struct run run;
	bool back;
};

/* ---- from the plan to a run */

static enum rc nodes_choose(
	struct carrying *c, struct inventory_node **nodes, struct err *e)
{
	const struct journal_plan *plan = &c->plan;

	c->places = arena_alloc(&c->arena, plan->count + 1, sizeof(*c->places));
	*nodes = arena_alloc(&c->arena, plan->count + 1, sizeof(**nodes));
	if (!c->places || !*nodes)
		return err_memory(e);
	for (size_t i = 0; i < plan->count; i++) {
		const struct journal_node *n = &plan->nodes[i];

		if (n->over)
			continue;
		(*nodes)[c->count] = (struct inventory_node){ .name = n->name,
			.host = n->host,
			.user = n->user[0] ? n->user : NULL,
			.port = n->port,
			.alias = n->alias,
			.identity = n->identity[0] ? n->identity : NULL,
			.become = (enum inventory_become)n->become };
		c->places[c->count++] = i;
	}
	return RC_OK;
}

/* What was to be written there; what was there before is known to the node alone. */
static enum rc edits_make(
	struct run *run, size_t node, const struct journal_node *from, struct err *e)
{
	const struct change *changes = from->stage->changes.item;
	size_t count = from->stage->changes.count;
	struct edit *edits = arena_alloc(&run->arena, count + 1, sizeof(*edits));

	if (!edits)
		return err_memory(e);
	for (size_t i = 0; i < count; i++)
		edits[i] = (struct edit){ .place = changes[i].place,
			.name = changes[i].name,
			.title = from->titles.item[i],
			.exists = changes[i].expected.size != 0,
			.after = changes[i].content,
			.expected = changes[i].expected,
			.machine = changes[i].machine };
	run->nodes[node].edits = (struct edits){ edits, count };
	return RC_OK;
}

static enum rc push_make(struct carrying *c, struct push *p, struct err *e)
{
	struct run *run = &c->run;
	enum twophase_state *state = arena_alloc(&run->arena, c->count, sizeof(*state));
	enum rc rc = push_prepare(p, e);

	p->stages = arena_alloc(&run->arena, c->count, sizeof(*p->stages));
	if (!state || !p->stages)
		return err_memory(e);
	for (size_t i = 0; i < c->count && rc == RC_OK; i++) {
		const struct journal_node *n = &c->plan.nodes[c->places[i]];

		p->stages[i] = *n->stage;
		rc = edits_make(run, i, n, e);
	}
	p->phases = twophase_resume(
		state, c->count, c->plan.phase, c->plan.committed, c->back);
	return rc;
}

/* ---- its end */

static void sum_up(struct carrying *c, const char *what)
{
	const char *text = arena_format(&c->run.arena, "%s of %s: %zu node%s %s",
		c->plan.run, c->plan.begun, c->count, c->count == 1 ? "" : "s", what);

	c->run.report.summary = text ? text : "";
}

/* Back was where it was to go, so a run that is reverted everywhere is well. */
static enum rc result_of(struct carrying *c, const struct push *p, enum rc rc)
{
	bool over = true;

	for (size_t i = 0; i < c->count; i++)
		over = over && twophase_is_over(&p->phases, i);
	if (rc == RC_OK)
		sum_up(c, "hold the level");
	if (!c->back || !over || twophase_result(&p->phases) != RESULT_REVERTED)
		return rc;
	for (size_t i = 0; i < c->count; i++)
		c->run.nodes[i].err = (struct err){ 0 };
	sum_up(c, "as before the run");
	return RC_OK;
}

/* An agreement is written with the facts of its nodes, which only negotiate has. */
static enum rc lock_remark(struct carrying *c, struct err *e)
{
	return run_remark_of(&c->run, false, "lock", (struct texts){ 0 },
		"resume writes no lock: give the command of the run again, which finds "
		"all in place and writes it (not needed with --lock none)",
		e);
}

/* Nothing that others see was changed, but that nothing lies there is not known. */
static enum rc left_lying(const struct push *p, struct err *e)
{
	return err_set(e, RC_PARTIAL, 0,
		"every node shows what it did before, but not all could be reached to "
		"remove what was staged: cpuherd rollback %s when they can be",
		p->name);
}

static enum rc run_carry(struct carrying *c, struct err *e)
{
	struct push p = { .run = &c->run,
		.name = c->plan.run,
		.journal = &c->journal,
		.places = c->places };
	enum rc rc = push_make(c, &p, e);

	if (rc != RC_OK)
		return rc;
	c->back = p.phases.back;
	while (push_step(&p))
		;
	rc = result_of(c, &p, push_tell(&p, e));
	if (rc == RC_OK && twophase_result(&p.phases) == RESULT_KEPT)
		rc = lock_remark(c, e);
	if (rc != RC_OK && c->back && twophase_result(&p.phases) == RESULT_REVERTED)
		rc = left_lying(&p, e);
	push_end(&p);
	return rc;
}

/* ---- the journal */

/* The plan came to disk whole, and is not past what is wanted of it. */
static enum rc plan_check(struct carrying *c, struct err *e)
{
	if (c->back && c->plan.phase == PHASE_FORGETTING)
		return err_set(e, RC_USAGE, 0,
			"rollback: %s is decided, and nodes have dropped their way back: "
			"it can only go forward: cpuherd resume %s",
			c->plan.run, c->plan.run);
	if (c->plan.phase != PHASE_NONE && c->plan.count)
		return RC_OK;
	if (journal_remove(&c->journal, e) != RC_OK)
		return e->code;
	/* a run asks no node before its journal says so on disk; but a disk that lost the
	 * end of the journal looks the same, so this is no yes */
	return err_set(e, RC_UNKNOWN, 0,
		"the journal of %s ends before a node was asked to write: every node "
		"should be as it was; if this disk may have lost the journal's end, "
		"cpuherd rollback %s --on NODES asks them",
		c->plan.run, c->plan.run);
}

static enum rc plan_open(struct carrying *c, struct err *e)
{
	const char *folder;
	enum rc rc = left_folder(&c->options, &c->arena, &folder, e);

	if (rc == RC_OK)
		rc = left_open(folder, &c->options, &c->journal, &c->plan, &c->arena, e);
	if (rc == RC_OK)
		rc = plan_check(c, e);
	if (rc != RC_OK)
		return rc;
	c->options.level_name = c->plan.level_name;
	return options_take_road(&c->options, &c->plan.options, &c->arena, e);
}

enum rc carry_on(const struct options *o, bool back, struct err *e)
{
	struct carrying c = { .options = *o, .back = back, .journal = { .fd = -1 } };
	struct inventory_node *nodes;
	enum rc rc = plan_open(&c, e);

	if (rc == RC_OK)
		rc = nodes_choose(&c, &nodes, e);
	if (rc != RC_OK)
		run_begin_on(&c.run, &c.options, NULL, 0, &(struct err){ 0 });
	else
		rc = run_begin_on(&c.run, &c.options, nodes, c.count, e);
	if (rc == RC_OK)
		rc = run_carry(&c, e);
	rc = run_end(&c.run, rc, e);
	journal_close(&c.journal);
	arena_destroy(&c.arena);
	return rc;
}
