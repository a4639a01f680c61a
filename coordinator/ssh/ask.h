/* ask.h - asking ssh itself: what does it make of its configuration (`ssh -G`)?
 *
 * It runs what the configuration tells it to run (Match exec), so it has a time limit, a
 * limit of what it may print, and no terminal; all that it started ends with it.
 */
#ifndef COORDINATOR_SSH_ASK_H
#define COORDINATOR_SSH_ASK_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum {
	ASK_AT_ONCE = 8,
	ASK_LIMIT_MS = 10 * 1000,    /* of one answer */
	ASK_ANSWER_MAX = 256 * 1024, /* bytes */
	ASK_COMPLAINT_MAX = 16 * 1024,
};

struct ssh_question {
	const char *const *argv; /* argv[0] is looked for in PATH; NULL at the end */
	char *answer;		 /* what it printed; lives in the arena */
	struct err err; /* RC_OK: it was answered; else RC_INPUT, with ssh's own words */
};

/* Asks all, a few at a time.  RC_OK: see each question; RC_INPUT: there is no such program;
 * RC_INTERRUPTED after SIGINT, SIGTERM or SIGHUP. */
enum rc ssh_ask(struct ssh_question *questions, size_t count, uint32_t limit_ms,
	struct arena *arena, struct err *e);

#endif
