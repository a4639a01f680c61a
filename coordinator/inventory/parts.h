/* parts.h - what the files of this folder share, and nobody else sees.
 */
#ifndef COORDINATOR_INVENTORY_PARTS_H
#define COORDINATOR_INVENTORY_PARTS_H

#include "coordinator/inventory/inventory.h"
#include "coordinator/inventory/pattern.h"

/* ---- inventory.c: the table */

/* Adds the node, or finds the one that is there; *index (may be NULL) is its place. */
enum rc node_add(struct inventory *inv, const struct inventory_node *node, size_t *index,
	struct arena *arena, struct err *e);

/* The node of this alias (port 0), or of this host and port. */
bool node_find(
	const struct inventory *inv, const char *text, uint16_t port, size_t *index);

/* Adds the nodes of a pattern.  RC_INPUT, not located, when there are too many. */
enum rc pattern_add(struct inventory *inv, const struct pattern *p, struct arena *arena,
	struct err *e);

/* "node07", "node07:2222", "[::1]:22": how host and port are written.  NULL when memory
 * is short. */
const char *name_of(const char *host, uint16_t port, struct arena *arena);

/* Keeps the nodes with keep[i], in their order. */
void nodes_keep(struct inventory *inv, const bool *keep);

/* ---- words.c: arguments */

/* Where a text came from, to point at a fault in it. */
struct place {
	const char *file; /* NULL: an argument */
	const char
		*argument;   /* the whole of it; NULL as well: whoever calls says where */
	size_t line, indent; /* of the file; bytes in front of the text */
};

/* Puts the place, and the column of byte `at`, in front of an RC_INPUT. */
enum rc located(struct err *e, const struct place *place, size_t at);

/* Adds what one argument, or one line, says. */
enum rc words_add(struct inventory *inv, const char *text, const struct place *place,
	struct arena *arena, struct err *e);

/* ---- names.c: names of nodes, held against an inventory in one pass */

struct name_word {
	const char *text; /* as written */
	struct place place;
	size_t at; /* its column in the place */
	size_t first, count;
};

struct names {
	struct inventory set; /* each name once */
	bool *hit;	      /* by its index: a node has it */
	uint32_t *index;      /* of each word's names, in `set` */
	size_t index_count;
	struct name_word *words;
	size_t word_count;
};

/* Adds the names of a pattern as one word; `word` has its text and place. */
enum rc names_add(struct names *names, const struct pattern *p,
	const struct name_word *word, struct arena *arena, struct err *e);

/* Adds the names of all nodes of a list, each as a word of its own. */
enum rc names_add_nodes(struct names *names, const struct inventory *list,
	const char *file, struct arena *arena, struct err *e);

/* Sets marked[i] for the nodes that are named; RC_INPUT, located, when a word names
 * none of them. */
enum rc names_mark(struct names *names, const struct inventory *inv, bool *marked,
	struct arena *arena, struct err *e);

/* ---- limit.c */

/* Takes keep[i] from the nodes that --limit does not name. */
enum rc limit_apply(
	const struct inventory *inv, bool *keep, struct arena *arena, struct err *e);

/* ---- ansible.c */

/* Adds what `ansible-inventory --list` says.  file is for errors. */
enum rc ansible_add(struct inventory *inv, const char *file, const char *text,
	size_t size, struct arena *arena, struct err *e);

#endif
