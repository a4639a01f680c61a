/* table.h - how a record is described: data that the codec, docs/protocol.md,
 * the fuzz dictionary and the tests walk.
 *
 * A record travels as a msgpack array of its fields in the order of the table.
 * Fields are only ever added at the end, with the protocol version that brought
 * them; a reader skips fields it does not know.
 */
#ifndef PROTO_TABLE_H
#define PROTO_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Many strings: item is an array of NUL-terminated texts. */
struct texts {
	const char **item;
	size_t count;
};

/* Many records: item points to an array of the struct that the table names. */
struct list {
	void *item;
	size_t count;
};

/* X(type, C type, on the wire): the types that a field may have */
#define FIELD_TYPES(X) \
	X(u32, uint32_t, "integer below 2^32") \
	X(u64, uint64_t, "integer below 2^64") \
	X(flag, bool, "boolean") \
	X(text, const char *, "string without NUL") \
	X(bytes, struct bytes, "binary") \
	X(texts, struct texts, "array of strings")

enum field_type {
#define TYPE_ENUM(type, c, wire) TYPE_##type,
	FIELD_TYPES(TYPE_ENUM)
#undef TYPE_ENUM
		TYPE_list, /* array of records of the kind `of` */
};

struct record;

struct field {
	const char *name;
	enum field_type type;
	size_t offset;		 /* of the member in the record's struct */
	const struct record *of; /* lists only */
	uint32_t since;		 /* protocol version that brought it */
	const char *meaning;
};

struct record {
	const char *name;
	size_t size; /* of the struct */
	const struct field *fields;
	size_t field_count;
};

#endif
