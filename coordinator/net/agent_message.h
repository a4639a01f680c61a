/* agent_message.h - what goes to an ssh-agent and comes from it
 * (draft-ietf-sshm-ssh-agent), as bytes.  Pure.
 */
#ifndef COORDINATOR_AGENT_MESSAGE_H
#define COORDINATOR_AGENT_MESSAGE_H

#include "coordinator/net/agent.h"

enum {
	/* kinds of answers: 5.1 of the draft */
	AGENT_FAILURE = 5,
	AGENT_IDENTITIES_ANSWER = 12,
	AGENT_SIGN_RESPONSE = 14,

	AGENT_MESSAGE_MAX = 256 * 1024, /* bytes behind the length; as in OpenSSH */
};

/* Asks for the keys. */
extern const struct bytes agent_message_list;

/* Appends the request to sign the data of a login with the key of this blob.  *algorithm,
 * which the login names, points into what out holds.  RC_INTERNAL: the data names none. */
enum rc agent_message_sign(
	struct buf *out, struct bytes blob, struct bytes data, struct bytes *algorithm);

/* The keys in the body of an AGENT_IDENTITIES_ANSWER, copied into the arena; false: it
 * makes no sense, or memory is short. */
bool agent_message_keys(struct bytes body, struct arena *arena,
	const struct agent_key **out, size_t *out_count);

/* The signature in the body of an AGENT_SIGN_RESPONSE, as key_sign() has it: with more
 * behind it where a token signed (PROTOCOL.u2f of OpenSSH), and then that belongs to it.
 * *out is to be freed.  RC_AUTH: it makes no sense, or is by another algorithm than was
 * asked for; path is the agent's, for the text. */
enum rc agent_message_signature(struct bytes body, struct bytes asked, struct bytes blob,
	const char *path, uint8_t **out, size_t *size, struct err *e);

#endif
