#include "peer/trial_begin.h"

#include <string.h>

#include "peer/trial_name.h"

void trials_init(struct trials *t, const struct trial_ways *ways, const char *uri,
	const struct place_world *world, int caller)
{
	*t = (struct trials){
		.ways = ways, .uri = uri, .world = world, .caller = caller
	};
}

bool trials_have_begun(const struct trials *t)
{
	return t->run[0];
}

enum rc trials_name(const struct trials *t, const char *run, const char *guest,
	struct arena *arena, const char **name, struct err *e)
{
	if (trial_name(run, guest, arena, name, e) != RC_OK)
		return e->code;
	return strcmp(run, t->run) == 0
		       ? RC_OK
		       : err_set(e, RC_PROTOCOL, 0,
				 "no trial guests of the run %s have begun here", run);
}

/* ---- what dead runs left */

/* It is ours once we hold its scratch; one that lives holds that itself.  A run whose
 * scratch was removed may still have guests. */
static bool take_over(struct trials *t, const char *run, struct scratch *scratch)
{
	struct err e;

	return scratch_adopt(scratch, t->world, run, &e) == RC_OK ||
	       scratch_make(scratch, t->world, run, &e) == RC_OK;
}

/* What cannot be swept now a later run may sweep: it does not hinder this one. */
static void sweep_run(struct trials *t, const char *run, struct arena *arena)
{
	struct scratch scratch = { 0 };
	struct texts left = { 0 };
	unsigned count;
	struct err e;

	if (!take_over(t, run, &scratch))
		return;
	if (t->ways->calls->end_all(t->uri, run, &count, &e) == RC_OK)
		scratch_remove(&scratch, arena, &left);
	else
		scratch_abandon(&scratch);
}

static enum rc sweep_all(struct trials *t, struct arena *arena, struct err *e)
{
	struct texts runs = { 0 }, guests = { 0 };

	if (scratch_stale(t->world, arena, &runs, e) != RC_OK ||
		t->ways->calls->runs(t->link, arena, &guests, e) != RC_OK)
		return e->code;
	for (size_t i = 0; i < runs.count; i++)
		sweep_run(t, runs.item[i], arena);
	for (size_t i = 0; i < guests.count; i++)
		if (!texts_have(&runs, guests.item[i]) &&
			strcmp(guests.item[i], t->run) != 0)
			sweep_run(t, guests.item[i], arena);
	return RC_OK;
}

static enum rc sweep(struct trials *t, struct err *e)
{
	struct arena arena = { 0 };
	enum rc rc = sweep_all(t, &arena, e);

	arena_destroy(&arena);
	return rc;
}

/* ---- begin and end */

/* Where no guest is. */
static void put_away(struct trials *t, struct arena *arena, struct texts *left)
{
	t->ways->calls->close(t->link);
	t->link = NULL;
	scratch_remove(&t->scratch, arena, left);
	guard_release(&t->guard);
	t->run[0] = '\0';
	t->stays = false;
	t->staying = 0;
}

static enum rc begin(struct trials *t, struct err *e)
{
	const struct guard_job job = { .uri = t->uri,
		.run = t->run,
		.scratch = &t->scratch,
		.end_all = t->ways->calls->end_all,
		.pause_ms = t->ways->guard_pause_ms };
	enum rc rc = guard_start(&t->guard, &job, e);

	if (rc == RC_OK)
		rc = t->ways->calls->open(t->uri, &t->link, e);
	return rc == RC_OK ? sweep(t, e) : rc;
}

enum rc trials_begin(struct trials *t, const char *run, struct err *e)
{
	struct arena arena = { 0 };
	struct texts left = { 0 };
	enum rc rc;

	if (trials_have_begun(t))
		return strcmp(t->run, run) == 0
			       ? RC_OK
			       : err_set(e, RC_PROTOCOL, 0,
					 "the run %s has trial guests here; one run at a "
					 "time",
					 t->run);
	rc = scratch_make(&t->scratch, t->world, run, e);
	if (rc != RC_OK)
		return rc;
	memcpy(t->run, run, strlen(run) + 1);
	rc = begin(t, e);
	if (rc != RC_OK)
		put_away(t, &arena, &left);
	arena_destroy(&arena);
	return rc;
}

/* By a connection of its own: the link may be one of a libvirtd that was restarted. */
enum rc trials_end(struct trials *t, struct arena *arena, unsigned *count,
	struct texts *left, struct err *e)
{
	struct err why;

	if (t->ways->calls->end_all(t->uri, t->run, count, &why) == RC_OK) {
		put_away(t, arena, left);
		return RC_OK;
	}
	return err_set(e, why.code, why.native,
		"%s; when this peer has left, its cpuherd-guard goes on until they are "
		"gone",
		why.text);
}

enum rc trials_leave(struct trials *t, struct err *e)
{
	struct arena arena = { 0 };
	struct texts left = { 0 };
	unsigned count;
	enum rc rc = RC_OK;

	if (trials_have_begun(t))
		rc = trials_end(t, &arena, &count, &left, e);
	arena_destroy(&arena);
	return rc;
}
