/* writer.h - what the parts of the JSON share (json.c, json_nodes.c,
 * json_trials.c, evidence.c). */
#ifndef COORDINATOR_WRITER_H
#define COORDINATOR_WRITER_H

#include <jansson.h>

#include "coordinator/report/report.h"

/* Every json_*() that is short of memory returns NULL, and NULL put anywhere is
 * refused: so one flag catches them all. */
struct writer {
	struct arena *arena;
	bool folds; /* a run of many: names are folded to patterns */
	bool failed;
};

/* Both take the value over. */
void writer_put(struct writer *w, json_t *object, const char *key, json_t *value);
void writer_add(struct writer *w, json_t *array, json_t *value);

json_t *writer_text(struct writer *w, const char *text);
/* null where there is nothing to say. */
json_t *writer_text_or_null(struct writer *w, const char *text);
/* The same; lines stay lines. */
json_t *writer_xml(struct writer *w, const char *text);
json_t *writer_texts(struct writer *w, const struct texts *list);
/* Names of nodes. */
json_t *writer_names(struct writer *w, const struct texts *names);
/* Names of features: bits have no meaning outside one run. */
json_t *writer_set(struct writer *w, const struct catalogue *c, const struct bitset *set);
/* null where all went well. */
json_t *writer_error(struct writer *w, const struct err *err);

/* json_nodes.c: puts "nodes" and "groups" into the object: nodes that stand alone, and in a
 * run of many the groups of those that do not. */
void writer_put_nodes(struct writer *w, const struct report *r, json_t *object);

/* json_trials.c: null for NULL; and puts "compared", "differences", "pairs"
 * and "migrations". */
json_t *writer_trial(struct writer *w, const struct tried *t);
void writer_put_trials(struct writer *w, const struct report *r, json_t *object);

/* json.c: the whole report. */
json_t *writer_report(struct writer *w, const struct report *r);

/* Takes the object over, and prints it unless something has failed.  RC_MEMORY,
 * RC_OUTPUT. */
enum rc writer_print(struct writer *w, FILE *out, json_t *object, struct err *e);

#endif
