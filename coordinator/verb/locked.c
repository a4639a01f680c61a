#include "coordinator/verb/locked.h"

#include <string.h>

#include "coordinator/cpu/names.h"
#include "coordinator/cpu/wishes.h"
#include "coordinator/verb/judge.h"
#include "coordinator/verb/keeping.h"
#include "coordinator/verb/offering.h"
#include "coordinator/verb/vote.h"
#include "proto/texts.h"

/* ---- wishes */

static enum rc refuse(const struct run *run, const char *what, struct err *e)
{
	return err_set(e, RC_LEVEL, 0,
		"%s, and the level of %s stays as it was agreed; %s", what,
		run->agreed->path,
		run->options->verb->bit & FOR_TRIALS ? "--lock none tries another"
						     : "--upgrade makes a new one");
}

static enum rc check_features(
	struct run *run, const struct bitset *wrong, const char *what, struct err *e)
{
	const char *names = names_join(run->catalogue, wrong, &run->arena);
	const char *text = names ? arena_format(&run->arena, what, names) : NULL;

	if (bitset_is_empty(wrong))
		return RC_OK;
	return text ? refuse(run, text, e) : err_memory(e);
}

static enum rc check_virt(const struct run *run, struct err *e)
{
	enum virt_type wanted = virt_of(run->options->virt_type);

	if (wanted == VIRT_COUNT || wanted == run->agreed->virt)
		return RC_OK;
	return err_set(e, RC_USAGE, 0,
		"--virt-type %s: the level of %s is for %s guests; --upgrade makes a new "
		"one, --lock FILE another beside it",
		virt_names[wanted], run->agreed->path, virt_names[run->agreed->virt]);
}

enum rc locked_check_wishes(struct run *run, struct err *e)
{
	const struct agreement *a = run->agreed;
	const struct wishes *w = &run->wishes;
	struct bitset required, wrong;
	enum rc rc;

	if (!a)
		return RC_OK;
	rc = check_virt(run, e);
	if (rc == RC_OK && w->model && strcmp(w->model->name, a->level.model) != 0)
		rc = refuse(run,
			arena_format(&run->arena, "--model %s: it is %s", w->model->name,
				a->level.model),
			e);
	if (rc == RC_OK && w->cross_vendor && a->ground.vendor[0])
		rc = refuse(run, "--cross-vendor: it is of one vendor", e);
	required = wishes_required(w, a->virt);
	wrong = bitset_minus(&required, &a->level.baseline);
	if (rc == RC_OK)
		rc = check_features(run, &wrong, "required: %s: it has not", e);
	wrong = bitset_and(&w->excluded, &a->level.baseline);
	return rc == RC_OK ? check_features(run, &wrong, "--without %s: it has", e) : rc;
}

/* ---- what a new level would gain */

static enum rc remark_gain(struct run *run, struct err *e)
{
	struct bitset gain;
	struct level better;
	struct err ignored;
	const char *names;

	/* of a part of the nodes it would be something else */
	if (run->missing.count || conditions_choose(&run->conditions, &run->wishes,
					  run->ops, &better, &ignored) != RC_OK)
		return RC_OK;
	gain = bitset_minus(&better.baseline, &run->agreed->level.baseline);
	if (bitset_is_empty(&gain))
		return RC_OK;
	names = names_join(run->catalogue, &gain, &run->arena);
	return run_remark_of(run, false, "upgrade", (struct texts){ 0 },
		names ? arena_format(&run->arena,
				"all nodes offer more than the locked level; --upgrade "
				"would add %s",
				names)
		      : NULL,
		e);
}

/* ---- does it hold? */

static enum rc blame(struct run *run, const struct keeping *k, struct err *e)
{
	for (size_t i = 0; i < run->count; i++) {
		const char *why = keeping_why(run, k, i);

		if (!why)
			return err_memory(e);
		if (why[0] && run_has(run, i))
			err_set(&run->nodes[i].err, RC_BROKEN, 0,
				"the level of %s does not hold: %s", run->agreed->path,
				why);
	}
	return run_blame(run,
		"nothing was written (--upgrade makes a new level for all nodes)", e);
}

enum rc locked_propose(struct run *run, struct err *e)
{
	struct keeping k;
	enum rc rc = keeping_judge(run, run->agreed, &k, e);

	if (rc == RC_OK)
		rc = blame(run, &k, e);
	if (rc == RC_OK)
		rc = remark_gain(run, e);
	if (rc == RC_OK)
		rc = conditions_keep(&run->conditions, &run->level, e);
	if (rc == RC_OK)
		rc = keeping_vote(run, &k, e);
	if (rc == RC_OK)
		rc = blame(run, &k, e);
	return rc == RC_OK && options_vote_by_trial(run->options)
		       ? vote_by_trial(run, NULL, e)
		       : rc;
}

/* ---- nodes */

enum rc locked_remark_nodes(struct run *run, struct err *e)
{
	const struct agreement *a = run->agreement_count ? run->agreements : NULL;
	struct texts new = { 0 };
	enum rc rc = RC_OK;

	if (!a || !a->exists)
		return RC_OK;
	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		if (!lock_find_node(&a->lock, run->nodes[i].name))
			rc = texts_add(&new, run->nodes[i].name, &run->arena, e);
	if (rc == RC_OK && new.count)
		rc = run_remark_of(run, false, "lock", new,
			arena_format(&run->arena, "new in %s", a->path), e);
	if (rc == RC_OK && run->missing.count)
		rc = run_remark_of(run, false, "lock", run->missing,
			arena_format(&run->arena,
				"not of this run, and kept in %s as they were", a->path),
			e);
	return rc;
}
