/* loss.h - what the level costs: who lacks or refused which feature.
 */
#ifndef COORDINATOR_LOSS_H
#define COORDINATOR_LOSS_H

#include "coordinator/verb/run.h"

/* Fills report.losses: what some node offers and the level does not hold. */
enum rc loss_explain(struct run *run, struct err *e);

#endif
