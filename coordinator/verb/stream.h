/* stream.h - all of a file that the user named.
 */
#ifndef COORDINATOR_STREAM_H
#define COORDINATOR_STREAM_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Appends all of it.  `kind` names what it is where it is longer than the buffer's cap:
 * "a facts file".  RC_INPUT, RC_MEMORY. */
enum rc stream_read(
	FILE *in, const char *path, const char *kind, struct buf *out, struct err *e);

/* A file ("-": standard input) as a text of at most so many bytes, in the arena.  The same,
 * and RC_INPUT for a NUL byte in it. */
enum rc stream_read_text(const char *path, const char *kind, size_t most,
	struct arena *arena, const char **out, struct err *e);

#endif
