/* keyring.h - the key files of a run, each read and parsed once, before any node is asked;
 * after that nothing in here changes but the hints, so that several loops may share it.
 */
#ifndef COORDINATOR_KEYRING_H
#define COORDINATOR_KEYRING_H

#include <pthread.h>

#include "coordinator/net/key.h"
#include "coordinator/ssh/settings.h"

enum { KEYRING_HINTS = 16 };

/* Which key let a user in last. */
struct keyring_hint {
	const char *user;
	uint64_t key; /* a hash of its blob */
};

struct keyring_entry {
	struct key key;
	bool usable;
};

struct keyring {
	struct arena arena;
	struct keyring_entry *entries; /* in the order of their paths */
	size_t count;
	struct keyring_hint hints[KEYRING_HINTS];
	size_t hint_count;
	pthread_mutex_t hint_lock;
	const char *unlocked; /* socket of the agent that holds what the user unlocked;
			       * NULL: there is none */
	struct unlock *unlock;
};

/* Reads the identity files of all nodes and of their jump hosts.  Where nobody named them, one that is missing or
 * of no use (PuTTY's format, an empty file) is passed over, as ssh does it; RC_INPUT names
 * one that somebody named. */
enum rc keyring_load(struct keyring *k, const struct ssh_settings *const *settings,
	size_t count, struct err *e);

/* Lets the user unlock, on the terminal, the key files that some node needs: those that
 * the user named, and any where a node has no other key at all; not those that the node's
 * ssh-agent holds.  The passphrases go to ssh-add and a private ssh-agent that ends with
 * us; none passes through here.  Without a terminal nothing happens.  An agent is given
 * patience_ms to say what it holds.  RC_INPUT: the user could not unlock a key. */
enum rc keyring_unlock(struct keyring *k, const struct ssh_settings *const *settings,
	size_t count, uint32_t patience_ms, struct err *e);

/* The key of a file; NULL: it is of no use. */
const struct key *keyring_find(const struct keyring *k, const char *path);

/* This key let this user in; is it the one that did?  From any thread; the text of the
 * user outlives the keyring. */
void keyring_remember(struct keyring *k, const char *user, struct bytes blob);
bool keyring_is_hint(struct keyring *k, const char *user, struct bytes blob);

/* Frees, and ends the private agent; safe twice. */
void keyring_destroy(struct keyring *k);

#endif
