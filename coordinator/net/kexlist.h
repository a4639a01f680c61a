/* kexlist.h - why two ends found no common algorithm.
 *
 * libssh2 says "Unable to exchange encryption keys" and no more, so the first
 * bytes of the server are kept: its KEXINIT (RFC 4253, 7.1) lists what it would
 * have taken.  Pure.
 */
#ifndef COORDINATOR_KEXLIST_H
#define COORDINATOR_KEXLIST_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* The lists of KEXINIT that matter, in its order. */
enum kex_list {
	KEX_METHODS,
	KEX_HOST_KEYS,
	KEX_CIPHERS_TO_SERVER,
	KEX_CIPHERS_TO_CLIENT,
	KEX_MACS_TO_SERVER,
	KEX_MACS_TO_CLIENT,
	KEX_LISTS
};

struct kex_lists {
	struct bytes of_server[KEX_LISTS]; /* names by commas, in the given bytes */
};

/* Finds the lists in the first bytes that the server sent (greeting lines, its
 * banner, its KEXINIT); false when they are not there whole. */
bool kex_lists_find(struct bytes first, struct kex_lists *out);

/* Is one of our names (NULL at the end) on the server's list? */
bool kex_list_has_common(struct bytes of_server, const char *const *ours);

/* RC_SSH, with the line that says that none is: what the server offers, and whether a newer
 * libssh2 or the server's configuration is the cure.  Our names best first, NULL at the end;
 * the version is our libssh2's. */
enum rc kex_list_explain(enum kex_list list, struct bytes of_server,
	const char *const *ours, const char *version, struct err *e);

#endif
