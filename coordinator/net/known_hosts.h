/* known_hosts.h - which host keys this user trusts: an index over the text of a
 * known_hosts file, and the verdict of several.  Pure: no files, no clock.
 *
 * libssh2's own reader accepts keys marked @revoked, matches no wildcard and
 * drops the rest of a file after one bad line, so it is not used.  Verdicts here
 * equal those of ssh, with exceptions on the safe side: an entry without a port does
 * not speak for another port than 22, but a key that it revokes is refused there as
 * well; and a marker may end in a tab (ssh takes such a line for a broken one).
 *
 * It answers fast for ten thousand hosts from ten thousand lines: plain names are found
 * by name; the key that a server shows is found by its bytes, so that only hashed lines
 * with that very key are compared; the lines with patterns are walked.  Only where it
 * must be said which other keys a host has are all hashed lines tried, once a name, and
 * without those that were found to be another's.
 *
 * Everything lives in the arena that was given to known_hosts_init().  Asking remembers
 * what was found: an index is one thread's at a time.
 */
#ifndef COORDINATOR_KNOWN_HOSTS_H
#define COORDINATOR_KNOWN_HOSTS_H

#include "coordinator/net/bytemap.h"
#include "coordinator/net/known_line.h"

/* Told of a line that is not understood; the lines around it count. */
typedef void known_hosts_warn(
	void *context, const char *file, unsigned number, const char *what);

struct known_lines {
	struct known_line **item;
	size_t count;
};

/* A hashed line where a search comes along: all that it looks at stands together. */
struct known_hashed {
	struct known_hash hash;
	bool owned; /* its host was found */
	struct known_line *line;
};

/* One file. */
struct known_hosts {
	struct arena *arena;
	known_hosts_warn *warn;
	void *context;
	unsigned newlines;	     /* of all that was added */
	size_t count;		     /* of lines that say something */
	struct bytemap names;	     /* struct known_host (known_hosts.c) by its name */
	struct bytemap keys;	     /* struct known_lines by the key's bytes */
	struct known_lines patterns; /* lines with wildcards or with a '!' */
	struct known_hashed *hashed;
	size_t hashed_count;
	unsigned hashed_types; /* bits of the types that hashed lines have */
	size_t next_hashed;    /* where the next search among them begins */
};

void known_hosts_init(struct known_hosts *k, struct arena *arena, known_hosts_warn *warn,
	void *context);

/* Adds the lines of a text, which goes on where the last one ended; file names it in
 * verdicts. */
enum rc known_hosts_add(
	struct known_hosts *k, const char *file, struct bytes text, struct err *e);

/* The files that count for a host, in order, and its names in them. */
struct known_query {
	struct known_hosts *const *files;
	size_t file_count;
	const char *name;     /* from known_name(), or an alias */
	const char *any_port; /* the name without a port: what is revoked there is so
			       * at every port */
};

enum known_verdict { KNOWN_YES, KNOWN_NOT, KNOWN_CHANGED, KNOWN_IS_REVOKED };

struct known_answer {
	enum known_verdict verdict;
	/* the line that decided; for KNOWN_NOT a @cert-authority line of this host,
	 * or NULL */
	const struct known_line *line;
};

/* What is known of this key for the host.  RC_OK or RC_MEMORY. */
enum rc known_hosts_check(const struct known_query *q, struct bytes blob,
	struct known_answer *answer, struct err *e);

/* Names of the types of the keys known for the host and not revoked, each once, NULL at the end; those liked
 * best first.  Where nothing but hashed lines of one type can speak for the host, it is that
 * type, without a look whether one does.  RC_OK or RC_MEMORY. */
enum rc known_hosts_types(const struct known_query *q,
	const char *types[static KNOWN_TYPES_MAX + 1], struct err *e);

#endif
