/* notes.h - a run as lines of its journal, and back.
 *
 *	run name= holder= since= uri= virt_type= emulator= arch= machine= unit=...
 *	    linger= changes=		what all changes have in common
 *	change place= name= path= base= had_old= expected= content= makes= inode= size=
 *	    seconds= nanoseconds=	one each, before anything is touched: with these lines
 *				the journal begins
 *	staged index= ...	one each: by what its new file is known
 *	state is=staged		... committing, restarting, committed, kept, forgetting
 */
#ifndef PEER_NOTES_H
#define PEER_NOTES_H

#include "peer/run.h"

/* The first lines: all that undoing needs, should stage not come to its end. */
enum rc notes_begin(struct run *r, struct err *e);

/* The lines "staged" and the state. */
enum rc notes_staged(struct run *r, struct err *e);

enum rc notes_state(struct run *r, enum run_state state, struct err *e);

/* The units are about to be restarted: undoing must do that, too. */
enum rc notes_restarting(struct run *r, struct err *e);

/* It is kept everywhere: from here there is no way back. */
enum rc notes_forgetting(struct run *r, struct err *e);

/* Fills the run from its lines; what they point to is in the text's arena, which should be
 * the run's.  RC_CONFLICT: they are not those of a run; RC_MEMORY. */
enum rc notes_read(
	struct run *r, const struct journal_text *text, const char *path, struct err *e);

#endif
