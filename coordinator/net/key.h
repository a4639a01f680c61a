/* key.h - what a key file holds: read and parsed once per run, and then it signs.
 *
 * The formats are those of OpenSSH (openssh-key-v1, its PROTOCOL.key), parsed here, and
 * PEM, by OpenSSL.  A file with a passphrase gives its public half where it can (or the
 * .pub beside it does): an agent may hold the rest.  So does a file that is a public key
 * alone, as ssh allows it for IdentityFile, and the file of a key in an authenticator.
 */
#ifndef COORDINATOR_KEY_H
#define COORDINATOR_KEY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

enum key_state {
	KEY_READY,  /* it can sign */
	KEY_LOCKED, /* it needs a passphrase */
	KEY_PUBLIC, /* the private half is elsewhere */
};

struct key {
	const char *path;
	enum key_state state;
	struct bytes blob; /* the public key as it goes over the wire; empty: not known */
	struct evp_pkey_st *pkey; /* of KEY_READY */
};

/* Reads the key of a file; blob and texts live in the arena, key_free() gives back the
 * rest.  RC_INPUT names a file that is not there, is no key, or (a private one) can be
 * read by others than its owner, which ssh refuses as well. */
enum rc key_read(const char *path, struct key *out, struct arena *arena, struct err *e);

/* The blob of FILE.pub, where FILE itself says nothing of its public half; empty: it is no
 * public key, or not there. */
void key_read_public_beside(const char *path, struct key *key, struct arena *arena);

/* The same as key_read() of the bytes of a file. */
enum rc key_parse(struct bytes text, struct key *out, struct arena *arena, struct err *e);

/* The public key of a line "TYPE BASE64 COMMENT"; false when it is none. */
bool key_parse_public(struct bytes text, struct bytes *blob, struct arena *arena);

/* Signs what an SSH login signs (RFC 4252, 7) with the algorithm that is named in there;
 * *out is to be freed. */
enum rc key_sign(const struct key *key, struct bytes data, uint8_t **out, size_t *size,
	struct err *e);

/* The algorithm in what a login signs; false when it is something else. */
bool key_algorithm_of(struct bytes data, struct bytes *algorithm);

/* Is it an RSA key; one that sits in a security token (sk-...)? */
bool key_is_rsa(struct bytes blob);
bool key_is_token(struct bytes blob);

void key_free(struct key *key);

#endif
