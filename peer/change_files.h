/* change_files.h - what a change keeps in the folder of its run: INDEX.KIND.
 *
 * A file is there with all of its bytes, on disk, or it is not there.  0600: it may hold
 * secrets of a domain.
 */
#ifndef PEER_CHANGE_FILES_H
#define PEER_CHANGE_FILES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* In place of one that is there.  RC_PLACE. */
enum rc change_file_put(
	int folder, size_t index, const char *kind, struct bytes content, struct err *e);

/* NUL-terminated; *out is NULL where there is none.  RC_PLACE, RC_LIMIT, RC_MEMORY. */
enum rc change_file_get(int folder, size_t index, const char *kind, struct arena *arena,
	char **out, struct err *e);

/* RC_OK as well where there is none.  RC_PLACE. */
enum rc change_file_drop(int folder, size_t index, const char *kind, struct err *e);

#endif
