#include "coordinator/net/known_hosts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "coordinator/net/base64.h"
#include "coordinator/net/wire.h"

enum { PATTERN_MAX = 1024 /* longer ones match nothing, as in ssh */ };

/* The public key types of ssh and how many strings follow the name (RFC 4253 6.6,
 * RFC 5656 3.1, RFC 8709 4, OpenSSH's PROTOCOL.u2f). */
static const struct key_type {
	const char *name;
	unsigned strings;
	size_t last_size; /* of the first string behind the name; 0: any */
} key_types[] = {
	{ "ssh-ed25519", 1, 32 },
	{ "ecdsa-sha2-nistp256", 2, 0 },
	{ "ecdsa-sha2-nistp384", 2, 0 },
	{ "ecdsa-sha2-nistp521", 2, 0 },
	{ "ssh-rsa", 2, 0 },
	{ "ssh-dss", 4, 0 },
	{ "sk-ssh-ed25519@openssh.com", 2, 32 },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", 3, 0 },
};

bool known_hosts_blob_type(struct bytes blob, const char **type)
{
	struct bytes name, part;
	const struct key_type *row = NULL;

	if (!wire_take_string(&blob, &name))
		return false;
	for (size_t i = 0; i < sizeof(key_types) / sizeof(*key_types); i++)
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

void known_hosts_fingerprint(
	struct bytes blob, char fingerprint[static KNOWN_FINGERPRINT_MAX])
{
	struct digest d = digest_of(blob.data, blob.size);
	char text[BASE64_ENCODED_MAX(DIGEST_BYTES)];

	base64_encode(d.byte, sizeof(d.byte), text);
	text[strcspn(text, "=")] = '\0';
	snprintf(fingerprint, KNOWN_FINGERPRINT_MAX, "SHA256:%s", text);
}

void known_hosts_name(const char *host, uint16_t port, char name[static KNOWN_NAME_MAX])
{
	if (port == 22)
		snprintf(name, KNOWN_NAME_MAX, "%s", host);
	else
		snprintf(name, KNOWN_NAME_MAX, "[%.256s]:%u", host, port);
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

/* ---- reading */

void known_hosts_init(
	struct known_hosts *k, struct arena *arena, known_hosts_warn *warn, void *context)
{
	*k = (struct known_hosts){ .arena = arena, .warn = warn, .context = context };
}

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

/* "|1|salt|hash": HMAC-SHA1 of the host's name. */
static bool parse_hashed(const char *hosts, struct known_line *out)
{
	const char *salt = hosts + 3, *hash = strchr(salt, '|');
	uint8_t bytes[BASE64_DECODED_MAX(64)];
	size_t size;

	if (strncmp(hosts, "|1|", 3) != 0 || !hash)
		return false;
	if (hash - salt > 64 || strlen(hash + 1) > 64)
		return false;
	if (!base64_decode(salt, (size_t)(hash - salt), bytes, &size) ||
		size != KNOWN_HASH_BYTES)
		return false;
	memcpy(out->salt, bytes, KNOWN_HASH_BYTES);
	if (!base64_decode(hash + 1, strlen(hash + 1), bytes, &size) ||
		size != KNOWN_HASH_BYTES)
		return false;
	memcpy(out->hash, bytes, KNOWN_HASH_BYTES);
	return true;
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

/* Fills *out from the line, which is cut into words; NULL, or what is wrong. */
static const char *parse_line(struct arena *a, char *line, struct known_line *out)
{
	char *word = take_word(&line);
	uint8_t *blob;
	size_t size;

	if (*word == '@') {
		if (!parse_marker(word, &out->marker))
			return "unknown marker";
		word = take_word(&line);
	}
	if (*word == '|') {
		if (!parse_hashed(word, out))
			return "broken hash of a host name";
	} else {
		out->hosts = word;
	}
	word = take_word(&line);
	out->type = word;
	word = take_word(&line);
	if (!*word)
		return "no key";
	blob = arena_alloc(a, BASE64_DECODED_MAX(strlen(word)), 1);
	if (!blob)
		return "out of memory";
	if (!base64_decode(word, strlen(word), blob, &size))
		return "the key is not base64";
	out->blob = (struct bytes){ blob, size };
	if (!known_hosts_blob_type(out->blob, &(const char *){ NULL }))
		return "the key is broken or of an unknown type";
	if (!wire_equals((struct bytes){ blob + 4, strlen(out->type) }, out->type) ||
		blob[3] != strlen(out->type))
		return "the key is not of the type that the line names";
	return NULL;
}

static enum rc add_line(
	struct known_hosts *k, const char *file, unsigned number, struct bytes text)
{
	char *line = arena_text_n(k->arena, text.data, text.size);
	struct known_line found = { .file = file, .number = number };
	const char *wrong;

	if (!line)
		return RC_MEMORY;
	line += strspn(line, " \t");
	line[strcspn(line, "\r")] = '\0';
	if (!*line || *line == '#')
		return RC_OK;
	wrong = strlen(line) < text.size && memchr(text.data, 0, text.size)
			? "a NUL byte in the line"
			: parse_line(k->arena, line, &found);
	if (wrong) {
		if (k->warn)
			k->warn(k->context, file, number, wrong);
		return RC_OK;
	}
	k->lines = arena_grow(k->arena, k->lines, k->count, sizeof(*k->lines));
	if (!k->lines) {
		k->count = 0;
		return RC_MEMORY;
	}
	k->lines[k->count++] = found;
	return RC_OK;
}

enum rc known_hosts_add(
	struct known_hosts *k, const char *file, struct bytes text, struct err *e)
{
	unsigned number = 1;

	file = arena_text(k->arena, file);
	if (!file)
		return err_memory(e);
	while (text.size) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;

		if (add_line(k, file, number++, (struct bytes){ text.data, size }) !=
			RC_OK)
			return err_memory(e);
		size += end != NULL;
		text = (struct bytes){ text.data + size, text.size - size };
	}
	return RC_OK;
}

/* ---- matching */

/* '*' and '?' as in ssh_config(5) PATTERNS; linear, not recursive: patterns of
 * many '*' must not take for ever. */
static bool matches_pattern(const char *s, const char *pattern, const char *end)
{
	const char *star = NULL, *resume = NULL;

	while (*s) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			resume = s;
		} else if (pattern < end &&
			   (*pattern == '?' || tolower((unsigned char)*pattern) == *s)) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star;
			s = ++resume;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

/* A negated pattern that matches wins over all others. */
static bool matches_list(const char *name, const char *patterns)
{
	bool found = false;

	for (;;) {
		size_t n = strcspn(patterns, ",");
		bool negated = *patterns == '!';

		if (n - negated >= PATTERN_MAX - 1)
			return false;
		if (matches_pattern(name, patterns + negated, patterns + n)) {
			if (negated)
				return false;
			found = true;
		}
		if (!patterns[n])
			return found;
		patterns += n + 1;
	}
}

static bool matches_hash(const char *name, const struct known_line *line)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (!HMAC(EVP_sha1(), line->salt, KNOWN_HASH_BYTES, (const uint8_t *)name,
		    strlen(name), hash, &size))
		return false;
	return size == KNOWN_HASH_BYTES && memcmp(hash, line->hash, size) == 0;
}

static bool matches(const struct known_line *line, const char *name)
{
	return line->hosts ? matches_list(name, line->hosts) : matches_hash(name, line);
}

static bool same_bytes(struct bytes a, struct bytes b)
{
	return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* A line that revokes this very key for this host, at this port or at any. */
static const struct known_line *find_revoked(const struct known_hosts *k,
	const char *host, const char *name, struct bytes blob)
{
	char plain[KNOWN_NAME_MAX];

	known_hosts_name(host, 22, plain);
	for (size_t i = 0; i < k->count; i++) {
		const struct known_line *line = &k->lines[i];

		if (line->marker == KNOWN_REVOKED && same_bytes(line->blob, blob) &&
			(matches(line, name) || matches(line, plain)))
			return line;
	}
	return NULL;
}

struct known_answer known_hosts_check(
	const struct known_hosts *k, const char *host, uint16_t port, struct bytes blob)
{
	const struct known_line *other = NULL, *authority = NULL, *line;
	char name[KNOWN_NAME_MAX];

	known_hosts_name(host, port, name);
	line = find_revoked(k, host, name, blob);
	if (line)
		return (struct known_answer){ KNOWN_IS_REVOKED, line };
	for (size_t i = 0; i < k->count; i++) {
		line = &k->lines[i];
		if (line->marker == KNOWN_REVOKED || !matches(line, name))
			continue;
		if (line->marker == KNOWN_AUTHORITY) {
			authority = authority ? authority : line;
			continue;
		}
		if (same_bytes(line->blob, blob))
			return (struct known_answer){ KNOWN_YES, line };
		other = other ? other : line;
	}
	if (other)
		return (struct known_answer){ KNOWN_CHANGED, other };
	return (struct known_answer){ KNOWN_NOT, authority };
}

size_t known_hosts_types(const struct known_hosts *k, const char *host, uint16_t port,
	const char *types[static KNOWN_TYPES_MAX + 1])
{
	char name[KNOWN_NAME_MAX];
	size_t count = 0;

	known_hosts_name(host, port, name);
	for (size_t i = 0; i < k->count && count < KNOWN_TYPES_MAX; i++) {
		const struct known_line *line = &k->lines[i];
		bool seen = false;

		for (size_t j = 0; j < count; j++)
			seen = seen || strcmp(types[j], line->type) == 0;
		if (!seen && line->marker == KNOWN_KEY && matches(line, name))
			types[count++] = line->type;
	}
	types[count] = NULL;
	return count;
}
