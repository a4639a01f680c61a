/* command.h - a program of the node: started, fed, heard, and ended in time.
 *
 * No shell, a fixed environment, and nothing of the peer's own files: what a program
 * reads and writes lies in memory, so that one which forks and stays cannot hang us.
 * It may have less rights than the peer; that takes fork() where posix_spawn() would
 * do otherwise.
 */
#ifndef PEER_COMMAND_H
#define PEER_COMMAND_H

#include <pwd.h>

#include "base/arena.h"
#include "base/buf.h"

struct command {
	const char *const *argv; /* the path first; ends with NULL */
	struct bytes input;	 /* on its standard input */
	unsigned limit_s;	 /* then it and its group are killed */
	const struct passwd *as; /* whose rights and home; NULL: the peer's own */
};

struct command_end {
	int status; /* of exit; 128 and the signal's number when one ended it */
	const char *out, *errors; /* what it printed, NUL-terminated, in the arena */
};

/* RC_OK when it ran to its end, however that was.  RC_TARGET: it cannot be started
 * (status 127), does not end, or prints more than 64 KiB; RC_MEMORY. */
enum rc command_run(const struct command *c, struct arena *arena, struct command_end *out,
	struct err *e);

/* The last line of a text that is not empty, printable; in the arena, "" when there is
 * none or no memory. */
const char *command_last_line(struct arena *arena, const char *text);

#endif
