/* inventory.h - who: the nodes of a run, in the order the user named them.
 *
 * Sources: arguments (patterns such as node[01-16], user@host:port) and hosts
 * files.  Duplicates are folded (the first wins), exclusions taken out.  An
 * error names argument or file:line:column.
 *
 * Two nodes are the same when host and port are: node01 and root@node01 are one,
 * 127.0.0.1:2201 and 127.0.0.1:2202 are two.
 */
#ifndef COORDINATOR_INVENTORY_H
#define COORDINATOR_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

enum {
	INVENTORY_NODES_MAX = 100 * 1000,
	INVENTORY_FILE_BYTES_MAX = 16 * 1024 * 1024,
};

struct inventory_node {
	const char *name; /* as the reports call it: the host (and port) as written */
	const char *host; /* what is resolved */
	const char *user; /* NULL: the run's default */
	uint16_t port;	  /* 0: the run's default */
};

struct inventory {
	struct inventory_node *nodes; /* {0} is an empty inventory */
	size_t count;
	uint32_t *slots; /* hash table: index + 1 of a node; private */
	size_t slot_count;
};

/* Adds the nodes of one argument: PATTERN, USER@PATTERN, PATTERN:PORT, or both;
 * several may be joined by commas outside brackets. */
enum rc inventory_add_argument(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e);

/* Adds the nodes of a hosts file ("-": standard input): one argument a line,
 * '#' starts a comment. */
enum rc inventory_add_file(
	struct inventory *inv, const char *path, struct arena *arena, struct err *e);

/* Adds a node that is not spoken to (its facts are in a file).  A name that is there
 * already adds nothing. */
enum rc inventory_add_name(
	struct inventory *inv, const char *name, struct arena *arena, struct err *e);

/* Does the argument name a node of the inventory?  RC_INPUT when it cannot be read. */
enum rc inventory_match(const struct inventory *inv, const char *argument, bool *found,
	struct arena *arena, struct err *e);

/* Sets marks[i] for every node that the argument names; RC_INPUT when it names none. */
enum rc inventory_mark(const struct inventory *inv, const char *argument, bool *marks,
	struct arena *arena, struct err *e);

/* Takes out every node that the argument names; RC_INPUT when it names none
 * of them (a typing error must not leave a node in).  A host without a port
 * takes out that host on every port. */
enum rc inventory_exclude(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e);

#endif
