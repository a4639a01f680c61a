/* gather.h - the facts of all nodes: asked of a fleet, or read from files.
 *
 * Big facts travel once per class: every node says the digests of its bulky parts, and
 * each distinct body is asked of one node that has it.  When that node fails, the next
 * one that has it is asked.  A body is held against its digest before anyone uses it.
 */
#ifndef COORDINATOR_GATHER_H
#define COORDINATOR_GATHER_H

#include "coordinator/verb/run.h"

/* Asks (or reads), and fills run->facts; a node without all of its facts has an err
 * afterwards.  hold: the nodes will be asked again.  Fails only when the run itself cannot
 * go on. */
enum rc gather_facts(struct run *run, bool hold, struct err *e);

#endif
