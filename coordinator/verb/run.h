/* run.h - what the steps of a verb share: the nodes, the fleet, and the report.
 *
 * A verb is a list of steps (gather, judge, vote, push).  A step returns RC_OK when the
 * run can go on; what a node did wrong is in that node's err, and run_blame() makes it
 * the run's error.  run_end() prints the report, whatever happened, and frees.
 */
#ifndef COORDINATOR_RUN_H
#define COORDINATOR_RUN_H

#include "coordinator/cpu/conditions.h"
#include "coordinator/report/report.h"
#include "coordinator/ssh/ssh_config.h"
#include "coordinator/verb/document.h"
#include "coordinator/verb/options.h"
#include "coordinator/verb/sources.h"

/* Nodes whose facts are equal but for what each says of itself alone. */
struct run_class {
	const char **names; /* in the order of the run */
	size_t *places;	    /* of the same nodes */
	size_t count;
	size_t kind; /* the first class whose facts differ by the TSC at most */
};

struct agreement;

struct run {
	const struct options *options; /* with what the lock adds to them */
	struct arena arena;	       /* lives until run_end() */
	const char *began;	       /* UTC; NULL: memory was short */
	struct inventory inventory;
	struct ssh_options ssh_options;
	const struct ssh_settings **settings; /* one per node; NULL with --from */
	struct fleet_options fleet_options;
	struct fleet *fleet;	   /* NULL with --from */
	bool *traced;		   /* one per node: --trace */
	struct sources sources;	   /* of --from */
	struct node_facts *facts;  /* one per node */
	struct report_node *nodes; /* one per node; the same as report.nodes */
	size_t count;
	struct report report;

	/* by classes_make(): nodes[i].class is a place in these */
	struct run_class *classes;
	struct node_facts *class_facts;
	size_t class_count;

	/* judge */
	struct catalogue *catalogue;
	const struct bitset_ops *ops;
	enum virt_type virt;
	struct offer *offers;	    /* one per class; node is NULL: none */
	enum virt_type *offer_virt; /* for which it was made */
	struct wishes wishes;

	/* what was agreed before (agreement.h): --lock */
	struct agreement *agreements;
	size_t agreement_count;
	const struct agreement *agreed; /* whose level this run is about; NULL: none's */
	struct texts
		missing; /* nodes of the lock that are not in this run, nor dropped */

	/* where the level goes */
	const struct target *targets[8];
	size_t target_count;
	struct survey *surveys; /* one per node, by survey_ask() */
	struct texts units;	/* that commit restarts (proto/unit.h) */

	const char
		*trial_run; /* name of its trial guests (trial.h); NULL: there are none */

	struct conditions conditions;
	struct level level;
	struct document document; /* of --as */
};

/* Takes the nodes from the options (or their files, with --from), makes the fleet. */
enum rc run_begin(struct run *run, const struct options *options, struct err *e);

/* The same over nodes that are known already, whatever the options name; none: for the
 * report alone. */
enum rc run_begin_on(struct run *run, const struct options *options,
	const struct inventory_node *nodes, size_t count, struct err *e);

/* One fleet_round(); a node's failure becomes its err.  The nodes that have one are
 * never asked: ask() is not even called for them. */
enum rc run_round(
	struct run *run, const struct fleet_call *call, void *context, struct err *e);

/* Takes over what the fleet says of each node that is still without an err. */
void run_take_errors(struct run *run);

/* Is the node still part of the run? */
bool run_has(const struct run *run, size_t node);

/* RC_OK when no node has failed; else the code of the worst, and one line that names
 * nodes and says `consequence` ("nothing was written"). */
enum rc run_blame(struct run *run, const char *consequence, struct err *e);

/* "node01, node02 and 3 more" of the nodes that pick() says. */
const char *run_names(struct run *run, bool (*pick)(const struct report_node *n));

/* Adds a remark to the report, on these nodes (none: on all).  The texts live as long
 * as the run. */
enum rc run_remark_of(struct run *run, bool warning, const char *about,
	struct texts nodes, const char *text, struct err *e);

/* Nothing is asked any more: Ctrl-C ends what is left, at the second time. */
void run_rounds_over(struct run *run);

/* Prints the report with the outcome *e of the run, writes --failed and --evidence, frees
 * everything, and returns the outcome.  With --as it prints the document alone, and on standard error the remarks,
 * or the report of a run that went wrong.  RC_OUTPUT when it
 * was well but could not be printed. */
enum rc run_end(struct run *run, enum rc rc, struct err *e);

#endif
