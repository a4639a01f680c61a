/* replace.h - a file of the user gets new content: all of it, or it stays as it was.
 */
#ifndef COORDINATOR_REPLACE_H
#define COORDINATOR_REPLACE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Writes the file anew beside itself, then renames it; a symbolic link stays one.  What
 * is no regular file (/dev/stderr, a pipe) is written to as it is.  RC_OUTPUT. */
enum rc replace_file(const char *path, struct bytes content, struct err *e);

/* Could it, as things are?  Before anything is done that the file is to tell of.  errno
 * says why not. */
bool replace_can(const char *path);

#endif
