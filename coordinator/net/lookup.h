/* lookup.h - names to addresses.  The system's resolver blocks, so each name that is being
 * looked up has a thread: a name whose server is dead delays no other name.
 *
 * The threads are nobody's: a resolver that hangs (half a minute is usual) keeps neither a
 * session nor the end of the program waiting.  libuv's pool does both.
 */
#ifndef COORDINATOR_LOOKUP_H
#define COORDINATOR_LOOKUP_H

#include <netdb.h>
#include <stdint.h>

#include "base/err.h"

enum { LOOKUP_THREADS = 512 }; /* of one loop; what is more waits for one of them */

/* All of one loop. */
struct lookups;

/* One name. */
struct lookup {
	void *owner; /* who asked; NULL: it is not wanted any more */
	int status;  /* of getaddrinfo(); 0: list is there */
	struct addrinfo *list;
	struct lookup *next;
	char port[8];
	char host[];
};

/* ready() is called by other threads when lookup_take() has something; never after
 * lookups_leave().  NULL when memory is short. */
struct lookups *lookups_new(void (*ready)(void *context), void *context);

/* Begins.  The caller may set owner to NULL, and no more, until it comes from
 * lookup_take().  NULL with *e filled when there is no thread at all, or no memory. */
struct lookup *lookup_start(
	struct lookups *l, const char *host, uint16_t port, void *owner, struct err *e);

/* The next one that is done, to be freed by lookup_free(); NULL: none is. */
struct lookup *lookup_take(struct lookups *l);
void lookup_free(struct lookup *one);

/* Waits for nothing; what still runs goes when it comes back.  NULL is fine. */
void lookups_leave(struct lookups *l);

#endif
