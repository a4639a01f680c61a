#include "peer/stream.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "proto/limits.h"

enum { FRAME_MAX = LIMIT_FRAME_BYTES + 4, CHUNK = 64 * 1024 };

static volatile sig_atomic_t ended_by;

static void on_end(int signal)
{
	ended_by = signal;
}

void stream_open(struct stream *s, int in, int out)
{
	static const int ends[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction end = { .sa_handler = on_end },
			 ignore = { .sa_handler = SIG_IGN };
	sigset_t held;

	*s = (struct stream){ .in = in,
		.out = out,
		.input = buf_with_cap(FRAME_MAX),
		.output = buf_with_cap(2 * FRAME_MAX) };
	ended_by = 0;
	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaction(ends[i], &end, NULL);
		sigaddset(&held, ends[i]);
	}
	/* a write to a closed pipe, or past RLIMIT_FSIZE, shall be an errno */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	sigprocmask(SIG_BLOCK, &held, &s->wait_mask);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigdelset(&s->wait_mask, ends[i]);
}

void stream_close(struct stream *s)
{
	buf_destroy(&s->input);
	buf_destroy(&s->output);
}

/* Waits until the descriptor is ready (or broken: read or write tell). */
static enum rc wait_for(const struct stream *s, int fd, short events, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct timespec patience = { s->patience_ms / 1000,
		s->patience_ms % 1000 * 1000000L };
	int ready = -1;

	while (!ended_by && ready < 0) {
		ready = ppoll(&p, 1, s->patience_ms ? &patience : NULL, &s->wait_mask);
		if (ready < 0 && errno != EINTR)
			return err_set(
				e, RC_INTERNAL, errno, "poll: %s", strerror(errno));
	}
	if (ended_by)
		return err_set(e, RC_INTERRUPTED, 0, "ended by signal %d (%s)",
			(int)ended_by, strsignal(ended_by));
	if (ready == 0)
		return err_set(e, RC_TIMEOUT, 0,
			"the coordinator was silent for %g s in the middle of a run",
			s->patience_ms / 1000.0);
	return RC_OK;
}

/* More input; RC_AGAIN at its end. */
static enum rc read_some(struct stream *s, struct err *e)
{
	static uint8_t chunk[CHUNK];
	size_t room = FRAME_MAX - buf_bytes(&s->input).size;
	enum rc rc = wait_for(s, s->in, POLLIN, e);
	ssize_t n;

	if (rc != RC_OK)
		return rc;
	n = read(s->in, chunk, room < CHUNK ? room : CHUNK);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return RC_OK;
	if (n < 0)
		return err_set(e, RC_INTERRUPTED, errno, "input: %s", strerror(errno));
	if (n == 0)
		return RC_AGAIN;
	return buf_append(&s->input, chunk, (size_t)n) == RC_OK ? RC_OK : err_memory(e);
}

enum rc stream_take(struct stream *s, uint32_t version, struct arena *arena,
	struct message *out, struct err *e)
{
	enum rc rc = frame_take(&s->input, version, arena, out, e);

	while (rc == RC_AGAIN) {
		rc = read_some(s, e);
		if (rc == RC_AGAIN && buf_bytes(&s->input).size)
			return err_set(e, RC_PROTOCOL, 0,
				"the input ended in the middle of a message");
		if (rc != RC_OK)
			return rc;
		rc = frame_take(&s->input, version, arena, out, e);
	}
	return rc;
}

enum rc stream_flush(struct stream *s, struct err *e)
{
	while (buf_bytes(&s->output).size) {
		struct bytes waiting = buf_bytes(&s->output);
		enum rc rc = wait_for(s, s->out, POLLOUT, e);
		ssize_t n;

		if (rc != RC_OK)
			return rc;
		/* so much fits into a pipe that is ready: the write will not block */
		n = write(s->out, waiting.data,
			waiting.size < PIPE_BUF ? waiting.size : PIPE_BUF);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return err_set(
				e, RC_OUTPUT, errno, "output: %s", strerror(errno));
		if (n > 0)
			buf_consume(&s->output, (size_t)n);
	}
	return RC_OK;
}

bool stream_has_ended(int in)
{
	/* no event of input: what waits to be read is no end */
	struct pollfd p = { .fd = in, .events = POLLRDHUP };

	return poll(&p, 1, 0) > 0;
}
