#include "peer/reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How the connection went: an errno, 0 when it was accepted. */
static int wait_for(int fd, int limit_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int error = 0, ready;

	do
		ready = poll(&p, 1, limit_ms);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return ETIMEDOUT;
	if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return errno;
	return error;
}

static int try_one(const struct addrinfo *address, int limit_ms)
{
	int fd = socket(
		address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
		error = errno == EINPROGRESS ? wait_for(fd, limit_ms) : errno;
	close(fd);
	return error;
}

static void print_address(const struct addrinfo *address, char text[NI_MAXHOST])
{
	if (getnameinfo(address->ai_addr, address->ai_addrlen, text, NI_MAXHOST, NULL, 0,
		    NI_NUMERICHOST) != 0)
		snprintf(text, NI_MAXHOST, "an address");
}

static const char *say(struct arena *arena, const struct remote_uri *target,
	const struct addrinfo *address, int error)
{
	char where[NI_MAXHOST];
	const char *host = target->host, *is = " is ", *why = strerror(error);

	print_address(address, where);
	if (strcmp(where, host) == 0)
		host = is = "";
	if (error == ETIMEDOUT)
		why = arena_format(arena, "no answer within %d s", REACH_LIMIT_MS / 1000);
	return why ? arena_format(arena, "%s%s%s port %u: %s", host, is, where,
			     target->port, why)
		   : NULL;
}

/* What the first one says, where none accepts: the resolver puts those last that no route
 * leads to.  All share the time. */
static const char *try_all(
	const struct remote_uri *target, const struct addrinfo *all, struct arena *arena)
{
	int count = 0, first = 0;

	for (const struct addrinfo *a = all; a; a = a->ai_next)
		count++;
	for (const struct addrinfo *a = all; a; a = a->ai_next) {
		int error = try_one(a, REACH_LIMIT_MS / count);

		if (error == 0)
			return "";
		first = a == all ? error : first;
	}
	return say(arena, target, all, first);
}

const char *reach_look(const struct remote_uri *target, struct arena *arena)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	struct addrinfo *all = NULL;
	const char *words;
	char port[16];
	int failed;

	snprintf(port, sizeof(port), "%u", target->port);
	failed = getaddrinfo(target->host, port, &hints, &all);
	if (failed || !all)
		return arena_format(arena, "%s does not resolve here%s: %s", target->host,
			target->by_ssh ? " (but by ssh's own configuration, perhaps)"
				       : "",
			gai_strerror(failed));
	words = try_all(target, all, arena);
	freeaddrinfo(all);
	return words;
}
