/* said.h - what check found, as remarks: equal changes are said once, with all their nodes.
 */
#ifndef COORDINATOR_SAID_H
#define COORDINATOR_SAID_H

#include "coordinator/verb/run.h"

/* Of the changes of all nodes' checks, in the order of their first nodes. */
enum rc said_changes(struct run *run, struct err *e);

/* That facts are from files, so that no libvirt was asked and no place was looked at. */
enum rc said_not_asked(struct run *run, struct err *e);

#endif
