#include "coordinator/net/known_line.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "coordinator/net/base64.h"
#include "coordinator/net/wire.h"
#include "coordinator/ssh/pattern.h"

/* The public key types of ssh and how many strings follow the name (RFC 4253 6.6,
 * RFC 5656 3.1, RFC 8709 4, OpenSSH's PROTOCOL.u2f). */
static const struct key_type {
	const char *name;
	unsigned strings;
	size_t last_size; /* of the first string behind the name; 0: any */
} key_types[KNOWN_TYPES_MAX] = {
	{ "ssh-ed25519", 1, 32 },
	{ "ecdsa-sha2-nistp256", 2, 0 },
	{ "ecdsa-sha2-nistp384", 2, 0 },
	{ "ecdsa-sha2-nistp521", 2, 0 },
	{ "ssh-rsa", 2, 0 },
	{ "ssh-dss", 4, 0 },
	{ "sk-ssh-ed25519@openssh.com", 2, 32 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", 3, 0 },
};

const char *known_type_name(unsigned number)
{
	return number < KNOWN_TYPES_MAX ? key_types[number].name : NULL;
}

unsigned known_type_bit(const char *type)
{
	for (unsigned i = 0; i < KNOWN_TYPES_MAX; i++)
		if (strcmp(key_types[i].name, type) == 0)
			return 1U << i;
	return 0;
}

bool known_blob_type(struct bytes blob, const char **type)
{
	struct bytes name, part;
	const struct key_type *row = NULL;

	if (!wire_take_string(&blob, &name))
		return false;
	for (size_t i = 0; i < KNOWN_TYPES_MAX; i++)
		if (wire_equals(name, key_types[i].name))
			row = &key_types[i];
	if (!row)
		return false;
	for (unsigned i = 0; i < row->strings; i++) {
		if (!wire_take_string(&blob, &part))
			return false;
		if (i == 0 && row->last_size && part.size != row->last_size)
			return false;
	}
	*type = row->name;
	return blob.size == 0;
}

void known_fingerprint(struct bytes blob, char fingerprint[static KNOWN_FINGERPRINT_MAX])
{
	struct digest d = digest_of(blob.data, blob.size);
	char text[BASE64_ENCODED_MAX(DIGEST_BYTES)];

	base64_encode(d.byte, sizeof(d.byte), text);
	text[strcspn(text, "=")] = '\0';
	snprintf(fingerprint, KNOWN_FINGERPRINT_MAX, "SHA256:%s", text);
}

static void make_lower(char *s)
{
	for (; *s; s++)
		*s = (char)tolower((unsigned char)*s);
}

bool known_name(const char *host, uint16_t port, char name[static KNOWN_NAME_MAX])
{
	int n = port == 22 ? snprintf(name, KNOWN_NAME_MAX, "%s", host)
			   : snprintf(name, KNOWN_NAME_MAX, "[%s]:%u", host, port);

	make_lower(name);
	return n < KNOWN_NAME_MAX;
}

/* ---- reading */

/* The next word of the line; its end is cut and *line set behind it. */
static char *take_word(char **line)
{
	char *word = *line + strspn(*line, " \t");
	size_t n = strcspn(word, " \t");

	*line = word + n;
	if (word[n]) {
		word[n] = '\0';
		(*line)++;
	}
	return word;
}

static bool parse_marker(const char *word, enum known_marker *marker)
{
	if (strcmp(word, "@revoked") == 0)
		*marker = KNOWN_REVOKED;
	else if (strcmp(word, "@cert-authority") == 0)
		*marker = KNOWN_AUTHORITY;
	else
		return false;
	return true;
}

static const char *parse_key(
	struct arena *a, const char *type, const char *base64, struct known_line *out)
{
	uint8_t *blob;
	size_t size;

	if (!*base64)
		return "no key";
	blob = arena_alloc(a, BASE64_DECODED_MAX(strlen(base64)), 1);
	if (!blob)
		return "out of memory";
	if (!base64_decode(base64, strlen(base64), blob, &size))
		return "the key is not base64";
	out->blob = (struct bytes){ blob, size };
	if (!known_blob_type(out->blob, &out->type))
		return "the key is broken or of an unknown type";
	if (strcmp(out->type, type) != 0)
		return "the key is not of the type that the line names";
	return NULL;
}

const char *known_line_parse(struct arena *a, char *text, struct known_line *out)
{
	char *word, *type;

	text += strspn(text, " \t");
	text[strcspn(text, "\r")] = '\0';
	if (!*text || *text == '#')
		return NULL;
	word = take_word(&text);
	if (*word == '@') {
		if (!parse_marker(word, &out->marker))
			return "unknown marker";
		word = take_word(&text);
	}
	if (*word != '|') {
		make_lower(word);
		out->hosts = word;
	} else if (!known_hash_parse(word, &out->hash)) {
		return "broken hash of a host name";
	}
	type = take_word(&text);
	return parse_key(a, type, take_word(&text), out);
}

/* ---- matching */

bool known_line_is_plain(const char *hosts)
{
	return !strpbrk(hosts, "*?!");
}

bool known_line_matches(const struct known_line *line, const char *name)
{
	struct known_hash_name hashed;

	if (line->hosts)
		return ssh_pattern_list_matches(line->hosts, name, false);
	if (line->owner)
		return strcmp(line->owner, name) == 0;
	known_hash_name(name, &hashed);
	return known_hash_matches(&line->hash, &hashed);
}
