#include "coordinator/verb/migrations.h"

#include <string.h>

#include "base/log.h"
#include "coordinator/verb/migration_judge.h"
#include "coordinator/verb/migrations_private.h"
#include "proto/texts.h"

/* ---- what came of a step */

static const struct facts *facts_of(const struct run *run, size_t node)
{
	return run->nodes[node].facts ? &run->nodes[node].facts->small : NULL;
}

static const char *trouble_of(struct run *run, size_t node)
{
	const struct report_node *n = &run->nodes[node];

	return n->err.code == RC_OK
		       ? ""
		       : arena_format(&run->arena, "%s: %s", n->name, n->err.text);
}

static enum rc pair_judge(struct migrations *m, size_t pair, struct err *e)
{
	const struct pair *p = &m->pairs->pair[pair];
	struct run *run = m->run;
	const struct migration_case c = {
		.source_trouble = trouble_of(run, p->source),
		.target_trouble = trouble_of(run, p->target),
		.source = facts_of(run, p->source),
		.target = facts_of(run, p->target),
		.catalogue = run->catalogue,
		.virt = run->virt,
		/* TCG gives every guest the same width */
		.bare_maxphysaddr = run->virt == VIRT_KVM &&
				    !strstr(run->report.xml, "<maxphysaddr"),
		.limit_s = m->sends[p->source].limit_s,
	};

	return migration_judge(&run->report.migrations[pair], &c, &run->arena, e);
}

static enum rc step_judge(struct migrations *m, size_t step, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = m->pairs->steps[step]; i < m->pairs->steps[step + 1]; i++)
		if (rc == RC_OK)
			rc = pair_judge(m, i, e);
	return rc;
}

static enum rc left_tell(struct migrations *m, struct err *e)
{
	struct run *run = m->run;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->count && rc == RC_OK; i++) {
		struct texts name = { 0 };
		const char *paths = texts_join(&m->left[i], 8, &run->arena);

		if (!m->left[i].count)
			continue;
		rc = texts_add(&name, run->nodes[i].name, &run->arena, e);
		if (rc == RC_OK)
			rc = run_remark_of(run, false, "left", name,
				arena_format(&run->arena, "not removed: %s",
					paths ? paths : "?"),
				e);
	}
	return rc;
}

/* ---- all of it */

static enum rc migrations_make(struct migrations *m, struct err *e)
{
	struct run *run = m->run;
	struct report *r = &run->report;

	m->from = arena_alloc(&run->arena, run->count, sizeof(*m->from));
	m->to = arena_alloc(&run->arena, run->count, sizeof(*m->to));
	m->tries = arena_alloc(&run->arena, run->count, sizeof(*m->tries));
	m->sends = arena_alloc(&run->arena, run->count, sizeof(*m->sends));
	m->meets = arena_alloc(&run->arena, run->count, sizeof(*m->meets));
	m->left = arena_alloc(&run->arena, run->count, sizeof(*m->left));
	r->migrations = arena_alloc(&run->arena, m->pairs->count, sizeof(*r->migrations));
	if (!m->from || !m->to || !m->tries || !m->sends || !m->meets || !m->left ||
		!r->migrations)
		return err_memory(e);
	m->dismiss.run = run->trial_run;
	for (size_t i = 0; i < m->pairs->count; i++)
		r->migrations[i] = (struct report_migration){
			.source = run->nodes[m->pairs->pair[i].source].name,
			.target = run->nodes[m->pairs->pair[i].target].name,
			.why = "it was not begun",
			.cause = ""
		};
	r->migration_count = m->pairs->count;
	return RC_OK;
}

enum rc migrations_run(struct run *run, const struct pairs *pairs, struct err *e)
{
	struct migrations m = { .run = run, .pairs = pairs };
	struct err ignored;
	enum rc rc = migrations_make(&m, e), judged;

	for (size_t step = 0; step < pairs->step_count && rc == RC_OK; step++) {
		log_line(LOG_INFO, NULL, "step %zu of %zu: %zu migrations", step + 1,
			pairs->step_count, pairs->steps[step + 1] - pairs->steps[step]);
		rc = step_prepare(&m, step, e);
		if (rc == RC_OK)
			rc = step_run(&m, e);
		judged = step_judge(&m, step, rc == RC_OK ? e : &ignored);
		rc = rc == RC_OK ? judged : rc;
	}
	return rc == RC_OK ? left_tell(&m, e) : rc;
}
