/* saved.h - facts written to files: what --save does.  sources.h reads them.
 *
 * A node is a file NAME.facts.
 */
#ifndef COORDINATOR_SAVED_H
#define COORDINATOR_SAVED_H

#include "coordinator/inventory/inventory.h"
#include "proto/facts.h"

/* A node's name as a file name, which is a node's name too: [::1]:22 becomes _--1_-22.
 * NULL when memory is short. */
char *saved_file_name(struct arena *arena, const char *name);

/* RC_OUTPUT. */
enum rc saved_make_folder(const char *folder, struct err *e);

/* Takes the file of the node's name into *files; RC_INPUT when another node has it
 * already ("a:1" and "a-1" are both a-1.facts): one would overwrite the other. */
enum rc saved_claim(
	struct inventory *files, const char *name, struct arena *arena, struct err *e);

/* Writes FOLDER/NAME.facts.  RC_OUTPUT. */
enum rc saved_write(
	const char *folder, const char *name, const struct node_facts *f, struct err *e);

#endif
