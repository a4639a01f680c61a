#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "coordinator/cpu/names.h"
#include "coordinator/lock/drift.h"
#include "coordinator/verb/gather.h"
#include "coordinator/verb/keeping.h"
#include "coordinator/verb/said.h"
#include "coordinator/verb/survey.h"
#include "coordinator/verb/verb.h"
#include "proto/texts.h"

struct checking {
	struct run *run;
	struct keeping keeping;
	struct report_check *checks; /* one per node */
	struct lock_class
		*classes; /* as the nodes are now: one per class, if it is a kind */
	bool *described;
};

/* ---- what changed by itself */

static enum rc change_add(struct checking *c, size_t node, const char *what,
	const char *was, const char *is, struct err *e)
{
	struct report_check *check = &c->checks[node];

	check->changes = arena_grow(&c->run->arena, check->changes, check->change_count,
		sizeof(*check->changes));
	if (!check->changes || !was || !is)
		return err_memory(e);
	check->changes[check->change_count++] = (struct report_change){ what, was, is };
	return RC_OK;
}

static enum rc class_describe(struct checking *c, size_t kind, struct err *e)
{
	if (c->described[kind])
		return RC_OK;
	c->described[kind] = true;
	return agreement_describe_class(c->run, kind, &c->classes[kind], e);
}

static enum rc drifts_find(
	struct checking *c, size_t node, struct drifts *out, struct err *e)
{
	const struct lock *lock = &c->keeping.agreement->lock;
	const struct lock_node *was = lock_find_node(lock, c->run->nodes[node].name);
	size_t kind = c->run->nodes[node].kind;
	struct lock_node is;
	enum rc rc = class_describe(c, kind, e);

	if (rc == RC_OK)
		rc = agreement_describe_node(c->run, node, &is, e);
	if (rc != RC_OK)
		return rc;
	return drift_find(&(struct drift_side){ lock_find_class(lock, was->class), was },
		&(struct drift_side){ &c->classes[kind], &is }, &c->run->arena, out, e);
}

static enum rc drifts_take(
	struct checking *c, size_t node, const struct drifts *drifts, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < drifts->count && rc == RC_OK; i++)
		rc = change_add(c, node, drifts->item[i].what, drifts->item[i].was,
			drifts->item[i].is, e);
	return rc;
}

/* ---- what is in the places */

static const char *digest_locked(struct checking *c, size_t node, const struct edit *edit)
{
	const struct lock *lock = &c->keeping.agreement->lock;
	const struct lock_node *n = lock_find_node(lock, c->run->nodes[node].name);
	const struct lock_writing *w = lock_find_writing(lock, n->written);
	const char *start = arena_format(
		&c->run->arena, "%s %s ", place_of(edit->place)->name, edit->name);

	for (size_t i = 0; start && i < w->files.count; i++)
		if (strncmp(w->files.item[i], start, strlen(start)) == 0)
			return w->files.item[i] + strlen(start);
	return "";
}

/* As it was written, or as it would be written today. */
static bool is_configured(struct checking *c, size_t node, const struct edit *edit)
{
	struct digest digest = digest_of(edit->before.data, edit->before.size);
	char hex[DIGEST_HEX_MAX];

	digest_to_hex(&digest, hex);
	return edit->unchanged ||
	       (edit->exists && strcmp(digest_locked(c, node, edit), hex) == 0);
}

static enum rc places_check(struct checking *c, size_t node, struct err *e)
{
	struct report_node *n = &c->run->nodes[node];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n->edits.count && rc == RC_OK; i++) {
		const struct edit *edit = &n->edits.item[i];

		if (!is_configured(c, node, edit))
			rc = change_add(c, node, "config", edit->title,
				edit->exists ? "edited" : "missing", e);
	}
	if (rc == RC_OK && n->err.code == RC_TARGET)
		rc = change_add(c, node, "config", "",
			arena_text(&c->run->arena, n->err.text), e);
	/* the plan's objections are what was looked for, and not the node's failure */
	if (n->err.code == RC_TARGET || n->err.code == RC_CONFLICT)
		n->err = (struct err){ 0 };
	return rc;
}

/* ---- the verdict */

static const char *causes_of(struct checking *c, const struct drifts *drifts)
{
	struct texts causes = { 0 };
	struct err e;

	for (size_t i = 0; i < drifts->count; i++) {
		const struct drift *d = &drifts->item[i];
		const char *values = drift_values(d, &c->run->arena);

		if (d->cause && values &&
			texts_add(&causes,
				arena_format(&c->run->arena, "%s %s", d->what, values),
				&c->run->arena, &e) != RC_OK)
			return NULL;
	}
	return causes.count ? texts_join_with(&causes, ", ", &c->run->arena)
			    : "none of what cpuherd looks at";
}

static enum rc broken_say(
	struct checking *c, size_t node, const struct drifts *drifts, struct err *e)
{
	struct report_node *n = &c->run->nodes[node];
	struct report_check *check = &c->checks[node];
	struct bitset lost = keeping_lost(c->run, &c->keeping, node);
	const char *causes = causes_of(c, drifts);

	check->lost = names_of(c->run->catalogue, &lost, &c->run->arena);
	if (!causes || !check->lost.item)
		return err_memory(e);
	n->outcome = "broken";
	err_set(&n->err, RC_BROKEN, 0, "%.500s; likely cause: %.300s", check->why,
		causes);
	return RC_OK;
}

