/* lines.h - a file that the user named, line by line: it may be larger than memory.
 */
#ifndef COORDINATOR_LINES_H
#define COORDINATOR_LINES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

struct lines {
	FILE *file;
	const char *path; /* starts the text of an error */
	char *line;	  /* the last one read, without its end (LF or CR LF) */
	size_t number;	  /* of that line, from 1 */
	size_t total;	  /* bytes read so far */
	struct buf read;  /* the line and what was read behind it */
	size_t taken;	  /* bytes of the line, with its newline */
	bool at_end;
};

/* path "-" is standard input.  RC_INPUT.  lines_close() ends it, after an error too. */
enum rc lines_open(struct lines *l, const char *path, struct err *e);
void lines_close(struct lines *l);

/* RC_OK: l->line is there, until the next call.  RC_AGAIN: there is none any more.
 * RC_INPUT with file and line: it is longer than LIMIT_LINE_BYTES, holds a NUL byte, or
 * cannot be read.  RC_MEMORY. */
enum rc lines_next(struct lines *l, struct err *e);

#endif
