/* trial_name.h - what trial guests are called: "cpuherd-RUN-GUEST".
 *
 * RUN is a run as scratch.h has it, GUEST is [a-z0-9]{1,16}.  Whatever domain is not called
 * so is none of ours, and never touched.
 */
#ifndef PEER_TRIAL_NAME_H
#define PEER_TRIAL_NAME_H

#include "base/arena.h"
#include "peer/scratch.h"

enum { TRIAL_GUEST_MAX = 16 };

/* RC_PROTOCOL: these are no such names; RC_MEMORY. */
enum rc trial_name(const char *run, const char *guest, struct arena *arena,
	const char **name, struct err *e);

/* Could trial_name() have given the name?  Then the run is copied out of it. */
bool trial_name_is(const char *name, char run[SCRATCH_RUN_MAX + 1]);

#endif
