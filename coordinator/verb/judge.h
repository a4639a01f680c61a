/* judge.h - from facts to a level: virt type, offers, baseline, and why features
 * were lost.  Asks no node.
 */
#ifndef COORDINATOR_JUDGE_H
#define COORDINATOR_JUDGE_H

#include "coordinator/verb/run.h"

/* Can each node run guests of each virt type, and why not?  Fills report.nodes. */
void judge_virt_types(struct run *run);

/* One virt type for all nodes: the one asked for, or with auto kvm where all have it,
 * qemu where none has it (and report.virt_note says so).  A mix is refused: RC_FACTS, and
 * each node that lacks the type says why. */
enum rc judge_choose_virt(struct run *run, struct err *e);

/* The offer of every node that has no err for run->virt; a node without one gets an
 * err.  Where libvirt did not make an offer, a remark says so; negotiate takes none
 * but libvirt's. */
enum rc judge_offers(struct run *run, struct err *e);

/* For probe: each node's offer for the best virt type that it has. */
enum rc judge_best_offers(struct run *run, struct err *e);

/* Level and XML of the offers, as wished for.  RC_LEVEL; where vendors are the reason
 * the report then has a pool for each. */
enum rc judge_level(struct run *run, struct err *e);

/* The level as libvirt's <cpu>, for the run's time; "" when that fails. */
enum rc judge_write_xml(
	struct run *run, const struct level *level, const char **out, struct err *e);

/* Adds to the report what is to be said of the level beside features. */
enum rc judge_remarks(struct run *run, struct err *e);

/* Fills report.losses: what some node offers and the level does not hold. */
enum rc judge_explain(struct run *run, struct err *e);

#endif
