/* pattern.h - patterns of ssh_config(5): * and ?, lists by commas, ! for "but not".
 * Pure. */
#ifndef COORDINATOR_SSH_PATTERN_H
#define COORDINATOR_SSH_PATTERN_H

#include <stdbool.h>

/* Does the whole text match? */
bool ssh_pattern_matches(const char *pattern, const char *text);

/* Does it match one of the list, and none with a ! before it?  folded: in lower case,
 * as names of hosts are compared. */
bool ssh_pattern_list_matches(const char *list, const char *text, bool folded);

#endif
