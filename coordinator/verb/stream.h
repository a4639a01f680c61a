/* stream.h - all of a file that the user named.
 */
#ifndef COORDINATOR_STREAM_H
#define COORDINATOR_STREAM_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends all of it.  `kind` names what it is where it is longer than the buffer's cap:
 * "a facts file".  RC_INPUT, RC_MEMORY. */
enum rc stream_read(
	FILE *in, const char *path, const char *kind, struct buf *out, struct err *e);

#endif
