/* journal.h - lines that outlive the process: each is on disk before what it announces.
 *
 * A line is a checksum (of its number and its text), a word, and fields KEY=VALUE; in
 * values all bytes but printable ASCII are written %XX.  The first lines come into being
 * together (by rename), the others are appended.  The last line may be torn: then it was
 * never said.  Anything else that is not as it was written is damage, and is refused:
 * nobody guesses what a node's files should be.
 *
 * Text and fields know nothing of runs: notes.h does.
 */
#ifndef PEER_JOURNAL_H
#define PEER_JOURNAL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"

extern const char journal_file[]; /* in the folder of the run */

struct journal {
	int fd;		    /* -1: not open */
	size_t size, lines; /* what is good in the file, and on disk */
};

/* Lines that are being put together. */
struct journal_draft {
	struct buf text; /* with a cap; freed by the caller */
	size_t start;	 /* of the last line, in text */
	enum rc rc;	 /* the first failure */
};

struct journal_draft journal_draft(void);
void journal_word(struct journal_draft *d, const char *word);
void journal_text(struct journal_draft *d, const char *key, const char *value);
void journal_number(struct journal_draft *d, const char *key, uint64_t value);
void journal_digest(struct journal_draft *d, const char *key, const struct digest *value);

/* Makes the journal, with these as its first lines.  RC_PLACE, RC_MEMORY. */
enum rc journal_create(
	struct journal *j, int folder, struct journal_draft *first, struct err *e);

/* Appends, and returns when it is on disk.  After a failure the journal is as before.
 * RC_PLACE, RC_MEMORY. */
enum rc journal_append(struct journal *j, struct journal_draft *lines, struct err *e);

/* One line of a word and a field, from a signal handler: system calls only.  What a
 * line that was cut short by the signal left is overwritten.  0 or an errno. */
int journal_append_now(
	struct journal *j, const char *word, const char *key, const char *value);

void journal_close(struct journal *j);

/* ---- reading */

enum { JOURNAL_SUM_DIGITS = 16 };

/* In front of the text that is the line of that number, from 0. */
void journal_sum(size_t number, const char *text, size_t size,
	char sum[static JOURNAL_SUM_DIGITS + 1]);

struct journal_line {
	const char *word;
	const char **fields; /* KEY, VALUE, KEY, VALUE, ..., NULL */
};

struct journal_text {
	struct journal_line *line;
	size_t count, size; /* size: bytes of the good lines */
	bool exists;
};

/* All good lines; the path is for messages.  RC_CONFLICT: damaged; RC_PLACE, RC_LIMIT,
 * RC_MEMORY. */
enum rc journal_read(int folder, const char *path, struct arena *arena,
	struct journal_text *out, struct err *e);

/* Opens what was read, for more lines.  RC_PLACE. */
enum rc journal_open(
	struct journal *j, int folder, const struct journal_text *read, struct err *e);

/* The value of a field; NULL: there is none.  The others: false, too, when it is
 * something else. */
const char *journal_get(const struct journal_line *l, const char *key);
bool journal_get_number(const struct journal_line *l, const char *key, uint64_t *out);
bool journal_get_digest(
	const struct journal_line *l, const char *key, struct digest *out);

#endif
