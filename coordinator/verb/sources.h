/* sources.h - facts out of files, whoever gathered them: what --from and merge read.
 *
 * A source is a folder (each file a node: NAME.facts, NAME.txt, or a file called as its
 * node, as clush --outdir and srun --output write them), a file, or standard input ("-").
 * A file holds one node, the texts of many (gathered.h), or merged facts (merged.h).
 */
#ifndef COORDINATOR_SOURCES_H
#define COORDINATOR_SOURCES_H

#include "base/lookup.h"
#include "coordinator/verb/intern.h"

struct source_node {
	const char *name;
	const char *origin;		/* where it was read, for people */
	const struct node_facts *facts; /* shared, without own facts; NULL: see why */
	struct own_facts own;
	const struct err *why; /* there are no facts; else NULL */
};

struct sources {
	struct arena *arena; /* the caller sets it */
	struct intern intern;
	struct source_node *nodes; /* after sources_finish() sorted by name */
	size_t count;
	struct lookup names; /* of nodes, until they are sorted */
};

/* A node that is there twice with equal facts is there once.  RC_INPUT when they differ,
 * with both places, and where it cannot be told whose facts these are; what is wrong with
 * the facts of one node becomes that node's why. */
enum rc sources_add(struct sources *s, const char *path, struct err *e);

/* After the last. */
void sources_finish(struct sources *s);

/* NULL when there is no node of that name. */
const struct source_node *sources_find(const struct sources *s, const char *name);

/* The facts of a node that has some, its own put in. */
struct node_facts source_facts(const struct source_node *n);

#endif
