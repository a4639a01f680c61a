#include "coordinator/verb/left.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "coordinator/verb/whoami.h"
#include "proto/texts.h"

enum { RUNS_SHOWN = 8, NODES_SHOWN = 4 };

/* ---- where */

enum rc left_folder(
	const struct options *o, struct arena *arena, const char **folder, struct err *e)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	bool has_state = state && state[0] == '/'; /* others are to be ignored */

	if (o->journal_dir)
		*folder = o->journal_dir;
	else if (has_state)
		*folder = arena_format(arena, "%s/cpuherd/runs", state);
	else if (home && home[0])
		*folder = arena_format(arena, "%s/.local/state/cpuherd/runs", home);
	else
		return err_set(e, RC_OUTPUT, 0,
			"the run cannot be written down: HOME is not set; give "
			"--journal-dir DIR");
	return *folder ? RC_OK : err_memory(e);
}

/* ---- a new one */

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static enum rc node_describe(
	struct push *p, size_t i, struct journal_node *out, struct err *e)
{
	const struct inventory_node *n = &p->run->inventory.nodes[i];
	const struct edits *edits = &p->run->nodes[i].edits;
	const char *identity = or_empty(n->identity);
	enum rc rc = RC_OK;

	if (options_absolute(&identity, &p->run->arena, e) != RC_OK)
		return e->code;
	*out = (struct journal_node){ .name = n->name,
		.host = n->host,
		.user = or_empty(n->user),
		.identity = identity,
		.port = n->port,
		.alias = n->alias,
		.become = n->become,
		.stage = &p->stages[i] };
	for (size_t k = 0; k < edits->count && rc == RC_OK; k++)
		rc = texts_add(&out->titles, edits->item[k].title, &p->run->arena, e);
	return rc;
}

enum rc left_write_down(struct push *p, struct journal *journal, struct err *e)
{
	struct run *run = p->run;
	struct journal_plan plan = { .run = p->name,
		.begun = whoami_now(&run->arena),
		.holder = p->stages[0].holder,
		.level_name = run->options->level_name,
		.linger = p->stages[0].linger,
		.count = run->count };
	const char *folder;
	enum rc rc;

	plan.nodes = arena_alloc(&run->arena, run->count, sizeof(*plan.nodes));
	if (!plan.nodes || !plan.begun)
		return err_memory(e);
	rc = options_road(run->options, &plan.options, &run->arena, e);
	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		rc = node_describe(p, i, &plan.nodes[i], e);
	if (rc == RC_OK)
		rc = left_folder(run->options, &run->arena, &folder, e);
	return rc == RC_OK ? journal_create(journal, folder, &plan, &run->arena, e) : rc;
}

/* ---- those that are there */

/* Reads one without keeping it; false: it cannot be read, or nobody heard of it. */
static bool left_peek(const char *folder, const char *run, struct journal_plan *plan,
	struct arena *arena)
{
	struct journal journal;
	struct err e = { 0 };
	enum rc rc = journal_open(&journal, folder, run, plan, arena, &e);

	journal_close(&journal);
	if (rc != RC_OK && rc != RC_CONFLICT)
		log_line(LOG_WARN, NULL, "%s", e.text);
	return (rc == RC_OK || rc == RC_CONFLICT) && plan->phase != PHASE_NONE;
}

/* The plan's nodes that are also the run's, and with which it is not done. */
static enum rc common_nodes(struct run *run, const struct journal_plan *plan,
	struct texts *names, struct err *e)
{
	bool *marked = arena_alloc(&run->arena, run->count, sizeof(*marked));
	enum rc rc = RC_OK;

	if (!marked)
		return err_memory(e);
	for (size_t i = 0; i < plan->count; i++) {
		size_t at;

		if (!plan->nodes[i].over &&
			inventory_find(&run->inventory,
				&(struct inventory_node){ .name = plan->nodes[i].name,
					.host = plan->nodes[i].host,
					.port = plan->nodes[i].port,
					.alias = plan->nodes[i].alias },
				&at))
			marked[at] = true;
	}
	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		if (marked[i])
			rc = texts_add(names, run->nodes[i].name, &run->arena, e);
	return rc;
}

