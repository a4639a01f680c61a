/* login.h - which keys a node is offered, and in which order.  Pure.
 *
 * As ssh has it: the agent's keys that match an identity file, the agent's others (not
 * with IdentitiesOnly), the key files.  No more than a server usually allows, and the
 * agent may not use all of them up: the first key files have their turn as well.  Of
 * these, the one that let this user in elsewhere comes first: each refusal costs time and
 * an attempt.  RSA keys come last: a server that takes none leaves libssh2 1.11 unable to
 * offer another key on that connection.
 */
#ifndef COORDINATOR_LOGIN_H
#define COORDINATOR_LOGIN_H

#include "coordinator/net/keyring.h"
#include "coordinator/net/transport.h"

enum { LOGIN_KEYS_MAX = 6 /* sshd's MaxAuthTries; more looks like an attack */ };

struct login {
	struct login_key keys[LOGIN_KEYS_MAX];
	unsigned count, next; /* next: the one to be offered */
	unsigned left_out;    /* keys beyond the count */
	const char *first_left_out;
};

/* agent: the user's, or NULL; unlocked: the keyring's own, or NULL; both have listed their
 * keys.  Keys of security tokens are left out where the library cannot use them. */
void login_plan(struct login *out, const struct ssh_settings *settings,
	struct keyring *keyring, struct agent *agent, struct agent *unlocked,
	bool with_tokens);

#endif
