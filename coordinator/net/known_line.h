/* known_line.h - one line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT):
 * whose key, and which.  Pure: no files, no clock. */
#ifndef COORDINATOR_KNOWN_LINE_H
#define COORDINATOR_KNOWN_LINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "coordinator/net/known_hash.h"

enum known_marker { KNOWN_KEY, KNOWN_REVOKED, KNOWN_AUTHORITY };

struct known_line {
	enum known_marker marker;
	const char *file;
	unsigned number;
	const char *hosts;	/* patterns, by commas, lower case; NULL when hashed */
	struct known_hash hash; /* when hashed: of the one host */
	const char *owner; /* the host that was found to be it; NULL: not found yet */
	const char *type;  /* "ssh-ed25519" */
	struct bytes blob;
};

/* Fills *out, but for file and number, from a line that is cut into words for it and
 * must stay.  Returns NULL, or what is wrong with it.  A line that says nothing (empty,
 * a comment) has no type afterwards. */
const char *known_line_parse(struct arena *a, char *text, struct known_line *out);

/* Are these patterns one or more plain names? */
bool known_line_is_plain(const char *hosts);

/* Is the line about the host of this name? */
bool known_line_matches(const struct known_line *line, const char *name);

/* How known_hosts names a host: "host", or "[host]:port" when it is not 22;
 * lower case.  False when that is too long for a name. */
bool known_name(const char *host, uint16_t port, char name[static KNOWN_NAME_MAX]);

/* The type at the start of a public key; false when the blob is none that ssh
 * knows, or is cut or has more than belongs to it. */
bool known_blob_type(struct bytes blob, const char **type);

/* The types of keys have numbers from 0, those that are liked best first; the name of
 * one, NULL behind the last. */
const char *known_type_name(unsigned number);
/* 1 << number; 0: no such type. */
unsigned known_type_bit(const char *type);

enum { KNOWN_TYPES_MAX = 8 };

/* "SHA256:..." as ssh-keygen -l prints it. */
enum { KNOWN_FINGERPRINT_MAX = 64 };
void known_fingerprint(struct bytes blob, char fingerprint[static KNOWN_FINGERPRINT_MAX]);

#endif