static enum rc check_one(struct run *run, const struct journal_plan *plan, struct err *e)
{
	struct texts names = { 0 };
	enum rc rc = common_nodes(run, plan, &names, e);

	if (rc != RC_OK || names.count == 0)
		return rc;
	return err_set(e, RC_CONFLICT, 0,
		"%s: run %s of %s, begun %s, is unfinished there: cpuherd resume %s goes "
		"on with it, cpuherd rollback %s puts back what was there before",
		texts_join(&names, NODES_SHOWN, &run->arena), plan->run, plan->holder,
		plan->begun, plan->run, plan->run);
}

enum rc left_check(struct run *run, struct err *e)
{
	struct texts runs = { 0 };
	const char *folder;
	enum rc rc = left_folder(run->options, &run->arena, &folder, e);

	if (rc == RC_OK)
		rc = journal_list(folder, &runs, &run->arena, e);
	for (size_t i = 0; i < runs.count && rc == RC_OK; i++) {
		struct arena scratch = { 0 };
		struct journal_plan plan;

		if (left_peek(folder, runs.item[i], &plan, &scratch))
			rc = check_one(run, &plan, e);
		arena_destroy(&scratch);
	}
	return rc;
}

/* "run-1 (begun TIME, 3 nodes: node01, ...); run-2 (...)" */
static enum rc complain_of_several(const char *folder, const struct options *o,
	const struct texts *runs, struct arena *arena, struct err *e)
{
	struct texts lines = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < runs->count && i < RUNS_SHOWN && rc == RC_OK; i++) {
		struct journal_plan plan;
		struct texts names = { 0 };

		left_peek(folder, runs->item[i], &plan, arena);
		for (size_t k = 0; k < plan.count && rc == RC_OK; k++)
			rc = texts_add(&names, plan.nodes[k].name, arena, e);
		if (rc == RC_OK)
			rc = texts_add(&lines,
				arena_format(arena, "%s (begun %s, on %s)", runs->item[i],
					or_empty(plan.begun),
					texts_join(&names, NODES_SHOWN, arena)),
				arena, e);
	}
	if (rc != RC_OK)
		return rc;
	return err_set(e, RC_USAGE, 0, "%s: %zu runs are unfinished; say which: %s",
		o->verb->name, runs->count, texts_join_with(&lines, "; ", arena));
}

enum rc left_open(const char *folder, const struct options *o, struct journal *journal,
	struct journal_plan *plan, struct arena *arena, struct err *e)
{
	struct texts runs = { 0 };
	enum rc rc = journal_list(folder, &runs, arena, e);

	*journal = (struct journal){ .fd = -1 };
	if (rc != RC_OK)
		return rc;
	if (o->nodes.count > 1)
		return err_set(e, RC_USAGE, 0, "%s: name one run, not %zu", o->verb->name,
			o->nodes.count);
	if (o->nodes.count == 1 && texts_have(&runs, o->nodes.item[0]))
		return journal_open(journal, folder, o->nodes.item[0], plan, arena, e);
	if (o->nodes.count == 1)
		return err_set(e, RC_USAGE, 0,
			"%s: %s has no journal of %s: it is over, or was begun "
			"elsewhere (cpuherd rollback RUN --on NODES)",
			o->verb->name, folder, o->nodes.item[0]);
	if (runs.count == 0)
		return err_set(e, RC_USAGE, 0, "%s: there is no unfinished run in %s",
			o->verb->name, folder);
	if (runs.count > 1)
		return complain_of_several(folder, o, &runs, arena, e);
	return journal_open(journal, folder, runs.item[0], plan, arena, e);
}
