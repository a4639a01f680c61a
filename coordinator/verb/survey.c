#include "coordinator/verb/survey.h"

#include <string.h>

#include "proto/texts.h"

enum { TARGETS_MAX = sizeof(((struct run *)0)->targets) / sizeof(struct target *) };

/* ---- which targets */

static bool is_chosen(const struct options *o, const struct target *t)
{
	return o->targets.count ? texts_have(&o->targets, t->name) : t == target_at(0);
}

static enum rc check_names(const struct run *run, struct err *e)
{
	const struct texts *names = &run->options->targets;

	for (size_t i = 0; i < names->count; i++)
		if (!target_find(names->item[i]))
			return err_set(e, RC_USAGE, 0,
				"%s: --target %s: there is no such target; see cpuherd "
				"%s --help",
				run->options->verb->name, names->item[i],
				run->options->verb->name);
	return RC_OK;
}

/* The services of the targets, each once. */
static enum rc choose_units(struct run *run, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->target_count && rc == RC_OK; i++) {
		const char *unit = run->targets[i]->unit;

		if (unit && !texts_have(&run->units, unit))
			rc = texts_add(&run->units, unit, &run->arena, e);
	}
	if (rc == RC_OK && !run->units.count)
		return err_set(e, RC_USAGE, 0,
			"%s: --restart: no service reads these targets, so there is "
			"nothing to restart",
			run->options->verb->name);
	return rc;
}

/* In the order of the list, whatever the order of the words. */
enum rc survey_choose_targets(struct run *run, struct err *e)
{
	const struct target *t;

	if (check_names(run, e) != RC_OK)
		return e->code;
	for (size_t i = 0; (t = target_at(i)) && run->target_count < TARGETS_MAX; i++)
		if (is_chosen(run->options, t))
			run->targets[run->target_count++] = t;
	return run->options->restart ? choose_units(run, e) : RC_OK;
}

/* Only held against what was agreed: what was replaced, and which domains there were, was
 * the business of the run that wrote. */
static bool only_compares(const struct run *run)
{
	return run->options->verb->bit == FOR_CHECK;
}

static struct target_request request_of(const struct run *run)
{
	const struct options *o = run->options;

	return (struct target_request){ .level = &run->level,
		.catalogue = run->catalogue,
		.level_name = o->level_name,
		.xml = run->report.xml,
		.nova_release = o->nova_release,
		.domains = o->domains,
		.machine = o->machine,
		.nova_folder = o->nova_folder,
		.replace = o->replace || only_compares(run),
		.restart = o->restart };
}

/* ---- one round of questions */

struct asking {
	struct run *run;
	struct look look; /* the same for all */
	struct ask_domains domains;
	struct ask_nova nova;
	bool wants_domains, wants_nova;
};

/* The next question that this node has not answered. */
static bool survey_next(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct asking *a = context;
	const struct survey *s = &a->run->surveys[node];

	if (a->look.spots.count && !s->found) {
		*tag = MESSAGE_look;
		*value = &a->look;
	} else if (a->wants_domains && !s->domains) {
		*tag = MESSAGE_ask_domains;
		*value = &a->domains;
	} else if (a->wants_nova && !s->nova) {
		*tag = MESSAGE_ask_nova;
		*value = &a->nova;
	} else {
		return false;
	}
	return true;
}

static enum rc answer_seen(
	struct asking *a, size_t node, const void *value, struct err *e)
{
	struct survey *s = &a->run->surveys[node];
	const struct seen *seen = value;

	if (seen->found.count != a->look.spots.count)
		return err_set(e, RC_PROTOCOL, 0, "it looked at %zu places, not at %zu",
			seen->found.count, a->look.spots.count);
	s->spots = a->look.spots.item;
	s->count = a->look.spots.count;
	s->found = seen->found.item;
	return RC_OK;
}

static enum rc survey_answer(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct asking *a = context;

	if (m->type->tag == MESSAGE_seen)
		return answer_seen(a, node, m->value, e);
	if (m->type->tag == MESSAGE_domains)
		a->run->surveys[node].domains = m->value;
	else
		a->run->surveys[node].nova = m->value;
	return RC_OK;
}

