/* bootstrap.h - how the peer gets onto a node: one shell command on the one exec
 * channel, which becomes the peer.
 *
 * The command looks for, in this order: a packaged cpuherd-peer in PATH that
 * speaks this protocol; the user's cache, by content hash; else it asks for the
 * image on its standard input and puts it into the first place that can hold and
 * run it.  All folders are private to the user.  It says what it found in lines
 *
 *	cpuherd-start NONCE have TEXT	the peer is next on this channel
 *	cpuherd-start NONCE need TEXT	send the image ("gzip ..." or "raw ...");
 *					another start line follows
 *	cpuherd-start NONCE fail TEXT	and why
 *
 * which the login shell's own chatter may precede; the nonce is fresh for every
 * session, so that chatter cannot be taken for an answer.  Pure.
 */
#ifndef COORDINATOR_BOOTSTRAP_H
#define COORDINATOR_BOOTSTRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

enum {
	BOOTSTRAP_NONCE_MAX = 33,	 /* 32 hexadecimal digits and NUL */
	BOOTSTRAP_NOISE_MAX = 64 * 1024, /* chatter before a start line */
	BOOTSTRAP_TEXT_MAX = 512,
};

struct bootstrap {
	const char *nonce;
	const char *sha256; /* of the image, in hexadecimal */
	size_t raw_size, gzip_size;
	uint32_t protocol;   /* version that a packaged peer must speak */
	const char *machine; /* uname -m that the image is for */
	bool become;	     /* through sudo -n */
	const char *first;   /* of bootstrap_first(); NULL is "" */
};

/* The frames with which the peer shall start, as hexadecimal digits: they travel on its
 * command line (`cpuherd-peer --first HEX`), so that its first answers come right behind
 * the start line, and they are not sent again.  "" when there are too many for that
 * (LIMIT_FIRST_BYTES): then they go to its standard input, as all others do.  NULL when
 * memory is short.  Users of the node can read them in its list of processes. */
char *bootstrap_first(struct bytes frames, struct arena *arena);

/* The command for any login shell (sh, csh, fish); NULL when memory is short. */
char *bootstrap_command(const struct bootstrap *b, struct arena *arena);

enum bootstrap_word { BOOTSTRAP_HAVE, BOOTSTRAP_NEED, BOOTSTRAP_FAIL };

struct bootstrap_start {
	enum bootstrap_word word;
	char text[BOOTSTRAP_TEXT_MAX];
};

/* Takes chatter and one start line from the front of in.  RC_AGAIN: not there
 * yet, nothing was taken.  RC_LIMIT: too much chatter.  RC_PEER: a start line
 * that makes no sense. */
enum rc bootstrap_take_start(
	struct buf *in, const char *nonce, struct bootstrap_start *out, struct err *e);

/* Does the text of `need` ask for the gzipped image? */
bool bootstrap_wants_gzip(const struct bootstrap_start *start);

#endif
