/* cause.h - the likely cause of a migration that failed, and what to do about it.
 *
 * Pure: words of libvirt, QEMU and ssh are held against a table of those that are known,
 * then the facts of both nodes against each other.  A guess for people: nothing is decided
 * by it.  The spellings are those of libvirt 9.0 to 12.8, QEMU 7.2 to 10.0 and OpenSSH 9.
 */
#ifndef COORDINATOR_CAUSE_H
#define COORDINATOR_CAUSE_H

#include "proto/message.h"

/* What became of the guest, where nobody said an error. */
enum cause_fate {
	CAUSE_REFUSED, /* it did not migrate: there are words */
	CAUSE_DIED,    /* it migrated, and does not live on */
	CAUSE_CHANGED, /* it lives on with another CPU */
	CAUSE_NONE,    /* it lives on as it was: there is nothing to look for */
};

enum { CAUSE_WORDS_MAX = 8 };

struct cause_evidence {
	enum cause_fate fate;
	const char *words[CAUSE_WORDS_MAX];  /* the most telling first; NULL: no more */
	const struct facts *source, *target; /* NULL: not known */
	bool bare_maxphysaddr;		     /* its <cpu> states no width of addresses */
	uint32_t limit_s, ms;		     /* what it was given, and took; 0: unknown */
};

/* "CAUSE; WHAT TO DO"; "" where nothing is known.  Lives in the arena or for ever.  "" as
 * well when memory is short. */
const char *cause_find(const struct cause_evidence *evidence, struct arena *arena);

#endif
