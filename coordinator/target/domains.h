/* domains.h - the level as the <cpu> of domains: what the files of that target share. */
#ifndef COORDINATOR_TARGET_DOMAINS_H
#define COORDINATOR_TARGET_DOMAINS_H

#include "coordinator/target/target.h"

/* Does the domain's <cpu> that was read back mean what was to be written? */
bool domains_read_as(const struct edit *edit, struct bytes content);

/* `domain "web1"`, fit for a terminal; NULL when memory is short. */
const char *domains_title(const struct domain *d, struct arena *arena);

/* Remarks on the chosen domains of a node that go on with another CPU than the level's:
 * those that run or were saved, and of those that run what exceeds the level. */
enum rc domains_remark_on_running(const struct planning *p,
	const struct domain *const *chosen, size_t count, struct err *e);

#endif
