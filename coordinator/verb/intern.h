/* intern.h - facts that many nodes share are read once and kept once.
 *
 * What nodes say of themselves alone (struct own_facts) is taken out; equal texts of the
 * rest are one struct node_facts, and equal bodies one piece of memory, so that whoever
 * compares facts compares pointers.
 */
#ifndef COORDINATOR_INTERN_H
#define COORDINATOR_INTERN_H

#include "base/lookup.h"
#include "proto/facts.h"

/* Differs between nodes that are alike.  Nothing decides by it but the TSC's frequency. */
struct own_facts {
	const char *hostname, *host_uuid, *cmdline;
	uint32_t tsc_khz;
};

struct interned;

struct intern {
	struct arena *arena; /* the caller sets it; the rest is private */
	struct interned *all;
	size_t count, text_bytes;
	struct lookup texts;
	struct interned_body *bodies;
	size_t body_count;
	struct lookup by_body;
};

/* Reads a dump as dump_read() does.  *out is without own facts and lives as long as the
 * arena, shared. */
enum rc intern_dump(struct intern *in, struct bytes text, const char *name,
	const struct node_facts **out, struct own_facts *own, struct err *e);

/* Puts the memory that is kept for equal bodies in place of the facts' own. */
enum rc intern_bodies(struct intern *in, struct node_facts *f, struct err *e);

/* Orders facts whose bodies were interned (or are shared); 0: equal, own facts but the
 * TSC's frequency aside.  Facts that differ only in that stand together. */
int intern_compare(const struct node_facts *a, const struct node_facts *b);

/* Equal but for the TSC's frequency as well? */
bool intern_same_but_tsc(const struct node_facts *a, const struct node_facts *b);

/* Puts own facts back, or takes them out. */
void own_put(struct node_facts *f, const struct own_facts *own);

#endif
