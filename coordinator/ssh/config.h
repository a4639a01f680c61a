/* config.h - the files of ssh_config(5), read once: a list of lines that is walked for
 * each host.
 *
 * Included files stand in the list where they are included.  A Host or Match line knows
 * where its block ends, so that a host that it is not for steps over it, and over what is
 * included there.  Lines that say nothing for cpuherd are checked and left out.
 *
 * ssh refuses all of a file for one wrong line.  Where a line is odd, but need not be
 * wrong (an unknown keyword may be one of a newer ssh), the line says so: ssh is asked
 * before the first host is taken for good, and for each host that the line is for.
 */
#ifndef COORDINATOR_SSH_CONFIG_H
#define COORDINATOR_SSH_CONFIG_H

#include <stdint.h>

#include "coordinator/ssh/keyword.h"
#include "proto/texts.h"

enum {
	CONFIG_DEPTH_MAX = 16, /* of Include, as in ssh */
	CONFIG_FILES_MAX = 4096,
	CONFIG_BYTES_MAX = 64 * 1024 * 1024, /* of all files */
};

enum criterion_kind {
	CRITERION_ALL,
	CRITERION_FINAL,
	CRITERION_CANONICAL,
	CRITERION_HOST,
	CRITERION_ORIGINAL_HOST,
	CRITERION_USER,
	CRITERION_LOCAL_USER,
	CRITERION_ASK,	      /* exec: ssh must be asked, unless one before it is false */
	CRITERION_ASK_ALWAYS, /* the line cannot be read */
};

struct criterion {
	enum criterion_kind kind;
	bool negated;
	const char *patterns;
};

struct config_line {
	const char *file;
	unsigned number; /* 0: the command line, or ssh's answer */
	enum keyword key;
	const char *name;   /* the keyword, as written */
	struct texts words; /* its values */
	const char *oddity; /* ssh must be asked, and why; NULL: it need not */

	/* Host and Match */
	size_t next; /* the line behind the block */
	struct criterion *criteria;
	size_t criterion_count;
	uint32_t *hashes; /* of the words of a Host that are all plain names, or NULL */
	bool asks_for_final; /* a Match final is in here, or in what is included here */
};

struct config {
	struct arena *arena;
	const char *home; /* for ~ */
	struct config_line *lines;
	size_t count;
	const char *odd;    /* the first oddity, with its place; NULL: there is none */
	const char *once;   /* a file that ssh could not read after us; NULL: none */
	const char *source; /* of lines that stand in no file */

	/* while it is read */
	size_t bytes, files;
	size_t open[CONFIG_DEPTH_MAX + 2]; /* index + 1 of the block at each depth */
	unsigned depth;
	bool is_located; /* the error's text says where */
};

enum config_kind {
	CONFIG_USER,   /* ~/.ssh/config: nobody else may write to it; it need not exist */
	CONFIG_NAMED,  /* -F FILE */
	CONFIG_SYSTEM, /* /etc/ssh/ssh_config: need not exist */
};

/* Adds the lines of a file and of those that it includes.  RC_INPUT: file and line. */
enum rc config_add_file(
	struct config *c, const char *path, enum config_kind kind, struct err *e);

/* Adds the line of one -o option; Host, Match and Include are refused with RC_USAGE. */
enum rc config_add_option(struct config *c, const char *text, struct err *e);

/* Adds a line that says this: of another option, or of ssh's answer. */
enum rc config_add_value(
	struct config *c, const char *keyword, const char *value, struct err *e);

/* "FILE:LINE: Keyword: what"; NULL when memory is short. */
const char *config_line_text(
	const struct config_line *line, const char *what, struct arena *arena);

uint32_t config_hash(const char *name);

#endif
