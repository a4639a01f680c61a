/* trial.h - the trial guests of a dialogue: begun, looked at, ended.
 *
 * A dialogue has the guests of one run at a time.  Before the first of them there is the
 * scratch, which says to other peers that the run lives, and the guard, which ends the
 * guests when this process cannot; and what dead runs left here is swept.  Guests that
 * do not stay are gone before the answer, and then nothing of the run is on the node.
 *
 * What ends a guest, from the nearest to the last: this process; libvirtd, for guests that
 * do not stay, when the connection closes; the guard, also where libvirtd was restarted and
 * has forgotten that; the sweep of a later run; the guest's own kernel after TRIAL_LIFE_S.
 *
 * A guest migrates only to a node where the run has begun and stays: a `try` that asks for
 * that, whatever its answer, or a `meet`.
 * Callers arm the watchdog.
 */
#ifndef PEER_TRIAL_H
#define PEER_TRIAL_H

#include "peer/guard.h"
#include "peer/libvirt_guest.h"
#include "proto/message.h"

enum { TRIAL_PULSE_MS = 20 * 1000, TRIAL_LIFE_S = 3600 };

/* Guests that stay, at a time: a step of a rehearsal needs one, and a node shall not be
 * filled with them by whoever asks. */
enum { TRIAL_GUESTS_STAY = 8 };

/* How trials are made; tests have others. */
struct trial_ways {
	const struct guest_calls *calls;
	unsigned pulse_ms;	 /* how long a kernel is waited for */
	unsigned guard_pause_ms; /* as in struct guard_job */
};

extern const struct trial_ways trial_ways;

struct trials {
	const struct trial_ways *ways;
	const char *uri;
	const struct place_world *world;
	int caller; /* nobody looks at guests for one who has gone */

	char run[SCRATCH_RUN_MAX + 1]; /* "": none has begun */
	bool stays;		       /* until dismiss: guests do, or may come */
	unsigned staying;	       /* how many do, TRIAL_GUESTS_STAY at most */
	struct guest_link *link;
	struct scratch scratch;
	struct guard guard;
};

void trials_init(struct trials *t, const struct trial_ways *ways, const char *uri,
	const struct place_world *world, int caller);

bool trials_have_begun(const struct trials *t);

/* libvirt's name of a guest of the run that has begun; whether it is there libvirt knows.
 * RC_PROTOCOL: they are no names, or the run is not the one that has begun. */
enum rc trials_name(const struct trials *t, const char *run, const char *guest,
	struct arena *arena, const char **name, struct err *e);

/* The requests of these names.  libvirt's no to a guest is an answer.  RC_PROTOCOL: no
 * names, no <cpu>, or another run has begun; RC_PLACE, RC_CONFLICT: of scratch.h;
 * RC_LIMIT: of guests that stay; RC_LIBVIRT; RC_MEMORY.  After a failure no guest of the request is there, or the guard
 * still has it. */
enum rc trial_try(struct trials *t, const struct try *ask, struct arena *arena,
	struct tried *out, struct err *e);
enum rc trial_meet(struct trials *t, const struct meet *ask, struct arena *arena,
	struct met *out, struct err *e);

/* Of any run. */
enum rc trial_dismiss(struct trials *t, const char *run, struct arena *arena,
	struct dismissed *out, struct err *e);

/* Ends all, at the end of a dialogue; nothing where none has begun.  Where that fails it is
 * left to the guard. */
enum rc trials_leave(struct trials *t, struct err *e);

#endif
