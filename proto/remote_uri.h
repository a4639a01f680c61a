/* remote_uri.h - where a trial guest may be sent: the words of the user, checked.
 *
 * libvirt's URIs can name programs ("?command=", "?netcat="), sockets and other drivers;
 * those of a coordinator that lies would make this node run them, as root.  So all of a URI
 * stands on closed lists: its scheme, its path, the parameters, and the characters between.
 * The parameters are those of libvirt's page "Connection URIs".  Pure.
 */
#ifndef PROTO_REMOTE_URI_H
#define PROTO_REMOTE_URI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum { REMOTE_URI_MAX = 512 };

struct remote_uri {
	const char *host; /* without the brackets of an IPv6 address; in the arena */
	uint32_t port;	  /* where the connection goes: given, or the scheme's own */
	bool by_ssh;	  /* which may know the host by its own configuration */
};

/* RC_USAGE with what is wrong and what may stand there; RC_MEMORY. */
enum rc remote_uri_read(
	const char *uri, struct arena *arena, struct remote_uri *out, struct err *e);

/* Where the guest's memory goes: tcp://host[:port]; *port is 0 where it names none.
 * RC_USAGE. */
enum rc remote_uri_read_data(const char *uri, uint32_t *port, struct err *e);

/* An address to listen on.  RC_USAGE. */
enum rc remote_uri_check_listen(const char *address, struct err *e);

#endif
