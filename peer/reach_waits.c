/* Connections of this node that nobody answers, as the kernel lists them. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/reach.h"

/* proc_pid_net(5): "sl local_address rem_address st ...", all of it hexadecimal; a line is
 * as long as its addresses.  2 is SYN_SENT. */
enum { LINE_BYTES = 256, WAITING = 2, ADDRESS_V4 = 8, ADDRESS_V6 = 32 };

struct connection {
	const char *address; /* of the other end: digits of 32-bit words as in memory */
	size_t digits;
	unsigned long port, state;
};

/* Behind so many words; the text has no others but blanks in between. */
static char *word_at(char *text, int number)
{
	for (text += strspn(text, " "); number > 0; number--) {
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	return text;
}

static bool read_connection(char *line, struct connection *out)
{
	char *remote = word_at(line, 2), *colon = strchr(remote, ':'), *end;

	if (!colon)
		return false;
	*out = (struct connection){ .address = remote,
		.digits = (size_t)(colon - remote) };
	out->port = strtoul(colon + 1, &end, 16);
	if (end == colon + 1 || *end != ' ')
		return false;
	out->state = strtoul(end, &end, 16);
	return out->digits == ADDRESS_V4 || out->digits == ADDRESS_V6;
}

static bool print_address(const struct connection *c, char text[INET6_ADDRSTRLEN])
{
	uint32_t words[ADDRESS_V6 / 8];

	for (size_t i = 0; i < c->digits / 8; i++) {
		char digits[9] = "", *end;

		memcpy(digits, c->address + 8 * i, 8);
		words[i] = (uint32_t)strtoul(digits, &end, 16);
		if (end != digits + 8)
			return false;
	}
	return inet_ntop(c->digits == ADDRESS_V4 ? AF_INET : AF_INET6, words, text,
		INET6_ADDRSTRLEN);
}

static bool is_for_memory(const struct connection *c, uint32_t port)
{
	return c->state == WAITING &&
	       (port ? c->port == port
		     : c->port >= REACH_PORT_MIN && c->port <= REACH_PORT_MAX);
}

static const char *look_through(FILE *table, uint32_t port, struct arena *arena)
{
	char line[LINE_BYTES], address[INET6_ADDRSTRLEN];
	struct connection c;

	while (fgets(line, sizeof(line), table))
		if (read_connection(line, &c) && is_for_memory(&c, port) &&
			print_address(&c, address))
			return arena_format(arena,
				"%s port %lu, where the guest's memory goes: no answer "
				"yet",
				address, c.port);
	return "";
}

const char *reach_waits(const char *table, uint32_t port, struct arena *arena)
{
	FILE *file = fopen(table, "re");
	const char *words;

	if (!file)
		return "";
	words = look_through(file, port, arena);
	fclose(file);
	return words;
}