static enum rc node_judge(struct checking *c, size_t node, struct err *e)
{
	struct report_node *n = &c->run->nodes[node];
	struct report_check *check = &c->checks[node];
	struct drifts drifts = { 0 };
	enum rc rc = RC_OK;

	check->lock = c->keeping.agreement->path;
	check->cost = "";
	check->why = keeping_why(c->run, &c->keeping, node);
	n->check = check;
	if (!check->why)
		return err_memory(e);
	if (n->facts)
		rc = drifts_find(c, node, &drifts, e);
	if (rc == RC_OK)
		rc = drifts_take(c, node, &drifts, e);
	if (rc == RC_OK)
		rc = places_check(c, node, e);
	if (rc == RC_OK && check->why[0])
		return broken_say(c, node, &drifts, e);
	if (rc == RC_OK && !n->facts)
		rc = change_add(
			c, node, "gone", "", arena_text(&c->run->arena, n->err.text), e);
	n->outcome = n->err.code != RC_OK  ? "unknown"
		     : check->change_count ? "drifted"
					   : "unchanged";
	return rc;
}

/* ---- the outcome */

static bool is_broken(const struct report_node *n)
{
	return strcmp(n->outcome, "broken") == 0;
}

static bool is_unknown(const struct report_node *n)
{
	return strcmp(n->outcome, "unknown") == 0;
}

static bool is_drifted(const struct report_node *n)
{
	return strcmp(n->outcome, "drifted") == 0;
}

static bool is_unchanged(const struct report_node *n)
{
	return strcmp(n->outcome, "unchanged") == 0;
}

static size_t count_of(const struct run *run, bool (*is)(const struct report_node *n))
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += is(&run->nodes[i]);
	return count;
}

static void sum_up(struct run *run)
{
	const char *text = arena_format(&run->arena,
		"level %s of %s, %zu node%s: %zu unchanged, %zu drifted, %zu broken, %zu "
		"unknown",
		run->report.level_name, run->agreed->path, run->count,
		run->count == 1 ? "" : "s", count_of(run, is_unchanged),
		count_of(run, is_drifted), count_of(run, is_broken),
		count_of(run, is_unknown));

	run->report.summary = text ? text : "";
}

static enum rc verdict(struct run *run, struct err *e)
{
	static const struct {
		bool (*is)(const struct report_node *n);
		enum rc code;
		const char *text;
	} worst[] = {
		{ is_broken, RC_BROKEN,
			"%zu of %zu nodes cannot keep the level (%s): guests on it would "
			"not migrate there" },
		{ is_unknown, RC_UNKNOWN, "of %zu of %zu nodes it cannot be told (%s)" },
		{ is_drifted, RC_DRIFTED,
			"%zu of %zu nodes have changed (%s); guests on the level still "
			"migrate" },
	};

	sum_up(run);
	for (size_t i = 0; i < sizeof(worst) / sizeof(worst[0]); i++) {
		size_t count = count_of(run, worst[i].is);

		if (count)
			return err_set(e, worst[i].code, 0, worst[i].text, count,
				run->count, run_names(run, worst[i].is));
	}
	if (!run->missing.count)
		return RC_OK;
	return err_set(e, RC_UNKNOWN, 0,
		"of %zu nodes of %s there are no facts: of them it cannot be told",
		run->missing.count, run->agreed->path);
}

/* ---- the run */

static enum rc look(struct run *run, struct err *e)
{
	enum rc rc = run->fleet ? survey_choose_targets(run, e) : RC_OK;

	if (rc == RC_OK && run->fleet)
		rc = survey_ask(run, e);
	return rc == RC_OK && run->fleet ? survey_plan(run, e) : rc;
}

static enum rc nodes_judge(struct checking *c, struct err *e)
{
	struct run *run = c->run;
	enum rc rc = RC_OK;

	c->checks = arena_alloc(&run->arena, run->count + 1, sizeof(*c->checks));
	c->classes = arena_alloc(&run->arena, run->class_count + 1, sizeof(*c->classes));
	c->described = arena_alloc(&run->arena, run->class_count + 1, sizeof(bool));
	if (!c->checks || !c->classes || !c->described)
		return err_memory(e);
	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		rc = node_judge(c, i, e);
	return rc == RC_OK ? said_changes(run, e) : rc;
}

static enum rc check_run(struct run *run, const struct options *o, struct err *e)
{
	struct checking c = { .run = run };
	enum rc rc = run_begin(run, o, e);

	if (rc == RC_OK)
		rc = gather_facts(run, true, e);
	if (rc == RC_OK)
		rc = keeping_judge(run, run->agreed, &c.keeping, e);
	if (rc == RC_OK)
		rc = keeping_vote(run, &c.keeping, e);
	if (rc == RC_OK)
		rc = look(run, e);
	if (rc == RC_OK)
		rc = nodes_judge(&c, e);
	if (rc == RC_OK && !run->fleet)
		rc = said_not_asked(run, e);
	return rc == RC_OK ? verdict(run, e) : rc;
}

enum rc check_main(const struct options *o, struct err *e)
{
	struct run run;
	enum rc rc = check_run(&run, o, e);

	return run_end(&run, rc, e);
}
