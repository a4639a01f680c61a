/* keeping.h - the nodes of a run against a level that was agreed on before: does it hold
 * there (coordinator/cpu/holds.h), and what does the node's libvirt say?
 */
#ifndef COORDINATOR_KEEPING_H
#define COORDINATOR_KEEPING_H

#include "coordinator/verb/agreement.h"

struct keeping {
	const struct agreement *agreement;
	struct holding *holdings; /* one per class; of those that have an offer */
	const char **refusals;	  /* one per node: why its libvirt said no; NULL */
	bool *unable;		  /* one per node: it cannot run such guests at all */
};

/* Makes the offers for the agreement's virt type, puts its level into the run and judges
 * each class.  A node without an offer has an err. */
enum rc keeping_judge(
	struct run *run, const struct agreement *a, struct keeping *out, struct err *e);

/* The nodes' votes on it; nothing with --from. */
enum rc keeping_vote(struct run *run, struct keeping *k, struct err *e);

/* Why the level does not hold on the node, in one line: "": it does, as far as is known.
 * NULL: out of memory. */
const char *keeping_why(struct run *run, const struct keeping *k, size_t node);

/* Features of the level that it cannot keep. */
struct bitset keeping_lost(const struct run *run, const struct keeping *k, size_t node);

#endif
