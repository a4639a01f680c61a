/* printer.h - what the parts of the table share (table.c, nodes.c, migrations.c,
 * changes.c). */
#ifndef COORDINATOR_PRINTER_H
#define COORDINATOR_PRINTER_H

#include "coordinator/report/report.h"

struct printer {
	FILE *out;
	const struct report *report;
	bool colours;
	struct arena *arena;
};

/* The table itself: a line a node, or in a run of many a line for those that are alike. */
enum rc printer_nodes(const struct printer *p, struct err *e);

/* What trial guests show differently, a line each.  Nothing where nothing differs. */
void printer_differences(const struct printer *p);

/* rehearse: its own table, and under it what failed, and why. */
enum rc printer_migrations(const struct printer *p, struct err *e);

/* What would be written, as unified differences: equal ones once, with all their nodes.
 * Nothing where there is nothing to show. */
enum rc printer_changes(const struct printer *p, struct err *e);

#endif
