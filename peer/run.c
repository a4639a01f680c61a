#include "peer/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "peer/notes.h"
#include "peer/unit.h"
#include "peer/written.h"

/* What a run that came from the journal may have exchanged. */
static void reset(struct run *r)
{
	r->world = *r->site->world;
	r->ground = (struct change_ground){ .world = &r->world,
		.uri = r->site->uri,
		.folder = -1,
		.judge_cpu = r->site->judge_cpu,
		.domains = r->site->domains };
	r->state = RUN_STATE_none;
	r->change = NULL;
	r->count = 0;
	r->open = r->loaded = r->linger = r->torn = r->forgetting = r->restarted = false;
	r->units = (struct texts){ 0 };
}

void run_init(struct run *r, const struct run_site *site)
{
	*r = (struct run){
		.site = site, .hold = { -1 }, .store = { -1, -1 }, .journal = { .fd = -1 }
	};
	reset(r);
}

/* ---- closing */

void run_close(struct run *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->change[i].row->hands->release)
			r->change[i].row->hands->release(&r->change[i]);
	if (r->ground.folder >= 0)
		close(r->ground.folder);
	journal_close(&r->journal);
	hold_release(&r->hold);
	store_close(&r->store);
	arena_destroy(&r->arena);
	reset(r);
}

/* The last trace of the run goes. */
static enum rc drop(struct run *r, struct err *e)
{
	int problem = store_remove(r->store.runs, r->name, journal_file);

	if (problem)
		return err_set(e, RC_PARTIAL, problem,
			"run %s is over, but its folder %s/runs/%s cannot be removed: %s",
			r->name, r->world.state, r->name, strerror(problem));
	run_close(r);
	return RC_OK;
}

/* What was read anew is to be forgotten by those who read it. */
static enum rc restart_as_before(struct run *r, struct err *e)
{
	struct err why;

	if (unit_restart(&r->world, &r->units, &why) == RC_OK)
		return RC_OK;
	return err_set(e, RC_PARTIAL, why.native, "the files are as before, but %.700s",
		why.text);
}

enum rc run_undo(struct run *r, bool *changed, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = r->count; i-- > 0;) {
		struct change_state *c = &r->change[i];
		bool one = false;
		struct err why;

		/* one that cannot be put back must not keep the others from it */
		if (c->row->hands->revert(c, &r->ground, &one, &why) != RC_OK &&
			rc == RC_OK)
			rc = (*e = why).code;
		*changed = *changed || one;
	}
	if (rc == RC_OK && r->restarted)
		rc = restart_as_before(r, e);
	return rc == RC_OK ? drop(r, e) : rc;
}

enum rc run_finish_forgetting(struct run *r, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < r->count && rc == RC_OK; i++)
		rc = r->change[i].row->hands->forget(&r->change[i], &r->ground, e);
	if (rc == RC_OK)
		rc = written_add(r->store.state, r->change, r->count, e);
	return rc == RC_OK ? drop(r, e) : rc;
}

/* ---- steps of a run that should be known */

/* *known: it is open, be it from the journal. */
static enum rc enter(
	struct run *r, const char *name, bool *known, bool *tidied, struct err *e)
{
	enum rc rc = RC_OK;

	*tidied = false;
	if (!r->open)
		rc = run_load(r, name, tidied, e);
	*known = rc == RC_OK && r->open && strcmp(r->name, name) == 0;
	return rc;
}

static enum rc enter_staged(struct run *r, const char *name, struct err *e)
{
	bool known, tidied;
	enum rc rc = enter(r, name, &known, &tidied, e);

	if (rc == RC_OK && !known)
		return err_set(
			e, RC_PLACE, 0, "nothing is staged for run \"%.64s\"", name);
	return rc;
}

static enum rc enter_state(struct run *r, enum run_state state, struct err *e)
{
	enum rc rc = notes_state(r, state, e);

	if (rc == RC_OK)
		r->state = state;
	return rc;
}

static bool changes_something(const struct run *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (!r->change[i].unchanged)
			return true;
	return false;
}

static enum rc restart_units(struct run *r, struct err *e)
{
	enum rc rc = notes_restarting(r, e);

	if (rc != RC_OK)
		return rc;
	r->restarted = true;
	return unit_restart(&r->world, &r->units, e);
}

enum rc run_commit(struct run *r, const char *name, struct arena *scratch, bool *changed,
	struct err *e)
{
	enum rc rc = enter_staged(r, name, e);

	*changed = rc == RC_OK && changes_something(r);
	if (rc != RC_OK || r->state >= RUN_STATE_committed)
		return rc;
	if (r->state != RUN_STATE_committing)
		rc = enter_state(r, RUN_STATE_committing, e);
	for (size_t i = 0; i < r->count && rc == RC_OK; i++) {
		struct change_state *c = &r->change[i];

		/* cut short it may have written, too */
		c->committed = true;
		rc = c->row->hands->commit(c, &r->ground, scratch, e);
	}
	if (rc == RC_OK && *changed && r->units.count)
		rc = restart_units(r, e);
	return rc == RC_OK ? enter_state(r, RUN_STATE_committed, e) : rc;
}

static enum rc read_one(
	struct run *r, size_t i, struct arena *arena, struct reading *out, struct err *e)
{
	struct change_state *c = &r->change[i];
	struct change_judging j = { &r->ground, c, { 0 }, true, arena };
	struct change_verdict verdict = { true, "" };
	enum rc rc = c->row->hands->read_back(c, &r->ground, arena, &j.content, e);

