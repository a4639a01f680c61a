/* The table: what trial guests show. */
#include <string.h>

#include "coordinator/report/groups.h"
#include "coordinator/report/printer.h"
#include "coordinator/report/utf8.h"

enum { LINES_MAX = 40 };

/* "CPUID 0x7/0 EBX bit 19 (adx) is 1, the level says 0: node02" */
static void difference_print(const struct printer *p, const struct report_difference *d)
{
	bool named = d->feature[0] && strcmp(d->feature, d->what) != 0;

	fprintf(p->out, "%s%s%s%s is ", utf8_clean(p->arena, d->what), named ? " (" : "",
		utf8_clean(p->arena, named ? d->feature : ""), named ? ")" : "");
	fprintf(p->out, "%s, %s %s: ", utf8_clean(p->arena, d->is),
		d->of_level ? "the level says" : "and not",
		utf8_clean(p->arena, d->wanted));
	fprintf(p->out, "%s\n", utf8_clean(p->arena, groups_names(&d->nodes, p->arena)));
}

void printer_differences(const struct printer *p)
{
	const struct report *r = p->report;

	if (r->difference_count)
		fprintf(p->out, "\nwhat the trial guests show differently:\n");
	for (size_t i = 0; i < r->difference_count && i < LINES_MAX; i++)
		difference_print(p, &r->differences[i]);
	if (r->difference_count > LINES_MAX)
		fprintf(p->out, "and %zu more, which --json has\n",
			r->difference_count - LINES_MAX);
}
