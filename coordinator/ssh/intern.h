/* intern.h - each text, and each list of texts, once: ten thousand nodes share a few. */
#ifndef COORDINATOR_SSH_INTERN_H
#define COORDINATOR_SSH_INTERN_H

#include <stdint.h>

#include "proto/texts.h"

struct intern_slot {
	uint32_t hash;
	const char *text;     /* of a text */
	struct texts list;    /* of a list of interned texts; text is NULL */
	const void *attached; /* what a user of this text put there; NULL at first */
};

struct intern {
	struct arena *arena;
	struct intern_slot **slots; /* open addressing, at most half full */
	size_t count, room;
};

/* The slot of a text, made if need be (with a copy of the text); NULL: out of memory. */
struct intern_slot *intern_find(struct intern *in, const char *text);

/* The one copy of a text. */
const char *intern_text(struct intern *in, const char *text);

/* The one list of these texts, each of which must be interned.  false: out of memory. */
bool intern_list(struct intern *in, const struct texts *list, struct texts *out);

#endif
