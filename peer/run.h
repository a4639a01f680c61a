/* run.h - a run on this node: its changes, its journal, its lock.
 *
 *	stage	all changes are prepared, or none
 *	commit	in their order
 *	verify	what is there now, and what the node's own software says of it
 *	revert	in the reverse order: as it was before stage
 *	keep	decided: from now on only revert or forget changes anything
 *	forget	the way back is dropped; what was written is remembered (written.h)
 *	recover	how far is it?
 *
 * Each may be repeated, by this process or by another one that knows the run from the
 * journal alone, after a crash between any two system calls.  A run that is not known
 * here: commit and verify RC_PLACE; revert, keep and forget change nothing.
 *
 * A run that was staged over this connection is reverted when that ends before keep,
 * unless it lingers.  One that came from the journal is left to it: somewhere else
 * it may be kept already.
 */
#ifndef PEER_RUN_H
#define PEER_RUN_H

#include "peer/change.h"
#include "peer/hold.h"
#include "peer/journal.h"
#include "peer/store.h"

/* What a run needs of the dialogue; outlives it. */
struct run_site {
	const struct place_world *world;
	const char *uri; /* libvirt's */
	enum rc (*judge_cpu)(const char *uri, const struct libvirt_guest *guest,
		const char *cpu, struct arena *arena, struct libvirt_verdict *out,
		struct err *e);
	const struct domain_calls *domains; /* NULL: libvirt's, not a test's */
};

struct run {
	const struct run_site *site;
	bool open;   /* holds a run: the lock, the journal, the fields below */
	bool loaded; /* ... that came from the journal */
	bool linger;
	bool torn;	 /* stage did not come to its end */
	bool forgetting; /* it is kept everywhere */
	bool restarted;	 /* its units have been restarted, or were about to be */
	enum run_state state;
	char name[PLACE_RUN_MAX + 1];
	const char *holder, *since;
	struct texts units;
	struct change_state *change;
	size_t count;
	struct change_ground ground;
	struct place_world world;
	struct hold hold;
	struct store store;
	struct journal journal;
	struct arena arena; /* of all that it points to */
};

void run_init(struct run *r, const struct run_site *site);

/* RC_CONFLICT: another run holds the node, or is unfinished here, or there is something
 * else than expected; RC_VOTE: the node's own software refuses; RC_TARGET, RC_PLACE,
 * RC_PROTOCOL, RC_LIMIT, RC_LIBVIRT, RC_MEMORY.  After a failure all is as before.  The
 * answer lives in the arena, as with the others. */
enum rc run_stage(struct run *r, const struct stage *request, struct arena *arena,
	struct staged *out, struct err *e);

/* Writes, and restarts the units when something was written: RC_TARGET when one does not
 * come up.  After a failure the run can be reverted, or committed once more. */
enum rc run_commit(struct run *r, const char *name, struct arena *scratch, bool *changed,
	struct err *e);

enum rc run_verify(struct run *r, const char *name, struct arena *arena,
	struct verified *out, struct err *e);

/* Units that were restarted are so again when all is put back.
 * RC_PARTIAL: something could not be put back, or a unit does not come up with what was
 * there before; all else was, and it can be tried again.
 * RC_CONFLICT: it is being forgotten. */
enum rc run_revert(struct run *r, const char *name, bool *changed, struct err *e);

/* RC_CONFLICT: somebody changed what was written.  RC_PLACE: it is not committed. */
enum rc run_keep(struct run *r, const char *name, bool *changed, struct err *e);

/* RC_PLACE: it is not kept, or the way back could not be removed. */
enum rc run_forget(struct run *r, const char *name, bool *changed, struct err *e);

/* "": the unfinished run that there is; that one is not loaded, and not locked. */
enum rc run_recover(struct run *r, const char *name, struct arena *arena,
	struct recovered *out, struct err *e);

/* Would the end of the connection revert something? */
bool run_is_at_risk(const struct run *r);

/* Is there a change that run_abandon() cannot put back? */
bool run_needs_more_than_system_calls(const struct run *r);

/* The connection ended.  RC_PARTIAL as run_revert().  Safe to call twice. */
enum rc run_leave(struct run *r, struct err *e);

/* The same from a signal handler: what can be put back by system calls is.  The rest
 * stays in the journal. */
void run_abandon(struct run *r);

/* ---- pieces (run_load.c) */

/* Takes the run from the journal, if it is there and not open: r->open tells.  What
 * stage left unfinished is removed; *tidied when that was more than a folder of ours. */
enum rc run_load(struct run *r, const char *name, bool *tidied, struct err *e);

/* Removes what runs left that never came to a state, and finishes those that are being
 * forgotten.  RC_CONFLICT: any other unfinished run. */
enum rc run_clear_others(struct run *r, struct err *e);

/* The unfinished run that there is; out->run "" when there is none. */
enum rc run_find(
	struct run *r, struct arena *arena, struct recovered *out, struct err *e);

/* Of an open one. */
enum rc run_describe(
	const struct run *r, struct arena *arena, struct recovered *out, struct err *e);

/* Puts all back and closes the run, without a word in the journal. */
enum rc run_undo(struct run *r, bool *changed, struct err *e);
enum rc run_finish_forgetting(struct run *r, struct err *e);

/* Closes what is open; the journal stays. */
void run_close(struct run *r);

#endif
