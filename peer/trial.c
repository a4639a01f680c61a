#include "peer/trial.h"

#include <string.h>

#include "base/clock.h"
#include "peer/guest_log.h"
#include "peer/trial_begin.h"
#include "peer/trial_sight.h"
#include "peer/trial_name.h"
#include "peer/trial_xml.h"

const struct trial_ways trial_ways = { &libvirt_guests, TRIAL_PULSE_MS, 0 };

/* ---- a guest of one's own */

static enum rc start(struct trials *t, const struct try *ask, const char *name,
	struct arena *arena, struct tried *out, struct err *e)
{
	const struct trial_guest guest = { name,
		{ ask->virt_type, ask->emulator, ask->arch, ask->machine }, ask->cpu,
		ask->runs ? t->scratch.kernel : "", TRIAL_LIFE_S };
	struct guest_start how = { NULL, ask->emulator, ask->stays };
	struct libvirt_verdict verdict;
	long begin = clock_ms();
	enum rc rc = trial_xml(&guest, arena, &how.xml, e);

	t->scratch.had_guests = true; /* QEMU is logged also where it does not start */
	if (rc == RC_OK)
		rc = t->ways->calls->start(t->link, &how, arena, &verdict, e);
	if (rc != RC_OK)
		return rc;
	out->started = verdict.accepted;
	out->features = verdict.features;
	out->reason = verdict.reason;
	out->start_ms = (uint32_t)(clock_ms() - begin);
	return RC_OK;
}

static void take_sight(const struct trial_sight *sight, struct tried *out)
{
	out->machine = sight->machine;
	out->cpu = sight->cpu;
	out->words = sight->words;
	out->properties = sight->properties;
	out->gap = sight->gap;
}

/* One that does not count is paused, so that it burns no CPU of the node. */
static enum rc let_run(const struct trial_eye *eye, unsigned limit_ms,
	struct arena *arena, struct tried *out, struct err *e)
{
	struct trial_life life;
	struct err other;

	if (eye->calls->resume(eye->link, eye->name, e) != RC_OK ||
		trial_wait(eye, limit_ms, arena, &life, e) != RC_OK)
		return e->code;
	if (!life.alive)
		(void)eye->calls->suspend(eye->link, eye->name, &other);
	out->alive = life.alive;
	out->why = life.why;
	out->boot = life.boot;
	out->count = life.count;
	out->leaves = life.leaves;
	return RC_OK;
}

static enum rc study(struct trials *t, const struct try *ask, struct arena *arena,
	struct tried *out, struct err *e)
{
	const struct trial_eye eye = { t->ways->calls, t->link, out->name, t->caller };
	struct trial_sight sight;

	if (trial_look(&eye, arena, &sight, e) != RC_OK)
		return e->code;
	if (!sight.now.exists)
		return err_set(
			e, RC_LIBVIRT, 0, "the trial guest that libvirt started is gone");
	take_sight(&sight, out);
	return ask->runs ? let_run(&eye, t->ways->pulse_ms, arena, out, e) : RC_OK;
}

static enum rc check_share(const struct trials *t, const struct try *ask, struct err *e)
{
	if (!ask->stays || t->staying < TRIAL_GUESTS_STAY)
		return RC_OK;
	return err_set(e, RC_LIMIT, 0,
		"%u trial guests stay here already (TRIAL_GUESTS_STAY); dismiss ends "
		"them",
		t->staying);
}

static enum rc try_one(struct trials *t, const struct try *ask, struct arena *arena,
	struct tried *out, struct err *e)
{
	struct err other;
	enum rc rc = start(t, ask, out->name, arena, out, e), ended;

	if (rc != RC_OK || !out->started)
		return rc;
	t->staying += ask->stays;
	rc = study(t, ask, arena, out, e);
	if (rc == RC_OK && ask->stays)
		return RC_OK;
	/* the reason of a failure matters more than that of a second one */
	ended = t->ways->calls->end(t->link, out->name, rc == RC_OK ? e : &other);
	t->staying -= ask->stays && ended == RC_OK;
	return rc == RC_OK ? ended : rc;
}

enum rc trial_try(struct trials *t, const struct try *ask, struct arena *arena,
	struct tried *out, struct err *e)
{
	struct err other;
	unsigned count;
	enum rc rc, ended;

	*out = (struct tried){ .name = "" };
	rc = trial_name(ask->run, ask->guest, arena, &out->name, e);
	if (rc == RC_OK)
		rc = trials_begin(t, ask->run, e);
	if (rc == RC_OK)
		rc = check_share(t, ask, e);
	if (rc != RC_OK)
		return rc;
	t->stays |= ask->stays;
	rc = try_one(t, ask, arena, out, e);
	if (t->stays)
		return rc;
	ended = trials_end(t, arena, &count, &out->left, rc == RC_OK ? e : &other);
	return rc == RC_OK ? ended : rc;
}

/* ---- a guest that came */

static void take_met(const struct trial_sight *sight, struct met *out)
{
	out->present = sight->now.exists;
	out->state = sight->now.state;
	out->cpu = sight->cpu;
	out->words = sight->words;
	out->properties = sight->properties;
	out->gap = sight->gap;
}

static enum rc meet_life(const struct trial_eye *eye, const struct trial_sight *sight,
	unsigned limit_ms, struct arena *arena, struct met *out, struct err *e)
{
	struct trial_life life = { .why = "" };

	if (!sight->now.runs)
		life.why = arena_format(
			arena, "libvirt says that it is %s", sight->now.state);
	else if (trial_wait(eye, limit_ms, arena, &life, e) != RC_OK)
		return e->code;
	out->alive = life.alive;
	out->why = life.why;
	out->boot = life.boot;
	out->count = life.count;
	out->leaves = life.leaves;
	return life.why ? RC_OK : err_memory(e);
}

enum rc trial_meet(struct trials *t, const struct meet *ask, struct arena *arena,
	struct met *out, struct err *e)
{
	struct trial_eye eye = { .calls = t->ways->calls, .caller = t->caller };
	struct trial_sight sight;

	*out = (struct met){ 0 };
	if (trial_name(ask->run, ask->guest, arena, &eye.name, e) != RC_OK ||
		trials_begin(t, ask->run, e) != RC_OK)
		return e->code;
	t->stays = true;
	eye.link = t->link;
	t->scratch.had_guests = true; /* one may have come, and gone */
	if (trial_look(&eye, arena, &sight, e) != RC_OK)
		return e->code;
	take_met(&sight, out);
	out->log = guest_log_tail(t->world, eye.name, arena);
	if (!sight.now.exists || !ask->runs)
		return RC_OK;
	return meet_life(&eye, &sight, t->ways->pulse_ms, arena, out, e);
}

/* ---- the end */

enum rc trial_dismiss(struct trials *t, const char *run, struct arena *arena,
	struct dismissed *out, struct err *e)
{
	*out = (struct dismissed){ 0 };
	if (!scratch_run_is_allowed(run))
		return err_set(
			e, RC_PROTOCOL, 0, "'%.64s' is no run of trial guests", run);
	if (strcmp(run, t->run) == 0)
		return trials_end(t, arena, &out->guests, &out->left, e);
	return t->ways->calls->end_all(t->uri, run, &out->guests, e);
}
