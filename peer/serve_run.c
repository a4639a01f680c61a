/* The steps of a run: the messages of run.h. */
#include "peer/dialogue.h"
#include "peer/watchdog.h"
#include "peer/written.h"
#include "proto/limits.h"

/* ---- looking */

/* cpuherd's own, as far as the place is a file that is cpuherd's as a whole. */
static enum rc look_whose(
	struct dialogue *d, const struct spot *spot, struct found *out, struct err *e)
{
	out->ours = true;
	if (!place_of(spot->place)->owned || !out->exists)
		return RC_OK;
	return written_knows(&d->world, out->path, out->digest, &out->ours, e);
}

static enum rc look_at(struct dialogue *d, const struct spot *spot, struct arena *scratch,
	struct found *out, struct err *e)
{
	const struct change_row *row = change_of(spot->place);
	enum rc rc;

	if (!row)
		return err_set(
			e, RC_PLACE, 0, "there is no place number %u", spot->place);
	if (!row->hands)
		return err_set(e, RC_TARGET, 0, "this cpuherd-peer cannot read a %s",
			place_of(spot->place)->name);
	rc = row->hands->look(&d->run.ground, spot, scratch, out, e);
	return rc == RC_OK ? look_whose(d, spot, out, e) : rc;
}

enum rc handle_look(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct list *spots = &((const struct look *)request)->spots;
	struct found *found = arena_alloc(scratch, spots->count, sizeof(*found));
	struct seen seen = { { found, spots->count } };
	enum rc rc;

	if (!found)
		return err_memory(e);
	if (spots->count < 1 || spots->count > LIMIT_CHANGES)
		return err_set(e, RC_LIMIT, 0, "%zu places to look at, 1 to %d can be",
			spots->count, LIMIT_CHANGES);
	rc = dialogue_arm(d, e);
	for (size_t i = 0; i < spots->count && rc == RC_OK; i++)
		rc = look_at(
			d, (const struct spot *)spots->item + i, scratch, &found[i], e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_seen, &seen, e) : rc;
}

/* ---- steps, under the watchdog: libvirt may be asked in each of them */

enum rc handle_stage(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	struct staged staged;
	enum rc rc = dialogue_arm(d, e);

	if (rc == RC_OK)
		rc = run_stage(&d->run, request, scratch, &staged, e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_staged, &staged, e) : rc;
}

enum rc handle_commit(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct commit *commit = request;
	struct committed committed;
	enum rc rc = dialogue_arm(d, e);

	if (rc == RC_OK)
		rc = run_commit(&d->run, commit->run, scratch, &committed.changed, e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_committed, &committed, e) : rc;
}

enum rc handle_verify(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct verify *verify = request;
	struct verified verified;
	enum rc rc = dialogue_arm(d, e);

	if (rc == RC_OK)
		rc = run_verify(&d->run, verify->run, scratch, &verified, e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_verified, &verified, e) : rc;
}

enum rc handle_revert(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct revert *revert = request;
	struct reverted reverted;
	enum rc rc = dialogue_arm(d, e);

	(void)scratch;
	if (rc == RC_OK)
		rc = run_revert(&d->run, revert->run, &reverted.changed, e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_reverted, &reverted, e) : rc;
}

enum rc handle_keep(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct keep *keep = request;
	struct kept kept;
	enum rc rc = dialogue_arm(d, e);

	(void)scratch;
	if (rc == RC_OK)
		rc = run_keep(&d->run, keep->run, &kept.changed, e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_kept, &kept, e) : rc;
}

enum rc handle_forget(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct forget *forget = request;
	struct forgotten forgotten;
	enum rc rc = run_forget(&d->run, forget->run, &forgotten.changed, e);

	(void)scratch;
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_forgotten, &forgotten, e) : rc;
}

enum rc handle_recover(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct recover *recover = request;
	struct recovered recovered;
	enum rc rc = run_recover(&d->run, recover->run, scratch, &recovered, e);

	return rc == RC_OK ? dialogue_answer(d, MESSAGE_recovered, &recovered, e) : rc;
}
