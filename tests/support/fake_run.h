/* fake_run.h - a verb from its command line to its end, over the fleet of fake_fleet.h:
 * a Penryn, a Sandy Bridge and a Haswell, as their nodes answered. */
#ifndef TESTS_SUPPORT_FAKE_RUN_H
#define TESTS_SUPPORT_FAKE_RUN_H

#include "tests/support/fake_fleet.h"
#include "tests/support/test.h"

enum { NODES = 3 };

extern struct arena arena; /* of the facts: lives as long as the program */
extern struct node_facts facts[NODES];

/* Reads a file of tests/cases into out. */
void read_node(const char *name, struct node_facts *out);

/* For cmocka_run_group_tests(): the facts. */
int read_facts(void **state);
int forget_facts(void **state);

/* Before each test: every node has its facts, and nothing in its place; no run is left. */
int all_well(void **state);

/* Where run_verb() writes runs down. */
const char *state_folder(void);

/* The same as run_verb() in a process of its own: its exit status; FAKE_DIED when
 * fake_coordinator_dies() was called there.  The nodes are as it left them. */
int run_verb_apart(const char *words);

/* Runs the verb with these words; its standard output goes to *out, if that is wanted. */
enum rc run_verb(const char *words, char **out, struct err *e);

#endif
