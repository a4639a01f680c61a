#include "coordinator/verb/judge.h"

#include <string.h>

#include "coordinator/render/libvirt.h"
#include "coordinator/verb/classes.h"
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

/* Once: the votes change the level, not what the nodes said. */
enum rc judge_read_conditions(struct run *run, struct err *e)
{
	if (run->conditions.nodes)
		return RC_OK;
	run->conditions = (struct conditions){ .catalogue = run->catalogue,
		.facts = run->class_facts,
		.offers = run->offers,
		.count = run->class_count,
		.virt = run->virt,
		.arena = &run->arena,
		.floor = mitigation_floor_of(run->options->mitigations) };
	return conditions_begin(&run->conditions, e);
}

/* Of the classes that are marked; what is about all is about a pool's nodes, or names
 * none. */
static enum rc remark_nodes(struct run *run, const struct condition_remark *m,
	const struct pool *pool, struct texts *out, struct err *e)
{
	struct arena scratch = { 0 };
	bool *of = arena_alloc(&scratch, run->class_count + 1, sizeof(*of));
	size_t count = pool ? pool->count : run->class_count;
	enum rc rc = of ? RC_OK : err_memory(e);

	for (size_t i = 0; i < count && of; i++)
		of[pool ? pool->node[i] : i] = !m->of || m->of[i];
	if (rc == RC_OK && (m->of || pool))
		rc = classes_add_names(run, of, out, e);
	arena_destroy(&scratch);
	return rc;
}

enum rc judge_take_remarks(struct run *run, const struct condition_remark *remarks,
	size_t count, const struct pool *pool, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		const struct condition_remark *m = &remarks[i];
		struct texts nodes = { 0 };

		rc = remark_nodes(run, m, pool, &nodes, e);
		if (rc == RC_OK)
			rc = run_remark_of(run, m->warning, m->about, nodes, m->text, e);
	}
	return rc;
}

static enum rc remarks_take(struct run *run, struct err *e)
{
	const struct conditions *c = &run->conditions;

	return judge_take_remarks(run, c->remarks, c->remark_count, NULL, e);
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
	enum rc rc = judge_read_conditions(run, e);

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
