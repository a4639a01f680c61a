/* journal.h - what a run has to do and how far it is, on disk, so that another process
 * can go on with it.
 *
 * A file FOLDER/RUN.journal, 0600, of text lines; each carries a checksum over itself
 * and all lines before it.  First the plan: the nodes, how they are reached, and every
 * change.  Then, each on disk before the step that it announces, the phases of the run,
 * and which nodes are done with.  The file is locked (flock) by the process that carries
 * the run, so a lock that can be had means that nobody does.
 *
 * A last line that was cut off was never relied on, and is ignored.  Damage in front of
 * it is RC_INPUT with file and line: it is never guessed.  What was not to be written
 * is RC_OUTPUT, and what was there before stays as it was.
 */
#ifndef COORDINATOR_JOURNAL_H
#define COORDINATOR_JOURNAL_H

#include "coordinator/apply/twophase.h"
#include "proto/message.h"

struct journal_node {
	const char *name, *host;
	const char *user, *identity; /* "": none of its own */
	uint16_t port;		     /* 0: none of its own */
	bool alias;
	uint32_t become;	   /* enum inventory_become */
	const struct stage *stage; /* run, holder and linger are the plan's */
	struct texts titles;	   /* of its changes, for people */
	bool over;		   /* nothing of the run is left there */
};

struct journal_plan {
	const char *run, *begun, *holder, *level_name;
	bool linger;
	struct texts options; /* name, value, name, value, ... */
	struct journal_node *nodes;
	size_t count;
	/* as read */
	enum twophase_phase phase; /* PHASE_NONE: no node has heard of it */
	bool committed;		   /* it was once in the phase committing */
};

enum { JOURNAL_SUM_MAX = 16 + 1 };

struct journal {
	const char *path;
	int fd; /* locked; below 0: there is none */
	enum twophase_phase phase;
	char sum[JOURNAL_SUM_MAX]; /* of all lines so far */
	long long size;
};

/* Makes folder (and those above it) and file, writes the plan, locks it.  path lives in
 * the arena. */
enum rc journal_create(struct journal *j, const char *folder,
	const struct journal_plan *plan, struct arena *arena, struct err *e);

/* Locks and reads the journal of a run.  RC_CONFLICT: another process carries it, and
 * *plan says who; RC_INPUT: there is none, or it is damaged. */
enum rc journal_open(struct journal *j, const char *folder, const char *run,
	struct journal_plan *plan, struct arena *arena, struct err *e);

/* The names of all runs that have a journal there; none where there is no folder. */
enum rc journal_list(
	const char *folder, struct texts *runs, struct arena *arena, struct err *e);

/* Before the first request of a phase; and when a node is done with.  They are on disk
 * when this returns RC_OK. */
enum rc journal_enter(struct journal *j, enum twophase_phase phase, struct err *e);
enum rc journal_leave(
	struct journal *j, const size_t *nodes, size_t count, struct err *e);

/* The run has ended everywhere.  journal_close() without it keeps the file. */
enum rc journal_remove(struct journal *j, struct err *e);
void journal_close(struct journal *j);

/* ---- journal_write.c, journal_read.c: the text, for journal.c and its tests */

struct buf;

/* Appends the plan as lines; sum is of them all. */
enum rc journal_write_plan(
	struct buf *out, const struct journal_plan *plan, char *sum, struct err *e);

/* Appends one line: WORD FIELD... */
enum rc journal_write_line(struct buf *out, char *sum, const char *word,
	const struct texts *fields, struct err *e);

/* Reads a whole file; *size is without a last line that was cut off.  path is for
 * errors. */
enum rc journal_read(const char *path, struct bytes text, struct journal_plan *plan,
	char *sum, size_t *size, struct arena *arena, struct err *e);

/* ---- journal_line.c: what a line is made of */

void journal_sum_line(char *sum, struct bytes line);

/* Appends a blank and the field, escaped; splits a line into its fields again (NULL:
 * an escape is wrong, or memory is short). */
enum rc journal_escape(struct buf *out, struct bytes field);
const char *journal_unescape(
	const char *text, size_t length, size_t *size, struct arena *arena);

#endif
