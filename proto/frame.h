/* frame.h - messages on a byte stream: four bytes of length (big-endian), then
 * that many bytes of one message.  A length of 0 or above LIMIT_FRAME_BYTES is
 * refused as soon as its four bytes are there.
 */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include "proto/codec.h"

/* Appends one framed message to out. */
enum rc frame_put(
	struct buf *out, enum message_tag tag, const void *value, struct err *e);

/* Takes one message from the front of in, which shrinks by the frame.
 * RC_AGAIN: no whole frame yet, nothing was taken.  Any other failure is final
 * for the stream: the two ends no longer agree on where frames begin. */
enum rc frame_take(struct buf *in, uint32_t version, struct arena *arena,
	struct message *out, struct err *e);

#endif
