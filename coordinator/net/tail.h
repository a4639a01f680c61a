/* tail.h - the last words of a stream: what a node printed on standard error
 * before it went away.  A node can print for ever; only the end is kept.
 */
#ifndef COORDINATOR_TAIL_H
#define COORDINATOR_TAIL_H

#include <stddef.h>

enum { TAIL_BYTES = 1024, TAIL_LINE_MAX = 240 };

struct tail {
	char data[TAIL_BYTES];
	size_t size;
};

void tail_append(struct tail *t, const void *data, size_t size);

/* The last two lines that are not blank, joined by " / ", printable; "" when
 * there is none. */
void tail_words(const struct tail *t, char words[static TAIL_LINE_MAX]);

#endif
