#include "proto/frame.h"

#include "proto/limits.h"

enum { HEADER_BYTES = 4 };

static void put_length(uint8_t *header, size_t length)
{
	for (int i = 0; i < HEADER_BYTES; i++)
		header[i] = (uint8_t)(length >> (8 * (HEADER_BYTES - 1 - i)));
}

enum rc frame_put(struct buf *out, enum message_tag tag, const void *value, struct err *e)
{
	static const uint8_t no_length[HEADER_BYTES];
	size_t before = buf_bytes(out).size, length;
	enum rc rc = buf_append(out, no_length, HEADER_BYTES);

	if (rc == RC_LIMIT)
		return err_set(
			e, RC_LIMIT, 0, "more than %zu bytes wait to be sent", out->cap);
	if (rc != RC_OK)
		return err_memory(e);
	rc = codec_encode_message(out, tag, value, e);
	length = buf_bytes(out).size - before - HEADER_BYTES;
	if (rc == RC_OK && length > LIMIT_FRAME_BYTES)
		rc = err_set(e, RC_LIMIT, 0, "a message of %zu bytes, a frame holds %d",
			length, LIMIT_FRAME_BYTES);
	if (rc == RC_OK)
		put_length(out->memory + out->start + before, length);
	else
		out->end = out->start + before;
	return rc;
}

enum rc frame_take(struct buf *in, uint32_t version, struct arena *arena,
	struct message *out, struct err *e)
{
	struct bytes waiting = buf_bytes(in);
	size_t length = 0;
	enum rc rc;

	if (waiting.size < HEADER_BYTES)
		return RC_AGAIN;
	for (int i = 0; i < HEADER_BYTES; i++)
		length = length << 8 | waiting.data[i];
	if (length == 0 || length > LIMIT_FRAME_BYTES)
		return err_set(e, length ? RC_LIMIT : RC_PROTOCOL, 0,
			"a frame of %zu bytes, 1 to %d are accepted", length,
			LIMIT_FRAME_BYTES);
	if (waiting.size - HEADER_BYTES < length)
		return RC_AGAIN;
	rc = codec_decode_message((struct bytes){ waiting.data + HEADER_BYTES, length },
		version, arena, out, e);
	if (rc == RC_AGAIN) /* the frame is whole, so its message should have been */
		return err_set(
			e, RC_PROTOCOL, 0, "a message that ends before its frame does");
	if (rc == RC_OK)
		buf_consume(in, HEADER_BYTES + length);
	return rc;
}
