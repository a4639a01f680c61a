/* dump_line.h - one line of a dump, but for those of a text section, into the facts. */
#ifndef PROTO_DUMP_LINE_H
#define PROTO_DUMP_LINE_H

#include "proto/dump.h"

/* A dump while it is read. */
struct dump_reader {
	const char *name; /* of the file, for error texts */
	size_t line;
	struct arena *arena;
	struct node_facts *out;
	enum body_id source; /* the open source section; BODY_COUNT: none */
	bool in_text;	     /* a text section is open ... */
	enum body_id text;   /* ... this one; BODY_COUNT: one to be skipped */
	struct buf content;  /* of the open text section */
	struct err *e;
};

/* Takes the line, which is cut into words in place: the facts point into it.  RC_INPUT. */
enum rc dump_line_read(struct dump_reader *r, char *line);

/* RC_INPUT: file and line, what is wrong, and the word that is ("": none). */
enum rc dump_line_bad(struct dump_reader *r, const char *what, const char *word);

/* Appends a zeroed object to a list of the record's structs; NULL: no memory. */
void *dump_line_append(struct dump_reader *r, struct list *list, const struct record *of);

#endif
