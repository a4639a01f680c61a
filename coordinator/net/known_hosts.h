/* known_hosts.h - which host keys this user trusts: an index over the text of
 * known_hosts files (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).  Pure: no files, no
 * clock.
 *
 * libssh2's own reader accepts keys marked @revoked, matches no wildcard and
 * drops the rest of a file after one bad line, so it is not used.  Verdicts here
 * equal those of ssh, with one exception on the safe side: an entry without a
 * port does not speak for another port than 22, but a key that it revokes is
 * refused there as well.
 *
 * Everything lives in the arena that was given to known_hosts_init().
 */
#ifndef COORDINATOR_KNOWN_HOSTS_H
#define COORDINATOR_KNOWN_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum known_marker { KNOWN_KEY, KNOWN_REVOKED, KNOWN_AUTHORITY };

enum { KNOWN_HASH_BYTES = 20 /* SHA-1 */, KNOWN_NAME_MAX = 280 };

struct known_line {
	enum known_marker marker;
	const char *file;
	unsigned number;
	const char *hosts; /* patterns, by commas; NULL when hashed */
	uint8_t salt[KNOWN_HASH_BYTES], hash[KNOWN_HASH_BYTES];
	const char *type; /* "ssh-ed25519" */
	struct bytes blob;
};

/* Told of a line that is not understood; the lines around it count. */
typedef void known_hosts_warn(
	void *context, const char *file, unsigned number, const char *what);

struct known_hosts {
	struct arena *arena;
	struct known_line *lines;
	size_t count;
	known_hosts_warn *warn;
	void *context;
};

void known_hosts_init(struct known_hosts *k, struct arena *arena, known_hosts_warn *warn,
	void *context);

/* Adds the lines of a file's text; file names it in verdicts. */
enum rc known_hosts_add(
	struct known_hosts *k, const char *file, struct bytes text, struct err *e);

enum known_verdict { KNOWN_YES, KNOWN_NOT, KNOWN_CHANGED, KNOWN_IS_REVOKED };

struct known_answer {
	enum known_verdict verdict;
	/* the line that decided; for KNOWN_NOT a @cert-authority line of this host,
	 * or NULL */
	const struct known_line *line;
};

/* What is known of this key for host and port. */
struct known_answer known_hosts_check(
	const struct known_hosts *k, const char *host, uint16_t port, struct bytes blob);

/* Names of the key types known for host and port, each once, NULL at the end;
 * returns how many. */
enum { KNOWN_TYPES_MAX = 8 };
size_t known_hosts_types(const struct known_hosts *k, const char *host, uint16_t port,
	const char *types[static KNOWN_TYPES_MAX + 1]);

/* How known_hosts names a host: "host", or "[host]:port" when it is not 22;
 * lower case. */
void known_hosts_name(const char *host, uint16_t port, char name[static KNOWN_NAME_MAX]);

/* The type at the start of a public key; false when the blob is none that ssh
 * knows, or is cut or has more than belongs to it. */
bool known_hosts_blob_type(struct bytes blob, const char **type);

/* "SHA256:..." as ssh-keygen -l prints it. */
enum { KNOWN_FINGERPRINT_MAX = 64 };
void known_hosts_fingerprint(
	struct bytes blob, char fingerprint[static KNOWN_FINGERPRINT_MAX]);

#endif
