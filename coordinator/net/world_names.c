/* Names to addresses: asked in threads (lookup.h), heard by the loop; an address needs
 * none, and a name that a jump host or a ProxyCommand resolves is none of our business. */
#include "coordinator/net/world_private.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

static void keep_addresses(struct session *s, const struct addrinfo *list)
{
	for (; list && s->address_count < SESSION_ADDRESSES_MAX; list = list->ai_next) {
		struct session_address *a = &s->addresses[s->address_count];

		if (list->ai_addrlen > sizeof(a->address))
			continue;
		memcpy(&a->address, list->ai_addr, list->ai_addrlen);
		a->size = list->ai_addrlen;
		if (getnameinfo(list->ai_addr, a->size, a->text, sizeof(a->text), NULL, 0,
			    NI_NUMERICHOST) != 0)
			snprintf(a->text, sizeof(a->text), "an address");
		s->address_count++;
	}
}

static void hear(struct handles *h, const struct lookup *one)
{
	h->lookup = NULL;
	h->looked_up = true;
	h->lookup_status = one->status;
	if (one->status == 0)
		keep_addresses(h->session, one->list);
}

void world_hear_lookups(struct world *w)
{
	struct lookup *one;

	while ((one = lookup_take(w->lookups))) {
		struct handles *h = one->owner;

		if (h)
			hear(h, one);
		lookup_free(one);
		if (h)
			session_advance(h->session);
	}
}

static enum rc leave_to_others(struct session *s)
{
	struct session_address *only = &s->addresses[0];

	snprintf(only->text, sizeof(only->text), "%s", s->settings->host);
	s->address_count = 1;
	return RC_OK;
}

enum rc world_resolve(struct session *s, struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct handles *h = handles_of(s);
	struct addrinfo *list = NULL;
	char port[8];

	if (s->settings->jump || s->settings->proxy_command)
		return leave_to_others(s);
	if (h->lookup)
		return RC_AGAIN;
	if (h->looked_up && h->lookup_status != 0)
		return err_set(e, RC_UNREACHABLE, h->lookup_status,
			"name lookup of %s: %s", s->settings->host,
			gai_strerror(h->lookup_status));
	if (!h->looked_up) {
		snprintf(port, sizeof(port), "%u", s->settings->port);
		/* an address needs no thread */
		if (getaddrinfo(s->settings->host, port, &hints, &list) != 0) {
			h->lookup = lookup_start(h->world->lookups, s->settings->host,
				s->settings->port, h, e);
			return h->lookup ? RC_AGAIN : e->code;
		}
		keep_addresses(s, list);
		freeaddrinfo(list);
	}
	if (s->address_count == 0)
		return err_set(
			e, RC_UNREACHABLE, 0, "%s has no address", s->settings->host);
	return RC_OK;
}

void world_forget_lookup(struct handles *h)
{
	if (h->lookup)
		h->lookup->owner = NULL;
	h->lookup = NULL;
}
