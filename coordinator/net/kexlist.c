#include "coordinator/net/kexlist.h"

#include <string.h>

#include "coordinator/net/wire.h"

enum { MSG_KEXINIT = 20, COOKIE_BYTES = 16 };

static const char *const names[KEX_LISTS] = {
	[KEX_METHODS] = "key exchange",
	[KEX_HOST_KEYS] = "host key type",
	[KEX_CIPHERS_TO_SERVER] = "cipher",
	[KEX_CIPHERS_TO_CLIENT] = "cipher",
	[KEX_MACS_TO_SERVER] = "MAC",
	[KEX_MACS_TO_CLIENT] = "MAC",
};

const char *kex_list_name(enum kex_list list)
{
	return names[list];
}

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
