#include "coordinator/ssh/address.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

bool address_normalize(const char *text, char out[static ADDRESS_MAX])
{
	const struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int error;

	/* most names are told from addresses without the resolver's help */
	if (!strchr("0123456789:abcdefABCDEF", text[0]) || strchr(text, '%'))
		return false;
	if (getaddrinfo(text, NULL, &numeric, &found) != 0)
		return false;
	error = getnameinfo(found->ai_addr, found->ai_addrlen, out, ADDRESS_MAX, NULL, 0,
		NI_NUMERICHOST);
	freeaddrinfo(found);
	return error == 0;
}
