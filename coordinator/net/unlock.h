/* unlock.h - keys with a passphrase: a private ssh-agent, filled by ssh-add, which asks on
 * the terminal.  No passphrase passes through this process.
 *
 * The agent ends with us, however we end; its socket is in a folder of our own.
 */
#ifndef COORDINATOR_UNLOCK_H
#define COORDINATOR_UNLOCK_H

#include "coordinator/net/agent.h"
#include "proto/texts.h"

struct unlock;

/* Is there somebody to ask? */
bool unlock_has_terminal(void);

/* Starts the agent and has each file unlocked.  RC_INPUT: the user did not, or the
 * programs are not there; RC_INTERRUPTED: SIGINT, SIGTERM or SIGHUP came while it was asked.
 * Then nothing is left running. */
enum rc unlock_files(const struct texts *paths, struct arena *arena, struct unlock **out,
	struct err *e);

const char *unlock_socket(const struct unlock *u);

/* Ends the agent and removes its folder; NULL is fine. */
void unlock_end(struct unlock *u);

/* What an agent holds, asked for while nothing else goes on: nothing when it does not
 * answer in time, or path is NULL. */
struct agent_keys {
	const struct agent_key *key;
	size_t count;
};

void agent_keys_now(const char *path, uint32_t patience_ms, struct arena *arena,
	struct agent_keys *out);

#endif
