/* shape.h - is the value behind a keyword one that cpuherd understands as ssh does?  Pure. */
#ifndef COORDINATOR_SSH_SHAPE_H
#define COORDINATOR_SSH_SHAPE_H

#include <stdint.h>

#include "coordinator/ssh/keyword.h"
#include "coordinator/ssh/settings.h"

/* NULL when it is; else what is odd.  That need not be wrong: ssh has the last word. */
const char *shape_oddity(enum keyword_shape shape, const struct texts *words);

/* Values as their shapes allow them. */
bool shape_read_port(const char *word, uint16_t *port);
bool shape_read_time(const char *word, uint32_t *seconds);
bool shape_read_strict(const char *word, enum ssh_strict *strict);

/* One host of a ProxyJump: [user@]host[:port], host in brackets where it has colons. */
struct shape_jump {
	const char *user; /* NULL: not said */
	const char *host;
	uint16_t port; /* 0: not said */
};

/* Splits the text, which is written to. */
bool shape_read_jump(char *text, struct shape_jump *out);

#endif