static enum rc asking_make(struct asking *a, struct err *e)
{
	struct run *run = a->run;
	const struct target_request request = request_of(run);
	enum rc rc = RC_OK;

	run->surveys = arena_alloc(&run->arena, run->count, sizeof(*run->surveys));
	if (!run->surveys)
		return err_memory(e);
	a->nova.folder = request.nova_folder ? request.nova_folder : "";
	for (size_t i = 0; i < run->target_count && rc == RC_OK; i++) {
		const struct target *t = run->targets[i];

		a->wants_domains |= t->asks_domains;
		a->wants_nova |= t->asks_nova;
		if (t->spots)
			rc = t->spots(&request, &run->arena, &a->look.spots, e);
	}
	return rc;
}

enum rc survey_ask(struct run *run, struct err *e)
{
	static const struct fleet_call call = { .phase = "look",
		.ask = survey_next,
		.answer = survey_answer,
		.chain = true,
		.hold = true,
		.repeatable = true };
	struct asking a = { .run = run };
	enum rc rc = asking_make(&a, e);

	return rc == RC_OK ? run_round(run, &call, &a, e) : rc;
}

/* ---- what would be written */

static bool same_remark(const struct report_remark *a, const struct target_remark *b)
{
	return a->warning == b->warning && strcmp(a->about, b->about) == 0 &&
	       strcmp(a->text, b->text) == 0;
}

/* What has been said of another node is said of this one as well, in the same line. */
static enum rc remark_pass_on(struct run *run, const char *name,
	const struct target_remark *remark, struct err *e)
{
	struct report *r = &run->report;
	struct texts nodes = { 0 };

	for (size_t i = 0; i < r->remark_count; i++)
		if (r->remarks[i].nodes.count && same_remark(&r->remarks[i], remark))
			return texts_add(&r->remarks[i].nodes, name, &run->arena, e);
	if (texts_add(&nodes, name, &run->arena, e) != RC_OK)
		return e->code;
	return run_remark_of(run, remark->warning, remark->about, nodes, remark->text, e);
}

/* What the node said before the survey, for targets that need it. */
static void facts_pass_on(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct node_facts *f = run->nodes[i].facts;

		run->surveys[i].offer = run->nodes[i].offer;
		run->surveys[i].capabilities = f && f->present[BODY_capabilities]
						       ? f->text[BODY_capabilities]
						       : NULL;
	}
}

/* A node that failed is the run's error, and what it has is not known. */
static bool all_answered(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (!run_has(run, i))
			return false;
	return true;
}

static enum rc check_all(
	struct run *run, const struct target_request *request, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->target_count && rc == RC_OK; i++)
		if (run->targets[i]->check)
			rc = run->targets[i]->check(
				request, run->surveys, run->count, &run->arena, e);
	return rc;
}

static enum rc remarks_pass_on(
	struct run *run, size_t node, const struct target_remarks *remarks, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < remarks->count && rc == RC_OK; i++)
		rc = remark_pass_on(run, run->nodes[node].name, &remarks->item[i], e);
	return rc;
}

/* The first thing that is wrong with a node; all its targets are planned all the same,
 * so that a conflict is shown with the whole difference. */
static enum rc plan_node(
	struct run *run, const struct target_request *request, size_t node, struct err *e)
{
	struct report_node *n = &run->nodes[node];
	struct target_remarks remarks = { 0 };
	struct planning planning = { request, &run->surveys[node], &run->arena, &n->edits,
		&remarks };

	n->edits = (struct edits){ 0 };
	for (size_t i = 0; i < run->target_count; i++) {
		struct err why = { 0 };
		enum rc rc = run->targets[i]->plan(&planning, &why);

		if (rc == RC_MEMORY)
			return err_memory(e);
		if (rc != RC_OK && run_has(run, node))
			n->err = why;
	}
	return remarks_pass_on(run, node, &remarks, e);
}

enum rc survey_plan(struct run *run, struct err *e)
{
	const struct target_request request = request_of(run);
	enum rc rc = all_answered(run) && !only_compares(run)
			     ? check_all(run, &request, e)
			     : RC_OK;

	facts_pass_on(run);
	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		if (run_has(run, i))
			rc = plan_node(run, &request, i, e);
	return rc;
}
