/* nodes.h - inventories as text, for comparing.
 */
#ifndef TESTS_SUPPORT_NODES_H
#define TESTS_SUPPORT_NODES_H

#include "coordinator/inventory/inventory.h"

/* All that is known of each node, joined by blanks:
 * "user@host:port", behind "name=" where that is an alias, before " KEY" and " +become". */
char *nodes_text(struct arena *arena, const struct inventory *inv);

/* The same of what an argument gives, settled; an error as "!text". */
char *nodes_of_argument(struct arena *arena, const char *argument);

/* The same of a file of these bytes; its path in an error is "FILE". */
char *nodes_of_file(struct arena *arena, const void *content, size_t size);

/* Reads a file of these bytes; on failure the path in the error is "FILE". */
enum rc nodes_read(struct inventory *inv, const void *content, size_t size,
	struct arena *arena, struct err *e);

#endif
