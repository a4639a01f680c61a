/* session_script.h - a world, a transport and a peer for the session machine that
 * do what a script says: usually the right thing, and once, at a counted call,
 * anything else that the real ones could do.
 */
#ifndef TESTS_SESSION_SCRIPT_H
#define TESTS_SESSION_SCRIPT_H

#include "coordinator/net/session.h"
#include "tests/support/test.h"

enum { SCRIPT_FILES = 8, SCRIPT_AGENT_KEYS = 20 };

enum fault {
	FAULT_NONE,
	FAULT_AGAIN,	  /* once "not yet", waiting to read */
	FAULT_AGAIN_BOTH, /* once "not yet", nobody knows for what */
	FAULT_ERROR,	  /* RC_SSH */
	FAULT_MEMORY,
	FAULT_GONE, /* the end of a stream, or an error */
	FAULT_HANG, /* "not yet" from now on */
	FAULT_COUNT
};

/* How the node behaves when nothing is injected. */
struct manner {
	bool must_push, agent_fits, file_fits;
	unsigned files, agent_keys; /* keys to log in with */
	bool agent_fails;
	unsigned sign_fails_at, stuck_at; /* at which login; 0: never */
	size_t piece;			  /* of a read or write */
	bool stutters;			  /* "not yet" after every piece */
	const char *start, *words, *failure, *cmdline;
	bool wrong_answer;
	unsigned addresses, dead_addresses;
};

extern struct script {
	struct manner manner;
	enum fault fault;
	unsigned fault_at, calls;
	bool hanging, wants_expiry, stuttered, hot;
	unsigned opened, destroyed, hung_up, settled, answered, logins, explained;
	const char *offered[LOGIN_KEYS_MAX];
	int directions;
	char nonce[64];
	struct buf to_peer, from_peer;
	size_t pushed;
	uint8_t first[4096]; /* words on the command line */
	size_t first_size;
	bool eof, started;
	uint64_t now;
	struct arena arena, messages;
} script;

extern const struct manner usual;
extern struct session_common common;
extern struct keyring keyring;
extern struct ssh_settings settings;

/* A new script of this manner, and an idle session over it. */
void set_up(const struct manner *manner, struct session *s);
/* The key of file "/keyN". */
struct key *script_key(unsigned n);
/* Plays the event loop until the session rests. */
void drive(struct session *s);
/* Connects, asks once, says bye. */
void whole_life(struct session *s);
/* Destroys the session twice; fails if something was left open. */
void tear_down(struct session *s);

/* For cmocka_run_group_tests(). */
int script_make(void **state);
int script_unmake(void **state);

#endif
