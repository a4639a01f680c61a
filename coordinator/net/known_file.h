/* known_file.h - a known_hosts file on the disk: all of it, and one line more. */
#ifndef COORDINATOR_KNOWN_FILE_H
#define COORDINATOR_KNOWN_FILE_H

#include "base/buf.h"

enum { KNOWN_FILE_BYTES_MAX = 64 * 1024 * 1024 };

/* Appends the content to *out, whose cap is KNOWN_FILE_BYTES_MAX; a file that is not
 * there is empty.  RC_INPUT: it cannot be read, or is larger. */
enum rc known_file_read(const char *path, struct buf *out, struct err *e);

/* Appends a line of a key for the name: on a line of its own, by one write, so that runs
 * side by side do not mix theirs.  Makes the file (0600) and the folder it lies in (0700)
 * where they are missing.  *line is the line, for the index; RC_HOSTKEY says why it is
 * not recorded. */
enum rc known_file_append(const char *path, const char *name, const char *type,
	struct bytes blob, struct buf *line, struct err *e);

#endif
