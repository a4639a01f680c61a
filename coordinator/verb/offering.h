/* offering.h - what every node of a run offers, and how much that is worth.
 */
#ifndef COORDINATOR_OFFERING_H
#define COORDINATOR_OFFERING_H

#include "coordinator/verb/run.h"

/* What is written, or proven, must be libvirt's own word; to look ahead KVM's will do, and raw CPUID
 * where the user says so. */
enum offer_source offering_weakest(const struct options *o);

/* The offer of every node that has no err for run->virt; a node without one gets an
 * err.  Where libvirt did not make an offer, a remark says so. */
enum rc offering_make(struct run *run, struct err *e);

/* For probe: each node's offer for the best virt type that it has. */
enum rc offering_make_best(struct run *run, struct err *e);

#endif
