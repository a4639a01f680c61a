/* agreement.h - what was agreed before, as a run uses it: the file of --lock.
 *
 * negotiate keeps the level of its lock, check holds nodes against it, admit may have
 * several; prove and rehearse start guests with it where it has all their nodes.  Other
 * verbs have none.
 */
#ifndef COORDINATOR_AGREEMENT_H
#define COORDINATOR_AGREEMENT_H

#include "coordinator/cpu/holds.h"
#include "coordinator/lock/lock.h"
#include "coordinator/verb/run.h"

struct agreement {
	const char *path;
	bool exists;
	struct lock lock;

	/* made of the lock; names, model_rows and sources of the level: holds_meet() */
	struct level level;
	struct ground ground;
	enum virt_type virt;
	const char *xml;
};

/* Reads the files of --lock (cpuherd.lock unless told; none for negotiate's "none"), and
 * takes over the options that they keep.  RC_INPUT; RC_USAGE for what cannot go together. */
enum rc agreement_read(struct run *run, struct err *e);

/* check, prove, rehearse: the nodes of the lock, where the command line names none. */
enum rc agreement_add_nodes(struct run *run, struct err *e);

/* Do the nodes of the run go with the lock?  RC_USAGE. */
enum rc agreement_check_nodes(struct run *run, struct err *e);

/* The first of the options that a lock keeps for all its nodes which this run has
 * otherwise; NULL: none.  RC_MEMORY. */
enum rc agreement_find_change(
	struct run *run, const struct lock *lock, const char **name, struct err *e);

/* Class and node of the run, as the lock would have them.  RC_MEMORY. */
enum rc agreement_describe_class(
	struct run *run, size_t class, struct lock_class *out, struct err *e);
enum rc agreement_describe_node(
	struct run *run, size_t node, struct lock_node *out, struct err *e);

/* Before a run that shall write one: can there be a file?  RC_OUTPUT. */
enum rc agreement_check_writable(struct run *run, struct err *e);

/* After a run that holds on all nodes: the lock, where there shall be one.  RC_OUTPUT. */
enum rc agreement_write(struct run *run, struct err *e);

#endif
