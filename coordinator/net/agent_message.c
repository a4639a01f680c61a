#include "coordinator/net/agent_message.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/net/key.h"
#include "coordinator/net/wire.h"

enum {
	/* draft-ietf-sshm-ssh-agent, 5.1 */
	REQUEST_IDENTITIES = 11,
	SIGN_REQUEST = 13,
	SIGN_RSA_SHA2_256 = 2,
	SIGN_RSA_SHA2_512 = 4,

	KEYS_MAX = 2000, /* as in OpenSSH */
};

/* ---- requests */

static const uint8_t list_request[] = { 0, 0, 0, 1, REQUEST_IDENTITIES };

const struct bytes agent_message_list = { list_request, sizeof(list_request) };

/* RSA keys know several algorithms; the flags choose. */
static uint32_t flags_of(struct bytes algorithm)
{
	static const struct {
		const char *start;
		uint32_t flag;
	} rows[] = { { "rsa-sha2-256", SIGN_RSA_SHA2_256 },
		{ "rsa-sha2-512", SIGN_RSA_SHA2_512 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (algorithm.size >= strlen(rows[i].start) &&
			memcmp(algorithm.data, rows[i].start, strlen(rows[i].start)) == 0)
			return rows[i].flag;
	return 0;
}

enum rc agent_message_sign(
	struct buf *out, struct bytes blob, struct bytes data, struct bytes *algorithm)
{
	size_t body = 1 + 4 + blob.size + 4 + data.size + 4;
	struct bytes asked, copy;
	enum rc rc = wire_put_number(out, (uint32_t)body);

	if (!key_algorithm_of(data, &asked))
		return RC_INTERNAL;
	if (rc == RC_OK)
		rc = buf_append(out, &(uint8_t){ SIGN_REQUEST }, 1);
	if (rc == RC_OK)
		rc = wire_put_string(out, blob.data, blob.size);
	if (rc == RC_OK)
		rc = wire_put_string(out, data.data, data.size);
	if (rc == RC_OK)
		rc = wire_put_number(out, flags_of(asked));
	copy = buf_bytes(out);
	if (rc == RC_OK)
		copy.data += copy.size - 4 - data.size;
	copy.size = data.size;
	if (rc == RC_OK)
		key_algorithm_of(copy, algorithm);
	return rc;
}

/* ---- answers */

bool agent_message_keys(struct bytes body, struct arena *arena,
	const struct agent_key **out, size_t *out_count)
{
	struct agent_key *keys;
	struct bytes blob, name;
	uint32_t count;

	if (!wire_take_number(&body, &count) || count > KEYS_MAX)
		return false;
	keys = arena_alloc(arena, count, sizeof(*keys));
	if (!keys)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!wire_take_string(&body, &blob) || !wire_take_string(&body, &name))
			return false;
		keys[i].blob.data = (const uint8_t *)arena_text_n(
			arena, blob.data, blob.size);
		keys[i].blob.size = blob.size;
		keys[i].name = arena_text_n(arena, name.data, name.size);
		if (!keys[i].blob.data || !keys[i].name)
			return false;
	}
	*out = keys;
	*out_count = count;
	return true;
}

/* Without what a certificate's algorithm has behind it. */
static struct bytes plain_algorithm(struct bytes algorithm)
{
	static const char suffix[] = "-cert-v01@openssh.com";
	size_t n = sizeof(suffix) - 1;

	if (algorithm.size > n &&
		memcmp(algorithm.data + algorithm.size - n, suffix, n) == 0)
		algorithm.size -= n;
	return algorithm;
}

enum rc agent_message_signature(struct bytes body, struct bytes asked, struct bytes blob,
	const char *path, uint8_t **out, size_t *size, struct err *e)
{
	struct bytes whole, algorithm, signature, wanted = plain_algorithm(asked);

	if (!wire_take_string(&body, &whole) || !wire_take_string(&whole, &algorithm))
		return err_set(e, RC_AUTH, 0, "the ssh-agent at %s makes no sense", path);
	if (!wire_same(algorithm, wanted))
		return err_set(e, RC_AUTH, 0,
			"the ssh-agent at %s signed with %.*s and was asked for %.*s",
			path, (int)algorithm.size, (const char *)algorithm.data,
			(int)wanted.size, (const char *)wanted.data);
	signature = whole;
	if (!key_is_token(blob) && !wire_take_string(&whole, &signature))
		return err_set(e, RC_AUTH, 0, "the ssh-agent at %s makes no sense", path);
	*out = malloc(signature.size + 1);
	if (!*out)
		return err_memory(e);
	memcpy(*out, signature.data, signature.size);
	*size = signature.size;
	return RC_OK;
}
