/* pattern.h - '*' and '?', as in PATTERNS of ssh_config(5). */
#ifndef COORDINATOR_PATTERN_H
#define COORDINATOR_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* Does s match the pattern of so many bytes?  Capitals are letters of their own.  Not
 * recursive, so that a pattern of many stars takes no longer than |s| × |pattern|. */
bool pattern_matches(const char *s, const char *pattern, size_t size);

/* Does s match one of the patterns, set apart by commas, and none of those that begin
 * with '!'?  A list with a pattern of more than 1022 bytes matches nothing, as in ssh. */
bool pattern_list_matches(const char *s, const char *patterns);

#endif
