/* fields.h - the parts of a lock as tables: what lock_parse() takes and lock_print() gives
 * cannot differ.
 */
#ifndef COORDINATOR_LOCK_FIELDS_H
#define COORDINATOR_LOCK_FIELDS_H

#include <jansson.h>

#include "coordinator/lock/lock.h"

enum field_kind { FIELD_TEXT, FIELD_TEXTS, FIELD_NUMBER };

/* What a text must be. */
typedef bool field_check(const char *text);

struct field_row {
	const char *key;
	enum field_kind kind;
	size_t offset;
	field_check *check;
};

/* Each ends with a row without a key. */
extern const struct field_row lock_level_fields[], lock_class_fields[],
	lock_node_fields[], lock_option_fields[], lock_writing_fields[];

bool field_is_name(const char *text);	/* text_is_name() */
bool field_is_key(const char *text);	/* of a class or a writing */
bool field_is_digest(const char *text); /* 64 hexadecimal digits */

/* The object of a record; NULL: out of memory. */
json_t *fields_write(const struct field_row *rows, const void *record);

/* The record of an object, which has these keys and no others.  RC_INPUT: `what` and the
 * key. */
enum rc fields_read(const struct field_row *rows, const json_t *object, const char *what,
	struct arena *arena, void *record, struct err *e);

/* SHA-256 of a value's compact text; false: out of memory. */
bool fields_digest(const json_t *value, char hex[static 65]);

#endif