	if (rc == RC_OK && c->row->judge)
		rc = c->row->judge(&j, &verdict, e);
	*out = (struct reading){ .content = j.content,
		.accepted = verdict.accepted,
		.reason = verdict.reason };
	return rc == RC_OK ? change_title(c, arena, &out->path, e) : rc;
}

enum rc run_verify(struct run *r, const char *name, struct arena *arena,
	struct verified *out, struct err *e)
{
	enum rc rc = enter_staged(r, name, e);
	struct reading *readings;

	if (rc == RC_OK && r->state < RUN_STATE_committed)
		rc = err_set(e, RC_PLACE, 0, "run %s is %s, not committed", r->name,
			run_state_name(r->state));
	if (rc != RC_OK)
		return rc;
	readings = arena_alloc(arena, r->count, sizeof(*readings));
	if (!readings)
		return err_memory(e);
	for (size_t i = 0; i < r->count && rc == RC_OK; i++)
		rc = read_one(r, i, arena, &readings[i], e);
	*out = (struct verified){ { readings, r->count } };
	return rc;
}

/* Says in the journal that from now on anything may be there. */
static void announce_undoing(struct run *r)
{
	struct err e;

	/* a full disk must not keep it from being put back */
	if (r->state > RUN_STATE_committing)
		(void)notes_state(r, RUN_STATE_committing, &e);
	if (r->state > RUN_STATE_committing)
		r->state = RUN_STATE_committing;
}

enum rc run_revert(struct run *r, const char *name, bool *changed, struct err *e)
{
	bool known;
	enum rc rc = enter(r, name, &known, changed, e);

	if (rc != RC_OK || !known)
		return rc;
	if (r->forgetting)
		return err_set(e, RC_CONFLICT, 0,
			"run %s is kept everywhere, and the way back is being dropped",
			name);
	announce_undoing(r);
	return run_undo(r, changed, e);
}

enum rc run_keep(struct run *r, const char *name, bool *changed, struct err *e)
{
	bool known;
	enum rc rc = enter(r, name, &known, changed, e);

	*changed = false;
	if (rc != RC_OK || !known || r->state == RUN_STATE_kept)
		return rc;
	if (r->state != RUN_STATE_committed)
		return err_set(e, RC_PLACE, 0, "run %s is %s, not committed", name,
			run_state_name(r->state));
	for (size_t i = 0; i < r->count && rc == RC_OK; i++) {
		const struct change_hands *hands = r->change[i].row->hands;

		if (hands->confirm)
			rc = hands->confirm(&r->change[i], &r->ground, e);
	}
	if (rc == RC_OK)
		rc = enter_state(r, RUN_STATE_kept, e);
	*changed = rc == RC_OK && changes_something(r);
	return rc;
}

enum rc run_forget(struct run *r, const char *name, bool *changed, struct err *e)
{
	bool known;
	enum rc rc = enter(r, name, &known, changed, e);

	*changed = false;
	if (rc != RC_OK || !known)
		return rc;
	if (r->state != RUN_STATE_kept)
		return err_set(e, RC_PLACE, 0, "run %s is %s, not kept", name,
			run_state_name(r->state));
	if (!r->forgetting)
		rc = notes_forgetting(r, e);
	if (rc != RC_OK)
		return rc;
	r->forgetting = *changed = true;
	return run_finish_forgetting(r, e);
}

enum rc run_recover(struct run *r, const char *name, struct arena *arena,
	struct recovered *out, struct err *e)
{
	bool known = r->open, tidied;
	enum rc rc = RC_OK;

	*out = (struct recovered){ 0 };
	if (*name)
		rc = enter(r, name, &known, &tidied, e);
	else if (!r->open)
		return run_find(r, arena, out, e);
	return rc == RC_OK && known ? run_describe(r, arena, out, e) : rc;
}

/* ---- the end of the connection */

bool run_is_at_risk(const struct run *r)
{
	return r->open && !r->loaded && !r->linger && r->state < RUN_STATE_kept;
}

bool run_needs_more_than_system_calls(const struct run *r)
{
	if (r->restarted)
		return true;
	for (size_t i = 0; i < r->count; i++)
		if (!r->change[i].row->hands->by_system_calls)
			return true;
	return false;
}

enum rc run_leave(struct run *r, struct err *e)
{
	bool changed = false;
	enum rc rc = RC_OK;

	if (run_is_at_risk(r)) {
		announce_undoing(r);
		rc = run_undo(r, &changed, e);
	}
	run_close(r);
	return rc;
}

void run_abandon(struct run *r)
{
	bool all = !r->restarted, changed;
	struct err e;

	if (!run_is_at_risk(r))
		return;
	if (r->state > RUN_STATE_committing)
		(void)journal_append_now(
			&r->journal, "state", "is", run_state_name(RUN_STATE_committing));
	for (size_t i = r->count; i-- > 0;) {
		struct change_state *c = &r->change[i];

		if (!c->row->hands->by_system_calls ||
			c->row->hands->revert(c, &r->ground, &changed, &e) != RC_OK)
			all = false;
	}
	if (all)
		(void)store_remove(r->store.runs, r->name, journal_file);
}
