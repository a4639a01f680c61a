/* aim.h - the target's name in --migrate-uri, --migrate-data and --migrate-listen.
 *
 * %s is the target as the inventory has it: its host, without user and port; what
 * ssh_config of this machine makes of it is not looked at, because the source does not
 * know that.  %h is the name that the target gives itself, %% a '%'.  A name with colons
 * is an IPv6 address and gets brackets in a URI.
 */
#ifndef COORDINATOR_AIM_H
#define COORDINATOR_AIM_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

struct aim {
	const char *host, *hostname;
	bool is_uri;
};

/* Is it a text in which such names stand? RC_USAGE, with the option's name; `needed`: one
 * of them must be there. */
enum rc aim_check(const char *option, const char *text, bool needed, struct err *e);

/* RC_FACTS: a name is none. */
enum rc aim_fill(const char *text, const struct aim *aim, struct arena *arena,
	const char **out, struct err *e);

#endif
