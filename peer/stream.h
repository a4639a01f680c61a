/* stream.h - frames in and out of two descriptors; ends on a signal, too.
 */
#ifndef PEER_STREAM_H
#define PEER_STREAM_H

#include <signal.h>

#include "proto/frame.h"

struct stream {
	int in, out;
	int patience_ms; /* for each wait; 0: no limit */
	struct buf input, output;
	sigset_t wait_mask; /* the signals that may interrupt a wait */
};

/* Signals that mean "end" are held back but while the stream waits, so that no
 * request is cut in two. */
void stream_open(struct stream *s, int in, int out);
void stream_close(struct stream *s);

/* The next message.  RC_AGAIN: the input ended between messages.
 * RC_INTERRUPTED: a signal.  RC_TIMEOUT: patience is over.  RC_PROTOCOL, RC_LIMIT: it is no message, or ended
 * in the middle of one.  RC_MEMORY. */
enum rc stream_take(struct stream *s, uint32_t version, struct arena *arena,
	struct message *out, struct err *e);

/* Has the other end of the descriptor been closed?  Looks without waiting. */
bool stream_has_ended(int in);

/* Sends what frame_put() left in s->output.  RC_OUTPUT, RC_INTERRUPTED, RC_TIMEOUT. */
enum rc stream_flush(struct stream *s, struct err *e);

#endif
