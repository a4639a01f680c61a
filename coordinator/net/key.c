#include "coordinator/net/key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/net/base64.h"
#include "coordinator/net/key_openssh.h"
#include "coordinator/net/wire.h"

enum { FILE_BYTES_MAX = 64 * 1024, MSG_USERAUTH_REQUEST = 50 };

static const char openssh_begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----";

static const uint8_t *find(struct bytes text, const char *what)
{
	return text.size ? memmem(text.data, text.size, what, strlen(what)) : NULL;
}

static enum rc keep(
	struct bytes in, struct arena *arena, struct bytes *out, struct err *e)
{
	const char *copy = arena_text_n(arena, in.data, in.size);

	*out = (struct bytes){ (const uint8_t *)copy, in.size };
	return copy ? RC_OK : err_memory(e);
}

/* ---- base64, in lines or in one */

/* Decodes from `at` to the first byte that belongs neither to base64 nor between its
 * lines.  *out is to be wiped and freed; NULL: it is no base64, or memory is short. */
static uint8_t *decode(const uint8_t *at, const uint8_t *end, bool lines, size_t *size)
{
	size_t most = (size_t)(end - at), n = 0;
	char *characters = malloc(most + 1);
	uint8_t *out = malloc(BASE64_DECODED_MAX(most));
	bool good;

	for (; characters && at < end && *at != '-' && (lines || *at > ' '); at++)
		if (*at > ' ')
			characters[n++] = (char)*at;
	good = characters && out && base64_decode(characters, n, out, size);
	if (characters)
		explicit_bzero(characters, n);
	free(characters);
	if (good)
		return out;
	free(out);
	return NULL;
}

bool key_parse_public(struct bytes text, struct bytes *blob, struct arena *arena)
{
	const uint8_t *end = text.data + text.size, *space = find(text, " ");
	struct bytes decoded, rest, type;
	uint8_t *out;
	struct err e;
	bool good;

	if (!space)
		return false;
	out = decode(space + 1, end, false, &decoded.size);
	if (!out)
		return false;
	decoded.data = out;
	rest = decoded;
	/* the type stands there twice */
	good = wire_take_string(&rest, &type) &&
	       wire_same(
		       type, (struct bytes){ text.data, (size_t)(space - text.data) }) &&
	       keep(decoded, arena, blob, &e) == RC_OK;
	free(out);
	return good;
}

/* ---- the formats */

/* What an authenticator keeps, an agent can ask it for. */
static enum rc take_foreign(struct key *out, struct err *e)
{
	out->state = KEY_PUBLIC;
	if (key_is_token(out->blob))
		return RC_OK;
	return err_set(e, RC_INPUT, 0,
		"a private key that is neither Ed25519, ECDSA nor RSA, or a broken one");
}

/* The private half makes a public one: the one in the file must be the same. */
static enum rc take_openssh(const struct key_openssh *parts, struct key *out,
	struct arena *arena, struct err *e)
{
	struct bytes made;

	if (keep(parts->public, arena, &out->blob, e) != RC_OK)
		return e->code;
	out->state = parts->locked ? KEY_LOCKED : KEY_READY;
	if (parts->locked)
		return RC_OK;
	if (parts->foreign)
		return take_foreign(out, e);
	out->pkey = pkey_from_numbers(parts->type, &parts->numbers);
	if (!out->pkey)
		return err_set(e, RC_INPUT, 0, "a broken private key");
	if (pkey_blob(out->pkey, arena, &made, e) != RC_OK)
		return e->code;
	if (!wire_same(made, out->blob))
		return err_set(e, RC_INPUT, 0,
			"a broken private key: its public half belongs to another one");
	return RC_OK;
}

static enum rc parse_openssh(
	struct bytes text, struct key *out, struct arena *arena, struct err *e)
{
	const uint8_t *at = find(text, openssh_begin);
	struct key_openssh parts;
	size_t size = 0;
	uint8_t *decoded = decode(
		at + strlen(openssh_begin), text.data + text.size, true, &size);
	enum rc rc;

	if (decoded && key_openssh_parse((struct bytes){ decoded, size }, &parts))
		rc = take_openssh(&parts, out, arena, e);
	else
		rc = err_set(e, RC_INPUT, 0, "a broken private key");
	if (decoded)
		explicit_bzero(decoded, size);
	free(decoded);
	return rc;
}

static enum rc parse_pem(
	struct bytes text, struct key *out, struct arena *arena, struct err *e)
{
	out->state = KEY_LOCKED;
	if (find(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
		find(text, "Proc-Type: 4,ENCRYPTED"))
		return RC_OK;
	out->state = KEY_READY;
	out->pkey = pkey_from_pem(text);
	if (!out->pkey)
		return err_set(e, RC_INPUT, 0, "a broken private key");
	return pkey_blob(out->pkey, arena, &out->blob, e);
}

enum rc key_parse(struct bytes text, struct key *out, struct arena *arena, struct err *e)
{
	enum rc rc;

