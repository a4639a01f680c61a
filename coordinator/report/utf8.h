/* utf8.h - texts of nodes on the way to a terminal or into JSON.
 *
 * What a node says of itself may hold anything.  Here it becomes valid UTF-8 without
 * controls, and its width on a terminal is known.
 */
#ifndef COORDINATOR_UTF8_H
#define COORDINATOR_UTF8_H

#include "base/arena.h"

/* A copy without controls, every byte that is not UTF-8 as '?'.  "" when memory is
 * short. */
const char *utf8_clean(struct arena *arena, const char *text);

/* The same of a text of several lines: these stay lines. */
const char *utf8_clean_lines(struct arena *arena, const char *text);

/* Columns that a clean text takes: one per code point. */
size_t utf8_width(const char *text);

#endif
