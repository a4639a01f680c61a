/* scratch.h - what a run of trials has in the node's file system.
 *
 * That is the kernel of its guests (/var/tmp/cpuherd-RUN.elf: the same path on every
 * node, because the QEMU that a guest migrates to opens it as well) and the log files
 * that libvirt keeps for them.  All of it is gone when the run is over.
 *
 * The kernel's file is locked by whoever uses it: the peer, and its guard (guard.h),
 * which inherits the lock.  A file that nobody has locked belongs to a run whose
 * processes were killed: the next run sweeps it.  The lock is one that needs the right to
 * write the file, so that other users of the node cannot hold it.
 *
 * A run of a session daemon has files of mode 0600 that its user owns; one of the system
 * daemon 0644, and libvirt may give them to QEMU's user while a guest runs.  Each sees
 * only files of its own kind.
 */
#ifndef PEER_SCRATCH_H
#define PEER_SCRATCH_H

#include "peer/place.h"
#include "proto/table.h"

/* In front of a run: of the kernel's file, of its guests, of their logs. */
#define SCRATCH_PREFIX "cpuherd-"

enum { SCRATCH_RUN_MAX = 64, SCRATCH_STALE_MAX = 64 };

/* All of it is plain data: a guard has a copy by fork().  {0} is none. */
struct scratch {
	struct place_world world; /* its texts are the caller's */
	char run[SCRATCH_RUN_MAX + 1];
	char kernel[96]; /* the path, without the root: what a domain's XML says */
	bool made;
	bool had_guests;  /* to be set before the first may be here: libvirt logs each */
	int folder, file; /* open while made; of the kernel, locked */
};

/* Is it a run's token: lower-case hexadecimal digits, 8 to 64 of them? */
bool scratch_run_is_allowed(const char *run);

/* Writes the kernel's file and locks it.  RC_PLACE: not a run's token, no space, no
 * permission, something else lies there; RC_CONFLICT: another peer is at work for this
 * run on this node. */
enum rc scratch_make(struct scratch *s, const struct place_world *world, const char *run,
	struct err *e);

/* Runs whose file is there and not locked, SCRATCH_STALE_MAX at most.  RC_PLACE;
 * RC_MEMORY. */
enum rc scratch_stale(const struct place_world *world, struct arena *arena,
	struct texts *runs, struct err *e);

/* Takes over such a run, to sweep it: as scratch_make(), with the file that is there.
 * RC_CONFLICT: it is locked, or gone. */
enum rc scratch_adopt(struct scratch *s, const struct place_world *world, const char *run,
	struct err *e);

/* Removes the kernel's file and the logs, and unlocks.  What cannot be removed is named
 * in left, with the reason.  Safe to call twice; where memory is short names are lost. */
void scratch_remove(struct scratch *s, struct arena *arena, struct texts *left);

/* Unlocks, and leaves the files to a later sweep.  Safe to call twice. */
void scratch_abandon(struct scratch *s);

#endif
