/* archive.h - --evidence: the file that a run leaves behind, however it ended. */
#ifndef COORDINATOR_ARCHIVE_H
#define COORDINATOR_ARCHIVE_H

#include "coordinator/verb/run.h"

/* Writes it, all or nothing.  RC_MEMORY, RC_OUTPUT. */
enum rc archive_write(struct run *run, struct err *e);

#endif