	*out = (struct key){ .state = KEY_PUBLIC };
	if (find(text, openssh_begin))
		rc = parse_openssh(text, out, arena, e);
	else if (find(text, "PRIVATE KEY-----"))
		rc = parse_pem(text, out, arena, e);
	else if (key_parse_public(text, &out->blob, arena))
		rc = RC_OK;
	else
		rc = err_set(e, RC_INPUT, 0, "not a private key");
	if (rc != RC_OK)
		key_free(out);
	return rc;
}

/* ---- files */

/* Up to room bytes; RC_INPUT without the name of the file. */
static enum rc read_all(
	FILE *file, uint8_t *text, size_t room, size_t *size, struct err *e)
{
	setvbuf(file, NULL, _IONBF, 0); /* no copy of the key is left behind */
	errno = 0;
	*size = fread(text, 1, room, file);
	if (ferror(file))
		return err_set(e, RC_INPUT, errno, "%s", strerror(errno));
	return RC_OK;
}

/* As ssh: the owner's own file must not be open to others. */
static enum rc check_mode(FILE *file, struct err *e)
{
	struct stat st;

	if (fstat(fileno(file), &st) != 0)
		return err_set(e, RC_INPUT, errno, "%s", strerror(errno));
	if (st.st_uid == getuid() && (st.st_mode & 077) != 0)
		return err_set(e, RC_INPUT, 0,
			"UNPROTECTED PRIVATE KEY FILE: others may use it (mode %04o); it "
			"needs chmod 600",
			(unsigned)st.st_mode & 07777);
	return RC_OK;
}

void key_read_public_beside(const char *path, struct key *key, struct arena *arena)
{
	const char *beside = arena_format(arena, "%s.pub", path);
	FILE *file = beside ? fopen(beside, "re") : NULL;
	uint8_t text[FILE_BYTES_MAX];
	size_t size;
	struct err e;

	if (!file)
		return;
	if (read_all(file, text, sizeof(text), &size, &e) == RC_OK &&
		!key_parse_public((struct bytes){ text, size }, &key->blob, arena))
		key->blob.size = 0;
	fclose(file);
}

static enum rc read_open(FILE *file, struct key *out, struct arena *arena, struct err *e)
{
	uint8_t text[FILE_BYTES_MAX];
	size_t size = 0;
	enum rc rc = read_all(file, text, sizeof(text), &size, e);

	if (rc == RC_OK)
		rc = key_parse((struct bytes){ text, size }, out, arena, e);
	explicit_bzero(text, sizeof(text));
	if (rc == RC_OK && out->state != KEY_PUBLIC)
		rc = check_mode(file, e);
	if (rc != RC_OK)
		key_free(out);
	return rc;
}

enum rc key_read(const char *path, struct key *out, struct arena *arena, struct err *e)
{
	FILE *file = fopen(path, "re");
	struct err why;
	enum rc rc;

	*out = (struct key){ .path = path };
	if (!file)
		return err_set(
			e, RC_INPUT, errno, "key file %s: %s", path, strerror(errno));
	rc = read_open(file, out, arena, &why);
	fclose(file);
	out->path = path;
	if (rc != RC_OK)
		return err_set(e, rc, why.native, "key file %s: %s", path, why.text);
	if (out->state == KEY_LOCKED && out->blob.size == 0)
		key_read_public_beside(path, out, arena);
	return RC_OK;
}

void key_free(struct key *key)
{
	pkey_free(key->pkey);
	key->pkey = NULL;
}

/* ---- signing */

bool key_algorithm_of(struct bytes data, struct bytes *algorithm)
{
	struct bytes part;

	/* session, message, user, service, method, "there is a signature" */
	return wire_take_string(&data, &part) && wire_take(&data, 1, &part) &&
	       *part.data == MSG_USERAUTH_REQUEST && wire_take_string(&data, &part) &&
	       wire_take_string(&data, &part) && wire_take_string(&data, &part) &&
	       wire_equals(part, "publickey") && wire_take(&data, 1, &part) &&
	       wire_take_string(&data, algorithm);
}

enum rc key_sign(const struct key *key, struct bytes data, uint8_t **out, size_t *size,
	struct err *e)
{
	struct bytes algorithm;

	if (!key_algorithm_of(data, &algorithm))
		return err_set(e, RC_INTERNAL, 0, "asked to sign what is no login");
	return pkey_sign(key->pkey, algorithm, data, out, size, e);
}

bool key_is_rsa(struct bytes blob)
{
	struct bytes type;

	return wire_take_string(&blob, &type) &&
	       (wire_equals(type, "ssh-rsa") ||
		       wire_equals(type, "ssh-rsa-cert-v01@openssh.com"));
}

bool key_is_token(struct bytes blob)
{
	struct bytes type;

	return wire_take_string(&blob, &type) && type.size > 3 &&
	       memcmp(type.data, "sk-", 3) == 0;
}
