/* nova_options.h - what a node's nova says of CPUs, before and after our drop-in.
 *
 * For coordinator/target/nova.c.  cpu_model and cpu_models are one option of two names:
 * the newer wins within a file.
 */
#ifndef COORDINATOR_TARGET_NOVA_OPTIONS_H
#define COORDINATOR_TARGET_NOVA_OPTIONS_H

#include "proto/message.h"

/* An option that the drop-in sets. */
struct nova_wish {
	const char *section, *name, *value;
};

enum { NOVA_BEFORE = 1, NOVA_AFTER = 2 };

#define NOVA_NOT_READ ((size_t)-1)

struct nova_options {
	const struct nova *nova;
	const char *path;  /* of the drop-in */
	const char *files; /* all that nova reads, "a, b and 3 more" */
	size_t place;	   /* of the drop-in among them, or NOVA_NOT_READ */
	struct nova_wish *wishes;
	size_t wish_count;
};

/* From the drop-in as cpuherd wrote it.  RC_MEMORY. */
enum rc nova_options_make(struct nova_options *out, const struct nova *nova,
	const char *path, const char *text, struct arena *arena, struct err *e);

/* The setting of the option that would count, if only files before, or after, the
 * drop-in were read; NULL: none.  What the drop-in holds now is left out. */
const struct nova_option *nova_options_last(const struct nova_options *o,
	const char *section, const char *name, unsigned where);

/* Does this value mean what is wished? */
bool nova_options_same(const struct nova_wish *w, const char *value);

#endif
