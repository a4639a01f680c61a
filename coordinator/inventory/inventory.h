/* inventory.h - who: the nodes of a run, in the order the user named them.
 *
 * Sources: arguments (patterns such as node[01-16], user@host:port) and hosts
 * files.  Duplicates are folded (the first wins), exclusions taken out.  An
 * error names argument or file:line:column.
 */
#ifndef COORDINATOR_INVENTORY_H
#define COORDINATOR_INVENTORY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct inventory_node {
	const char *name; /* as the reports call it: the host as written */
	const char *host; /* what is resolved */
	const char *user; /* NULL: the run's default */
	uint16_t port;	  /* 0: the run's default */
};

struct inventory {
	struct inventory_node *nodes;
	size_t count;
};

/* Adds the nodes of one argument: PATTERN, USER@PATTERN, PATTERN:PORT, or both;
 * several may be joined by commas outside brackets. */
enum rc inventory_add_argument(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e);

/* Adds the nodes of a hosts file ("-": standard input): one argument a line,
 * '#' starts a comment. */
enum rc inventory_add_file(
	struct inventory *inv, const char *path, struct arena *arena, struct err *e);

/* Takes out every node that the argument names; RC_INPUT when it names none
 * of them (a typing error must not leave a node in). */
enum rc inventory_exclude(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e);

#endif
