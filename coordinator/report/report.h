/* report.h - all that a run has to say at its end: one plain struct.
 *
 * The verbs fill it as they go, the table and the JSON print it; neither knows how the
 * run was made.  Texts that came from nodes are cleaned by whoever prints them.
 * Nothing here is owned: everything lives in the run's arena or fleet.
 */
#ifndef COORDINATOR_REPORT_H
#define COORDINATOR_REPORT_H

#include <stdio.h>

#include "coordinator/cpu/conditions.h"
#include "coordinator/target/target.h"
#include "proto/message.h"

enum report_vote { REPORT_NO_VOTE, REPORT_YES, REPORT_NO };

#define REPORT_NO_CLASS SIZE_MAX

/* check: what is not as the lock has it. */
struct report_change {
	const char *what;     /* "microcode", "kernel", "config", ... */
	const char *was, *is; /* "": nothing */
};

/* check, admit: a node against what was agreed. */
struct report_check {
	const char *lock; /* the file; admit: that of the pool that takes the node; "" */
	struct report_change *changes;
	size_t change_count;
	struct texts lost; /* features of the level that it does not offer */
	const char *why;   /* the level does not hold here; "" */
	const char *cost;  /* admit: what the level would be with it; "" */
};

/* What trial guests that should be alike show differently. */
struct report_difference {
	const char *what;    /* "CPUID 0x7/0 EBX bit 19", "l3-cache", "<cpu>" */
	const char *feature; /* libvirt's name for it; "" */
	struct texts nodes;  /* that show it so */
	const char *is;	     /* what these show */
	const char *wanted;  /* what the others show, or the level says */
	bool of_level;	     /* it is the level that says so */
};

/* rehearse: a trial guest on its way from one node to another. */
struct report_migration {
	const char *source, *target;
	const struct tried *before;	 /* the guest at the source; NULL: none started */
	const struct migrated *migrated; /* the source's words; NULL: it gave none */
	const struct met *met;		 /* the target's; NULL: it gave none */
	bool ok, ran;	   /* it is there and unchanged; it ran all the time */
	const char *why;   /* it failed: one line; "" */
	const char *cause; /* the likely cause, and what to do; "" */
};

struct report_node {
	const char *name;
	size_t class; /* a number that nodes with equal facts share; REPORT_NO_CLASS */
	size_t kind;  /* the same, where the frequency of the TSC does not count */
	const struct node_facts *facts;	  /* NULL: they never came */
	bool virt[VIRT_COUNT];		  /* guests of this type can run here */
	const char *virt_why[VIRT_COUNT]; /* the reason where they cannot */
	const struct offer *offer;	  /* NULL: none could be derived */
	enum report_vote vote;		  /* its last */
	struct texts refused;		  /* what its noes took out, over all rounds */
	const char *outcome;		  /* "": nothing was to be done here */
	struct edits edits;		  /* what was, or would be, written */
	const struct report_check *check; /* NULL: not held against a lock */
	const struct tried *trial;	  /* its trial guest; NULL: none was started */
	const char *proof; /* "equal", "differs", "refused"; "": not compared */
	const char *note;  /* what to do about the outcome; "" */
	struct err err;	   /* the first thing that went wrong */
};

/* A feature that some node offers and the level does not hold. */
struct report_loss {
	const char *feature;
	struct texts lacked_by;	 /* nodes that do not offer it */
	struct texts refused_by; /* nodes whose vote took it out */
};

/* What else the user should know before trusting the level. */
struct report_remark {
	bool warning;	    /* else a note */
	const char *about;  /* one word: "tsc", "mitigations", ... */
	const char *text;   /* one line, without the names of nodes */
	struct texts nodes; /* whom it is about; empty: all */
};

/* Where vendors differ there is no level for all: what each vendor's nodes could have. */
struct report_pool {
	const char *vendor; /* as in struct offer; "": unknown */
	const char *title;  /* the same for people */
	struct texts nodes;
	const struct level *level; /* NULL: none, for the reason in err */
	const char *xml;	   /* "" */
	const char *without;	   /* all other nodes, as --without takes them */
	struct err err;
};

struct report {
	const char *verb;
	bool dry_run;
	bool conflicts; /* the edits are what somebody else changed under the run */
	struct report_node *nodes;
	size_t count;
	const char *virt;	     /* "kvm"; "": not decided */
	const char *virt_note;	     /* why not kvm; "" */
	const struct wishes *wishes; /* NULL: the verb has no level */
	const struct level *level;   /* NULL: none was reached */
	const char *level_name;
	const char *xml; /* the level as libvirt reads it; "" */
	const struct catalogue *catalogue;
	uint32_t rounds;
	bool explains;		    /* losses were worked out */
	struct report_loss *losses; /* cheapest first: by number of nodes, then name */
	size_t loss_count;
	const struct conditions *conditions; /* NULL: they were not looked at */
	struct report_remark *remarks;
	size_t remark_count;
	struct report_pool *pools;
	size_t pool_count;
	struct report_difference *differences;
	size_t difference_count;
	size_t words, properties; /* of trial guests, that were compared */
	const char *
		pairs; /* rehearse: "a ring", "a sample (7 of 90 pairs, --seed 17)"; "" */
	struct report_migration *migrations;
	size_t migration_count;
	const char *summary; /* one line; "" */
	struct err err;	     /* of the run as a whole */
};

/* How many nodes have an error, and the code that decides the exit status: the
 * first in the order of RC_LIST. */
size_t report_failures(const struct report *r, enum rc *code);

/* An order in which errors that say the same are 0. */
int report_compare_errors(const struct err *a, const struct err *b);

/* Is what would be written on the node to be shown: by a dry run, or because it would
 * overwrite somebody else's and was not? */
bool report_shows_edits(const struct report *r, const struct report_node *n);

/* What the vote and the level are called. */
const char *report_vote_name(enum report_vote vote); /* "", "yes", "no" */
size_t report_policy_count(const struct level *l, enum policy policy);

/* "9.0.0" of 9000000; "" of 0. */
const char *report_version(struct arena *arena, uint64_t version);

/* The whole report for people.  RC_OUTPUT when out cannot be written to. */
enum rc table_print(FILE *out, const struct report *r, bool colours, struct arena *arena,
	struct err *e);

/* The whole report as one JSON object (docs/json.md): equal reports give equal
 * bytes. */
enum rc json_print(FILE *out, const struct report *r, struct arena *arena, struct err *e);

/* The same for the verb version. */
enum rc json_print_version(FILE *out, const char *catalogue, uint32_t protocol,
	const char *libssh2, struct err *e);

/* The table of exit codes that docs/errors.md holds. */
void errors_print(FILE *out);

#endif
