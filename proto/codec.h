/* codec.h - records to bytes and back, by walking their tables.
 *
 * The only user of msgpack-c.  Decoding trusts nothing: lengths, counts and
 * depth are held against proto/limits.h before memory is taken, texts are
 * checked for NUL bytes, integers for their range.
 */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "proto/message.h"

/* Appends the record (a msgpack array of its fields) to out. */
enum rc codec_encode(
	struct buf *out, const struct record *record, const void *value, struct err *e);

/* Fills *value (a struct of the record's kind) from exactly these bytes;
 * texts and lists are copied into the arena.  A field whose since is at most
 * version must be there; fields past the table are skipped; fields newer than
 * the sender stay zero (texts "").
 * RC_AGAIN: the bytes are the strict prefix of a record.  RC_PROTOCOL, RC_LIMIT,
 * RC_MEMORY as they say. */
enum rc codec_decode(const struct record *record, struct bytes in, uint32_t version,
	struct arena *arena, void *value, struct err *e);

/* A whole message: [tag, record]. */
enum rc codec_encode_message(
	struct buf *out, enum message_tag tag, const void *value, struct err *e);

struct message {
	const struct message_type *type;
	void *value; /* the struct that type->record describes, in the arena */
};

/* As codec_decode(); an unknown tag is RC_PROTOCOL and says which. */
enum rc codec_decode_message(struct bytes in, uint32_t version, struct arena *arena,
	struct message *out, struct err *e);

#endif
