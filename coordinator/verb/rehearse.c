#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/token.h"
#include "coordinator/verb/gather.h"
#include "coordinator/verb/migrations.h"
#include "coordinator/verb/trial.h"
#include "coordinator/verb/verb.h"
#include "proto/texts.h"

enum { NAMED = 4, SLACK_SECONDS = 60 };

/* ---- which pairs */

static enum rc seed_make(uint32_t *seed, struct err *e)
{
	char text[2 + 8 + 1] = "0x";

	if (token_make(text + 2, sizeof(text) - 2, e) != RC_OK)
		return e->code;
	if (!text_to_u32(text, seed) || *seed == 0)
		*seed = 1;
	return RC_OK;
}

static enum rc wish_make(const struct options *o, struct pairs_wish *out, struct err *e)
{
	*out = (struct pairs_wish){ .kind = o->all_pairs ? PAIRS_ALL
					    : o->sample	 ? PAIRS_SAMPLE
							 : PAIRS_RING,
		.sample = o->sample,
		.seed = o->seed };
	return out->kind == PAIRS_SAMPLE && !out->seed ? seed_make(&out->seed, e) : RC_OK;
}

static enum rc pairs_name(struct run *run, const struct pairs_wish *wish,
	const struct pairs *pairs, struct err *e)
{
	const char *text = "a ring";

	if (wish->kind == PAIRS_ALL)
		text = "all pairs";
	else if (wish->kind == PAIRS_SAMPLE)
		text = arena_format(&run->arena,
			"a sample (%zu of %llu pairs, --seed %u)", pairs->count,
			(unsigned long long)pairs_possible(run->count), wish->seed);
	run->report.pairs = text ? text : "";
	return text ? RC_OK : err_memory(e);
}

/* A trial guest ends with its node's session.  A sample needs those of its nodes alone. */
static enum rc holds_check(struct run *run, const struct pairs *pairs, struct err *e)
{
	struct err why;
	size_t needed = 0;
	bool *seen = arena_alloc(&run->arena, run->count, sizeof(*seen));

	if (!seen)
		return err_memory(e);
	for (size_t i = 0; i < pairs->count; i++) {
		needed += !seen[pairs->pair[i].source];
		seen[pairs->pair[i].source] = true;
		needed += !seen[pairs->pair[i].target];
		seen[pairs->pair[i].target] = true;
	}
	if (fleet_holds_all(run->fleet, &why) == RC_OK ||
		(needed < run->count && fleet_holds(run->fleet, needed, &why) == RC_OK))
		return RC_OK;
	return err_set(e, RC_LIMIT, 0,
		"%.500s, and a trial guest lives only as long as its node's session: "
		"--sample N takes some pairs",
		why.text);
}

/* ---- what came of it */

/* How many went well, how many of those with guests that ran, and how long they took. */
struct tally {
	size_t ok, ran;
	uint32_t least, most;
};

static struct tally tally_of(const struct report *r)
{
	struct tally t = { .least = UINT32_MAX };

	for (size_t i = 0; i < r->migration_count; i++) {
		const struct report_migration *m = &r->migrations[i];

		if (!m->ok)
			continue;
		t.ok++;
		t.ran += m->ran;
		if (m->migrated->ms < t.least)
			t.least = m->migrated->ms;
		if (m->migrated->ms > t.most)
			t.most = m->migrated->ms;
	}
	return t;
}

static const char *fate_text(
	struct run *run, const struct tally *t, const struct report *r)
{
	const char *text;

	if (t->ok < r->migration_count)
		return "went well";
	if (t->ran == t->ok)
		return "every guest lives on, with the CPU it had";
	if (t->ran == 0)
		return "every guest arrived, with the CPU it had (paused)";
	text = arena_format(&run->arena,
		"every guest arrived, with the CPU it had (%zu ran, the others were "
		"paused)",
		t->ran);
	return text ? text : "";
}

static void sum_up(struct run *run)
{
	struct report *r = &run->report;
	struct tally t = tally_of(r);
	bool all = t.ok == r->migration_count;
	const char *text = arena_format(&run->arena,
		"%zu of %zu migrations of %s%s %s (%s)", t.ok, r->migration_count,
		r->pairs, all ? ":" : "", fate_text(run, &t, r), trial_cpu_text(run));

	if (text && t.ok == 1)
		text = arena_format(&run->arena, "%s; %.1f s", text, t.most / 1000.0);
	else if (text && t.ok)
		text = arena_format(&run->arena, "%s; %.1f to %.1f s each", text,
			t.least / 1000.0, t.most / 1000.0);
	r->summary = text ? text : "";
}

