/* merged.h - the facts of very many nodes in one text: classes with their members.
 *
 *	# cpuherd merge 1
 *	body 5e1c...		SHA-256 of the lines that follow, up to the next of ours
 *	source host
 *	cpuid ...
 *	body 9f02...
 *	text capabilities
 *	| <capabilities>
 *	class 512		nodes whose facts are equal; the small facts follow
 *	fact kernel 6.1.0-18-amd64
 *	use 5e1c...		and the bodies
 *	nodes 2600000 node[001-512]	kHz of the TSC, and a pattern
 *	end 512			all nodes; without it the file is cut short
 *
 * What a node says of itself alone (intern.h) is left out, but for the TSC.  Everything
 * is sorted, so the text depends on nothing but who has which facts: merging in parts, in
 * any order and again gives the same bytes.
 */
#ifndef COORDINATOR_MERGED_H
#define COORDINATOR_MERGED_H

#include "coordinator/verb/intern.h"
#include "coordinator/verb/lines.h"

#define MERGED_FIRST_LINE "# cpuherd merge 1"

struct merged_node {
	const char *name;
	const struct node_facts *facts; /* of an intern: no own facts */
	uint32_t tsc_khz;
};

struct merged_counts {
	size_t classes, bodies;
};

/* Writes nodes that are sorted by name, each once. */
enum rc merged_write(struct buf *out, const struct merged_node *nodes, size_t count,
	struct merged_counts *counts, struct err *e);

/* Called for each node. */
typedef enum rc merged_take(void *context, const struct merged_node *node, struct err *e);

/* l->line is the first line.  RC_INPUT with file and line. */
enum rc merged_read(struct lines *l, struct intern *in, merged_take *take, void *context,
	struct err *e);

#endif
