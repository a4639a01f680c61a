/* expand.h - tokens (%h), variables (${HOME}) and ~ in values of ssh_config(5). */
#ifndef COORDINATOR_SSH_EXPAND_H
#define COORDINATOR_SSH_EXPAND_H

#include <stdbool.h>

#include "base/buf.h"

/* What each letter stands for; NULL at the end. */
struct expand_token {
	char letter;
	const char *value;
};

struct expand {
	const char *home;		   /* of ~ */
	const struct expand_token *tokens; /* letter 0 at the end; %% is always there */
	bool files;			   /* ~ and ${NAME} are expanded as well */
};

/* Fills *out with the expanded text and its NUL.  RC_INPUT with a text without the place. */
enum rc expand_text(
	struct buf *out, const char *text, const struct expand *how, struct err *e);

#endif
