/* vote.h - the negotiation: every node tries the level on its own libvirt.
 *
 * A no that names features of the level takes them out, and a new round starts; each
 * round that goes on has removed a feature, so the rounds end.  A no that names nothing
 * that could be taken out is that node's err (RC_VOTE).
 *
 * With --vote trial each node then starts a guest with the level (trial.h).  A feature of
 * the level that some guest has not leaves it as by a no; what no level can cure is an err
 * (RC_TRIAL).
 */
#ifndef COORDINATOR_VOTE_H
#define COORDINATOR_VOTE_H

#include "coordinator/verb/run.h"

/* RC_OK: every node voted yes to run->level (which may be smaller than before). */
enum rc vote_until_unanimous(struct run *run, struct err *e);

/* One round on run->report.xml as it is; nodes without an offer are not asked.  why[node]
 * becomes the reason of a no.  A node that cannot vote has an err. */
enum rc vote_once(struct run *run, const char **why, struct err *e);

/* A round of trial guests with run->report.xml.  Adds to *removed what must leave the
 * level; NULL: it is as it is.  RC_TRIAL: it is not what they got. */
enum rc vote_by_trial(struct run *run, struct bitset *removed, struct err *e);

#endif
