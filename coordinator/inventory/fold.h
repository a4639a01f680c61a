/* fold.h - many names as few patterns: node[001-512].
 *
 * The reverse of pattern.h: what comes out reads back in as the same names.  Names fold
 * along one number: the last of their first label (node07.example.org), or of the whole
 * name where that label is nothing but a number.
 */
#ifndef COORDINATOR_FOLD_H
#define COORDINATOR_FOLD_H

#include "proto/texts.h"

/* Appends patterns for the names (each once, in any order) to *out.  The same names give
 * the same patterns.  A pattern has at most `width` bytes, unless one range alone takes
 * more.  RC_MEMORY. */
enum rc fold_names(const struct texts *names, size_t width, struct arena *arena,
	struct texts *out, struct err *e);

#endif
