#include "coordinator/verb/judge.h"

#include <string.h>

#include "coordinator/render/libvirt.h"
#include "coordinator/verb/split.h"
#include "coordinator/verb/wants.h"
#include "proto/texts.h"

enum { XML_BYTES_MAX = 256 * 1024 };

enum rc judge_write_xml(
	struct run *run, const struct level *level, const char **out, struct err *e)
{
	struct buf xml = buf_with_cap(XML_BYTES_MAX);
	enum rc rc = render_libvirt_cpu(&xml, level, e);
	const char *text = NULL;

	if (rc == RC_OK) {
		text = arena_text_n(
			&run->arena, buf_bytes(&xml).data, buf_bytes(&xml).size);
		rc = text ? RC_OK : err_memory(e);
	}
	*out = text ? text : "";
	buf_destroy(&xml);
	return rc;
}

static enum mitigation_floor floor_of(const char *name)
{
	int floor = 0;

	while (floor < FLOOR_COUNT && strcmp(mitigation_floor_names[floor], name) != 0)
		floor++;
	return (enum mitigation_floor)floor;
}

/* Once: the votes change the level, not what the nodes said. */
static enum rc conditions_read(struct run *run, struct err *e)
{
	if (run->conditions.nodes)
		return RC_OK;
	run->conditions = (struct conditions){ .catalogue = run->catalogue,
		.facts = run->facts,
		.offers = run->offers,
		.count = run->count,
		.virt = run->virt,
		.arena = &run->arena,
		.floor = floor_of(run->options->mitigations) };
	return conditions_begin(&run->conditions, e);
}

/* In the words of the report: a list of those that are marked. */
static enum rc remark_take(
	struct run *run, const struct condition_remark *m, struct err *e)
{
	struct texts nodes = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; m->of && i < run->count && rc == RC_OK; i++)
		if (m->of[i])
			rc = texts_add(&nodes, run->nodes[i].name, &run->arena, e);
	return rc == RC_OK ? run_remark_of(run, m->warning, m->about, nodes, m->text, e)
			   : rc;
}

static enum rc remarks_take(struct run *run, struct err *e)
{
	const struct conditions *c = &run->conditions;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < c->remark_count && rc == RC_OK; i++)
		rc = remark_take(run, &c->remarks[i], e);
	return rc;
}

enum rc judge_remarks(struct run *run, struct err *e)
{
	enum rc rc = conditions_remark(&run->conditions, &run->level, e);

	run->report.conditions = &run->conditions;
	return rc == RC_OK ? remarks_take(run, e) : rc;
}

/* A wish that cannot be had, and the conditions that may stand in its way.  The run ends
 * with it. */
static enum rc explain_refusal(struct run *run, struct err *e)
{
	enum rc rc;

	run->wishes.unsafe = run->conditions.forbidden;
	rc = wants_explain(run, e);
	if (rc == RC_OK)
		rc = conditions_explain(&run->conditions, e);
	return rc == RC_OK ? remarks_take(run, e) : rc;
}

/* Where vendors are the reason, each has a level of its own; else a wish may be. */
static enum rc refuse_level(struct run *run, struct err *e)
{
	enum rc rc = split_by_vendor(run, e);
	struct err why;

	if (rc == RC_LEVEL && run->report.pool_count == 0 &&
		explain_refusal(run, &why) != RC_OK)
		return err_set(e, why.code, why.native, "%s", why.text);
	return rc;
}

enum rc judge_level(struct run *run, struct err *e)
{
	enum rc rc = conditions_read(run, e);

	run->report.level = NULL;
	run->report.xml = "";
	if (rc == RC_OK)
		rc = conditions_choose(
			&run->conditions, &run->wishes, run->ops, &run->level, e);
	if (rc != RC_OK)
		return rc == RC_LEVEL ? refuse_level(run, e) : rc;
	rc = judge_write_xml(run, &run->level, &run->report.xml, e);
	if (rc == RC_OK)
		run->report.level = &run->level;
	return rc == RC_OK ? split_warn(run, e) : rc;
}
