/* classes.h - nodes whose facts are equal are judged once.
 *
 * Ten thousand nodes are a handful of machines: offers and conditions are worked out for
 * each class, and what is said of a class is said of its nodes, by name, in the order of
 * the run.
 */
#ifndef COORDINATOR_CLASSES_H
#define COORDINATOR_CLASSES_H

#include "coordinator/verb/run.h"

/* Makes the classes of the nodes that have facts and no err, in the order of their first
 * nodes. */
enum rc classes_make(struct run *run, struct err *e);

/* Appends the names of the nodes whose class is marked. */
enum rc classes_add_names(
	struct run *run, const bool *of, struct texts *out, struct err *e);

#endif
