/* words.h - one line of ssh_config(5) as keyword and words.  Pure. */
#ifndef COORDINATOR_SSH_WORDS_H
#define COORDINATOR_SSH_WORDS_H

#include "proto/texts.h"

struct words_line {
	const char *keyword; /* as written; NULL: the line is blank or a comment */
	const char *rest;   /* what is behind it, as written, without blanks at the end */
	struct texts words; /* the rest without quotes, up to a comment */
};

/* RC_INPUT says what is wrong with the line, but not which line it is. */
enum rc words_read(
	struct words_line *out, const char *line, struct arena *arena, struct err *e);

#endif
