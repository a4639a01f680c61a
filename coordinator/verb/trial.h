/* trial.h - guests that are started to see what a level becomes: on every node one,
 * diskless, netless and of the smallest memory, through the node's own libvirt.
 */
#ifndef COORDINATOR_TRIAL_H
#define COORDINATOR_TRIAL_H

#include "coordinator/verb/run.h"

/* The <cpu> to try, into run->report.xml: --cpu FILE as it stands; else run->level: the
 * lock's where there is one that has these nodes, or one made of the offers, as wished.
 * Nodes that cannot run such guests have an err.  RC_INPUT: the file; RC_LEVEL, RC_FACTS. */
enum rc trial_take_level(struct run *run, struct err *e);

/* Names the run's guests, and chooses their machine type: the newest that all nodes
 * have.  Once, when the level is known. */
enum rc trial_begin(struct run *run, struct err *e);

/* What all requests of the run to a node say; guest, runs and stays are the caller's. */
void trial_fill(const struct run *run, size_t node, struct try *out);

/* A paused guest on every node, all at once; each is gone before its node answers.
 * nodes[i].trial is what the node said, whatever that was, and not yet checked.  Files that
 * were left behind are a remark. */
enum rc trial_ask(struct run *run, struct err *e);

/* What came of them: nodes[i].proof, report.differences, and RC_TRIAL as err of the nodes
 * that are named there, that refused, or whose guest could not be looked at (proof_check()).
 *
 * With `removed`, features of the level that some guest has not, or for which some libvirt
 * refused it, are added to it instead, as if the node had voted no; where there are any,
 * the rest is not judged: another level may cure it. */
enum rc trial_compare(struct run *run, struct bitset *removed, struct err *e);

/* "Penryn +12 -3, kvm": what all of them got.  "" when memory is short. */
const char *trial_cpu_text(struct run *run);

#endif
