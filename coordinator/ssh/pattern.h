/* pattern.h - patterns of ssh_config(5): * and ?, lists by commas, ! for "but not".
 * Pure. */
#ifndef COORDINATOR_SSH_PATTERN_H
#define COORDINATOR_SSH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

/* Does the whole text match the pattern of so many bytes?  Capitals are letters of their
 * own.  Not recursive, so that many stars take no longer than |text| × |pattern|. */
bool ssh_pattern_matches(const char *pattern, size_t size, const char *text);

/* Does it match one of the list, and none with a ! before it?  folded: in lower case,
 * as names of hosts are compared.  A list in which a pattern of more than 1022 bytes is
 * met matches nothing, as in ssh. */
bool ssh_pattern_list_matches(const char *list, const char *text, bool folded);

#endif
