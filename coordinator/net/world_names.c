/* Names to addresses.  libuv asks the system in a thread of its pool; an address needs
 * none, and a name that a jump host or a ProxyCommand resolves is none of our business. */
#include "coordinator/net/world_private.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Outlives the session if it must. */
struct lookup {
	uv_getaddrinfo_t request;
	struct world *world;
	struct handles *handles; /* NULL: nobody waits for it any more */
};

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

static void lookup_done(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
	struct lookup *lookup = (struct lookup *)request;
	struct handles *h = lookup->handles;

	lookup->world->lookups--;
	if (h) {
		h->lookup = NULL;
		h->looked_up = true;
		h->lookup_status = status;
		if (status == 0)
			keep_addresses(h->session, list);
	}
	uv_freeaddrinfo(list);
	free(lookup);
	if (h)
		session_advance(h->session);
}

static enum rc start_lookup(struct handles *h, const char *port, struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct session *s = h->session;
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	int status;

	if (!lookup)
		return err_memory(e);
	lookup->handles = h;
	lookup->world = h->world;
	status = uv_getaddrinfo(&h->world->loop, &lookup->request, lookup_done,
		s->settings->host, port, &hints);
	if (status != 0) {
		free(lookup);
		return err_set(e, RC_UNREACHABLE, status, "name lookup of %s: %s",
			s->settings->host, uv_strerror(status));
	}
	h->lookup = lookup;
	h->world->lookups++;
	return RC_AGAIN;
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
		return err_set(e, RC_UNREACHABLE,
			h->lookup_status == UV_EAI_AGAIN ? EAI_AGAIN : h->lookup_status,
			"name lookup of %s: %s", s->settings->host,
			uv_strerror(h->lookup_status));
	if (!h->looked_up) {
		snprintf(port, sizeof(port), "%u", s->settings->port);
		/* an address needs no thread */
		if (getaddrinfo(s->settings->host, port, &hints, &list) != 0)
			return start_lookup(h, port, e);
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
	if (!h->lookup)
		return;
	h->lookup->handles = NULL;
	uv_cancel((uv_req_t *)&h->lookup->request);
	h->lookup = NULL;
}
