/* inventory.h - who: the nodes of a run, in the order the user named them.
 *
 * Sources: arguments (patterns such as node[01-16], user@host:port), hosts files and
 * Ansible's inventories (docs/inventory.md).  Everything is read first; what is left
 * out, and what the run is limited to, is settled at the end.  An error names argument
 * or file:line:column.
 *
 * Duplicates are folded, the first wins.  Two nodes are the same when host and port
 * are: node01 and root@node01 are one, 127.0.0.1:2201 and 127.0.0.1:2202 are two.  Of
 * a node with an alias the alias counts: one host under two names is two nodes.
 */
#ifndef COORDINATOR_INVENTORY_H
#define COORDINATOR_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	INVENTORY_NODES_MAX = 100 * 1000,
	INVENTORY_FILE_BYTES_MAX = 64 * 1024 * 1024,
};

enum inventory_become {
	INVENTORY_BECOME_AS_RUN,
	INVENTORY_BECOME_YES,
	INVENTORY_BECOME_NO
};

struct inventory_node {
	const char *name; /* as the reports call it: the host (and port) as written, or
			   * the alias */
	const char *host; /* what is resolved */
	const char *user; /* NULL: the run's default */
	uint16_t port;	  /* 0: the run's default */
	bool alias;	  /* the name is not made of host and port */
	const char *identity; /* private key file as written (~ not expanded), in place
			       * of all others; NULL: none of its own */
	enum inventory_become become;
	const char *refused; /* why it cannot be asked; NULL: it can.  Of a settled
			      * inventory no node has one. */
};

struct inventory_group {
	const char *name;
	uint32_t *nodes, *children; /* indices into nodes and groups */
	size_t node_count, child_count;
};

struct names; /* of parts.h */

struct inventory {
	struct inventory_node *nodes; /* {0} is an empty inventory */
	size_t count;

	/* private */
	uint32_t *slots; /* hash table: index + 1 of a node */
	size_t slot_count;
	struct inventory_group *groups; /* their indices hold until it is settled */
	size_t group_count;
	struct names *left_out;
	const char **limits;
	size_t limit_count;
};

/* Adds the nodes of one argument: PATTERN, USER@PATTERN, PATTERN:PORT, or both;
 * several may be joined outside brackets: ',' adds, '!' takes away, '&' keeps what is
 * also there; "^PATTERN" leaves nodes out of the whole run. */
enum rc inventory_add_argument(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e);

/* Adds the nodes of a file ("-": standard input): one argument a line, '#' starts a
 * comment; or what `ansible-inventory --list` prints, when it starts with '{'. */
enum rc inventory_add_file(
	struct inventory *inv, const char *path, struct arena *arena, struct err *e);

/* Adds a node that is not spoken to (its facts are in a file).  A name that is there
 * already adds nothing. */
enum rc inventory_add_name(
	struct inventory *inv, const char *name, struct arena *arena, struct err *e);

/* Adds a node as it was in another inventory.  RC_INPUT when there are too many. */
enum rc inventory_add_node(struct inventory *inv, const struct inventory_node *node,
	struct arena *arena, struct err *e);

/* The same node: of an alias the name, else host and port. */
bool inventory_find(
	const struct inventory *inv, const struct inventory_node *node, size_t *index);

/* Does the argument name a node of the inventory?  RC_INPUT when it cannot be read. */
enum rc inventory_match(const struct inventory *inv, const char *argument, bool *found,
	struct arena *arena, struct err *e);

/* Sets marks[i] for every node that the argument names: patterns joined by commas.
 * RC_INPUT when one of them names none. */
enum rc inventory_mark(const struct inventory *inv, const char *argument, bool *marks,
	struct arena *arena, struct err *e);

/* Leaves out every node that the argument names: patterns joined by commas.  A host
 * without a port is that host on every port. */
enum rc inventory_leave_out(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e);

/* Bytes up to the comma that ends the first word, or to the end.  Commas in brackets belong
 * to a pattern: node[01,03]. */
size_t inventory_word_length(const char *text);

/* Limits the run to the nodes that the argument names, of several arguments to those
 * that any names.  The text is not copied. */
enum rc inventory_limit(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e);

/* Takes out what is left out and what the limit does not name; once, when all has been
 * added.  RC_INPUT: a word names no node of the inventory (a typing error must not
 * leave a node in), or a node that remains cannot be asked. */
enum rc inventory_settle(struct inventory *inv, struct arena *arena, struct err *e);

/* Appends the nodes with a reason as text that inventory_add_file() reads back as they
 * are: lines, or JSON where lines cannot say it.  reasons has one text for each node,
 * NULL where it is not wanted; no node gives no byte.  RC_MEMORY. */
enum rc inventory_write(const struct inventory *inv, const char *const *reasons,
	struct buf *out, struct err *e);

#endif
