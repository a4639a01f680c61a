/* hostalgs.h - which algorithms a server is asked to show its host key by. */
#ifndef COORDINATOR_HOSTALGS_H
#define COORDINATOR_HOSTALGS_H

#include "base/err.h"

enum { HOSTALGS_MAX = 64 /* names */, HOSTALGS_BYTES = 2048 };

/* Writes the names to ask for, best first, set apart by commas.
 *
 * wish: HostKeyAlgorithms as it is written for ssh (a list of names and patterns; '+'
 * adds to the default, '-' takes from it, '^' puts first), NULL: none.  types: the types
 * of keys that the host is known by, best first.  supported: the names that the library
 * has, best first.  Both lists end with NULL.
 *
 * As in ssh the types go first where the wish leaves the order open (none, '+', '-'), so
 * that a server of several keys shows the one that is known.  The default has neither
 * DSA nor RSA with SHA-1, unless the library knows no other RSA.  Certificates are never
 * asked for: they cannot be checked, and the key of the same server might be known.
 *
 * RC_INPUT: the wish cannot be read, or leaves no name. */
enum rc hostalgs_choose(const char *wish, const char *const *types,
	const char *const *supported, char list[static HOSTALGS_BYTES], struct err *e);

#endif
