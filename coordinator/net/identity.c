#include "coordinator/net/identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "coordinator/net/base64.h"
#include "coordinator/net/wire.h"

enum { KEY_BYTES_MAX = 64 * 1024, HEAD_CHARACTERS = 4096 };

static bool contains(struct bytes text, const char *what)
{
	return text.size && memmem(text.data, text.size, what, strlen(what)) != NULL;
}

/* OpenSSH's own format (its PROTOCOL.key): magic, cipher, kdf, options, number of
 * keys, first public key. */
static bool inspect_openssh(struct bytes head, struct identity *out)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	struct bytes part, cipher, public, type;

	if (!wire_take(&head, sizeof(magic), &part) ||
		memcmp(part.data, magic, sizeof(magic)) != 0)
		return false;
	if (!wire_take_string(&head, &cipher) || !wire_take_string(&head, &part) ||
		!wire_take_string(&head, &part) || !wire_take(&head, 4, &part) ||
		!wire_take_string(&head, &public) || !wire_take_string(&public, &type))
		return false;
	out->locked = !wire_equals(cipher, "none");
	out->rsa = wire_equals(type, "ssh-rsa");
	return true;
}

/* Decodes the start of the base64 between the PEM lines. */
static size_t decode_head(struct bytes text, const char *begin, uint8_t *out)
{
	const uint8_t *at = memmem(text.data, text.size, begin, strlen(begin));
	const uint8_t *end = text.data + text.size;
	char characters[HEAD_CHARACTERS];
	size_t n = 0, size = 0;

	for (at += strlen(begin); at < end && *at != '-' && n < sizeof(characters); at++)
		if (*at > ' ')
			characters[n++] = (char)*at;
	base64_decode(characters, n - n % 4, out, &size);
	return size;
}

enum rc identity_inspect(struct bytes text, struct identity *out, struct err *e)
{
	static const char openssh[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	uint8_t head[BASE64_DECODED_MAX(HEAD_CHARACTERS)];

	if (contains(text, openssh)) {
		size_t size = decode_head(text, openssh, head);

		if (inspect_openssh((struct bytes){ head, size }, out))
			return RC_OK;
		return err_set(e, RC_INPUT, 0, "a broken private key");
	}
	if (!contains(text, "PRIVATE KEY-----"))
		return err_set(e, RC_INPUT, 0, "not a private key");
	out->rsa = contains(text, "-----BEGIN RSA PRIVATE KEY-----");
	out->locked = contains(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ||
		      contains(text, "Proc-Type: 4,ENCRYPTED");
	return RC_OK;
}

enum rc identity_read(const char *path, struct identity *out, struct err *e)
{
	uint8_t text[KEY_BYTES_MAX];
	FILE *file = fopen(path, "re");
	struct err why;
	size_t size;
	int error;

	*out = (struct identity){ .path = path };
	if (!file)
		return err_set(
			e, RC_INPUT, errno, "key file %s: %s", path, strerror(errno));
	setvbuf(file, NULL, _IONBF, 0); /* no copy of the key is left behind */
	size = fread(text, 1, sizeof(text), file);
	error = ferror(file) ? errno : 0;
	fclose(file);
	if (error)
		err_set(&why, RC_INPUT, error, "%s", strerror(error));
	else if (identity_inspect((struct bytes){ text, size }, out, &why) == RC_OK)
		why.code = RC_OK;
	explicit_bzero(text, sizeof(text));
	if (why.code != RC_OK)
		return err_set(e, RC_INPUT, error, "key file %s: %s", path, why.text);
	return RC_OK;
}

enum rc identity_read_all(const struct ssh_settings *settings, struct arena *arena,
	struct identity **out, size_t *count, struct err *e)
{
	const struct texts *files = &settings->identity_files;
	struct identity *all = arena_alloc(arena, files->count, sizeof(*all));

	*count = 0;
	*out = all;
	if (!all)
		return err_memory(e);
	for (size_t i = 0; i < files->count; i++) {
		const char *path = files->item[i];

		if (!settings->identities_named && access(path, R_OK) != 0)
			continue;
		if (identity_read(path, &all[*count], e) == RC_OK)
			++*count;
		else if (settings->identities_named)
			return e->code;
		else
			log_line(LOG_WARN, NULL, "%s; it is not used", e->text);
	}
	return RC_OK;
}
