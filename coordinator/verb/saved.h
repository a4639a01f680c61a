/* saved.h - facts in files: what --from reads and --save writes.
 *
 * A node is a file NAME.facts or NAME.txt; its name is the file's.
 */
#ifndef COORDINATOR_SAVED_H
#define COORDINATOR_SAVED_H

#include "coordinator/inventory/inventory.h"
#include "proto/facts.h"

/* Adds a node for each facts file of the folder, sorted by name; path may be one file.
 * RC_INPUT when there is none. */
enum rc saved_list(
	struct inventory *inv, const char *path, struct arena *arena, struct err *e);

/* Reads the facts of a node that saved_list() found at path.  RC_INPUT with file and
 * line. */
enum rc saved_read(const char *path, const char *name, struct arena *arena,
	struct node_facts *out, struct err *e);

/* Writes FOLDER/NAME.facts (by a temporary file and rename: never half of one).
 * RC_OUTPUT.  saved_make_folder() makes the folder where it is missing. */
enum rc saved_make_folder(const char *folder, struct err *e);

/* Takes the file of the node's name into *files; RC_INPUT when another node has it
 * already ("a:1" and "a-1" are both a-1.facts): one would overwrite the other. */
enum rc saved_claim(
	struct inventory *files, const char *name, struct arena *arena, struct err *e);
enum rc saved_write(
	const char *folder, const char *name, const struct node_facts *f, struct err *e);

#endif
