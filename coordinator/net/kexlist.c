#include "coordinator/net/kexlist.h"

#include <string.h>

#include "coordinator/net/wire.h"

enum {
	MSG_KEXINIT = 20,
	COOKIE_BYTES = 16,
	OF_SERVER_MAX = 400, /* characters of its list that are said */
	OURS_SAID = 3,
};

/* What a list is about, and its keyword in sshd_config. */
static const struct kex_words {
	const char *name, *keyword;
} words[KEX_LISTS] = {
	[KEX_METHODS] = { "key exchange method", "KexAlgorithms" },
	[KEX_HOST_KEYS] = { "host key type", "HostKeyAlgorithms" },
	[KEX_CIPHERS_TO_SERVER] = { "cipher", "Ciphers" },
	[KEX_CIPHERS_TO_CLIENT] = { "cipher", "Ciphers" },
	[KEX_MACS_TO_SERVER] = { "MAC", "MACs" },
	[KEX_MACS_TO_CLIENT] = { "MAC", "MACs" },
};

/* What servers may insist on and an older libssh2 lacks (its NEWS, and what
 * libssh2_session_supported_algs() of 1.10.0 and 1.11.1 list). */
static const struct kex_since {
	const char *name, *version;
} since[] = {
	{ "rsa-sha2-512", "1.11.0" },
	{ "rsa-sha2-256", "1.11.0" },
	{ "aes256-gcm@openssh.com", "1.11.0" },
	{ "aes128-gcm@openssh.com", "1.11.0" },
	{ "hmac-sha2-256-etm@openssh.com", "1.11.0" },
	{ "hmac-sha2-512-etm@openssh.com", "1.11.0" },
	{ "hmac-sha1-etm@openssh.com", "1.11.0" },
	{ "chacha20-poly1305@openssh.com", "1.11.1" },
};

/* Takes lines up to and with the one that starts with "SSH-" (RFC 4253, 4.2). */
static bool take_banner(struct bytes *in)
{
	for (;;) {
		const uint8_t *end = in->size ? memchr(in->data, '\n', in->size) : NULL;
		struct bytes line;

		if (!end)
			return false;
		wire_take(in, (size_t)(end - in->data) + 1, &line);
		if (line.size > 4 && memcmp(line.data, "SSH-", 4) == 0)
			return true;
	}
}

bool kex_lists_find(struct bytes first, struct kex_lists *out)
{
	struct bytes packet, head;

	if (!take_banner(&first) || !wire_take_string(&first, &packet))
		return false;
	/* padding length, message, cookie */
	if (!wire_take(&packet, 2 + COOKIE_BYTES, &head) || head.data[1] != MSG_KEXINIT)
		return false;
	for (int i = 0; i < KEX_LISTS; i++)
		if (!wire_take_string(&packet, &out->of_server[i]))
			return false;
	return true;
}

bool kex_list_has_common(struct bytes of_server, const char *const *ours)
{
	while (of_server.size) {
		const uint8_t *comma = memchr(of_server.data, ',', of_server.size);
		size_t n = comma ? (size_t)(comma - of_server.data) : of_server.size;
		struct bytes name;

		wire_take(&of_server, n, &name);
		for (size_t i = 0; ours[i]; i++)
			if (wire_equals(name, ours[i]))
				return true;
		if (comma)
			wire_take(&of_server, 1, &name);
	}
	return false;
}

/* What a libssh2 newer than this one would have taken; NULL when none would. */
static const struct kex_since *newer_name(struct bytes of_server, const char *version)
{
	for (size_t i = 0; i < sizeof(since) / sizeof(*since); i++) {
		const char *const name[] = { since[i].name, NULL };

		if (strverscmp(version, since[i].version) < 0 &&
			kex_list_has_common(of_server, name))
			return &since[i];
	}
	return NULL;
}

static void append_cure(struct buf *text, enum kex_list list, const char *const *ours)
{
	buf_format(text, "let its sshd take one of ");
	for (int i = 0; i < OURS_SAID && ours[i]; i++)
		buf_format(text, "%s%s", i ? ", " : "", ours[i]);
	buf_format(text, " as well (%s in sshd_config)", words[list].keyword);
}

enum rc kex_list_explain(enum kex_list list, struct bytes of_server,
	const char *const *ours, const char *version, struct err *e)
{
	const struct kex_since *newer = newer_name(of_server, version);
	size_t n = of_server.size < OF_SERVER_MAX ? of_server.size : OF_SERVER_MAX;
	struct buf text = buf_with_cap(ERR_TEXT_MAX);
	struct bytes cure;

	if (newer)
		buf_format(&text, "%s came with %s (scripts/get-libssh2 builds one)",
			newer->name, newer->version);
	else
		append_cure(&text, list, ours);
	cure = buf_bytes(&text);
	err_set(e, RC_SSH, 0,
		"key exchange: no common %s: the server offers only %.*s%s, and the "
		"libssh2 here, %s, %s: %.*s",
		words[list].name, (int)n, n ? (const char *)of_server.data : "",
		n < of_server.size ? "..." : "", version,
		newer ? "is too old" : "has none of these", (int)cure.size,
		cure.size ? (const char *)cure.data : "");
	buf_destroy(&text);
	return RC_SSH;
}