static enum rc failures_name(struct run *run, struct texts *out, struct err *e)
{
	const struct report *r = &run->report;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < r->migration_count && rc == RC_OK; i++)
		if (!r->migrations[i].ok)
			rc = texts_add(out,
				arena_format(&run->arena, "%s -> %s",
					r->migrations[i].source, r->migrations[i].target),
				&run->arena, e);
	return rc;
}

static enum rc verdict(struct run *run, struct err *e)
{
	struct texts names = { 0 };
	const char *text;

	sum_up(run);
	if (failures_name(run, &names, e) != RC_OK)
		return e->code;
	if (!names.count)
		return run_blame(run, "the guests had migrated before", e);
	text = texts_join(&names, NAMED, &run->arena);
	if (!text)
		return err_memory(e);
	return err_set(e, RC_REHEARSAL, 0, "%zu of %zu migrations failed: %s",
		names.count, run->report.migration_count, text);
}

/* ---- guests that could not run */

static bool was_to_run(const struct report_migration *m)
{
	return m->before && m->before->started && !m->before->alive;
}

/* One remark for each reason, with all its nodes. */
static enum rc paused_tell_one(struct run *run, size_t first, bool *told, struct err *e)
{
	const struct report_migration *all = run->report.migrations;
	const char *why = all[first].before->why;
	struct texts nodes = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = first; i < run->report.migration_count && rc == RC_OK; i++) {
		if (!was_to_run(&all[i]) || strcmp(all[i].before->why, why) != 0)
			continue;
		told[i] = true;
		if (!texts_have(&nodes, all[i].source))
			rc = texts_add(&nodes, all[i].source, &run->arena, e);
	}
	if (rc != RC_OK)
		return rc;
	return run_remark_of(run, true, "paused", nodes,
		arena_format(&run->arena,
			"trial guests do not run there (%s), so paused ones were "
			"migrated: that they live on is not shown",
			why[0] ? why : "no reason given"),
		e);
}

static enum rc paused_tell(struct run *run, struct err *e)
{
	const struct report *r = &run->report;
	bool *told = arena_alloc(&run->arena, r->migration_count + 1, sizeof(*told));
	enum rc rc = told ? RC_OK : err_memory(e);

	if (run->options->paused)
		return RC_OK;
	for (size_t i = 0; i < r->migration_count && rc == RC_OK; i++)
		if (was_to_run(&r->migrations[i]) && !told[i])
			rc = paused_tell_one(run, i, told, e);
	return rc;
}

/* ---- the verb */

/* Before any node is asked, what cannot be is refused. */
static enum rc pairs_choose(struct run *run, struct pairs *pairs, struct err *e)
{
	struct pairs_wish wish;
	enum rc rc = wish_make(run->options, &wish, e);

	if (rc == RC_OK)
		rc = pairs_make(&wish, run->count, &run->arena, pairs, e);
	if (rc == RC_OK)
		rc = pairs_name(run, &wish, pairs, e);
	return rc == RC_OK ? holds_check(run, pairs, e) : rc;
}

static enum rc rehearse_run(struct run *run, const struct options *o, struct err *e)
{
	struct pairs pairs;
	struct err few;
	enum rc rc = run_begin(run, o, e);

	if (rc == RC_OK)
		rc = pairs_choose(run, &pairs, e);
	if (rc == RC_OK)
		/* sessions of nodes beside a sample would take the room of its own */
		rc = gather_facts(run, fleet_holds_all(run->fleet, &few) == RC_OK, e);
	if (rc == RC_OK)
		rc = run_blame(run, "no guest was started (--without NODE)", e);
	if (rc == RC_OK)
		rc = trial_take_level(run, e);
	if (rc == RC_OK)
		rc = trial_begin(run, e);
	if (rc == RC_OK)
		rc = migrations_run(run, &pairs, e);
	if (rc == RC_OK)
		rc = paused_tell(run, e);
	return rc == RC_OK ? verdict(run, e) : rc;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

enum rc rehearse_main(const struct options *o, struct err *e)
{
	struct options patient = *o;
	uint32_t limit_s = o->migrate_timeout_s ? o->migrate_timeout_s
						: MIGRATION_SECONDS;
	struct run run;
	enum rc rc;

	/* the peer gives up before its coordinator does; 0: the usual patience */
	if (o->timeout_s || o->migrate_timeout_s)
		patient.timeout_s = larger(o->timeout_s, limit_s + SLACK_SECONDS);
	rc = rehearse_run(&run, &patient, e);
	return run_end(&run, rc, e);
}
