/* evidence.h - what was tried, seen and compared, to be kept: docs/evidence.md.
 *
 * The report of --json, and with it every word, property and leaf that a trial guest
 * showed.  What many guests show alike is there once, as a sample with a number.
 */
#ifndef COORDINATOR_EVIDENCE_H
#define COORDINATOR_EVIDENCE_H

#include "coordinator/report/report.h"

/* The times are UTC, RFC 3339; "" unknown.  RC_MEMORY, RC_OUTPUT. */
enum rc evidence_print(FILE *out, const struct report *r, const char *began,
	const char *ended, struct arena *arena, struct err *e);

#endif
