#include "peer/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* ---- in the child */

/* What the parent does at these is nothing for its child. */
static void forget_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, SIGALRM, SIGPIPE };
	sigset_t none;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_child(
	child_fn *run, const void *context, size_t cap, int answer, pid_t parent)
{
	struct buf out = buf_with_cap(cap);

	forget_signals();
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* it may have died before it was asked to take us with it */
	if (getppid() != parent)
		_exit(1);
	run(context, &out);
	_exit(file_write_all(answer, buf_bytes(&out)) == 0 ? 0 : 1);
}

/* ---- in the parent */

enum rc child_start(
	struct child *c, child_fn *run, const void *context, size_t cap, struct err *e)
{
	pid_t parent = getpid();
	int ends[2];

	*c = (struct child){ .answer = -1, .said = buf_with_cap(cap) };
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(e, RC_TARGET, errno, "a pipe: %s", strerror(errno));
	c->pid = fork();
	if (c->pid == 0)
		run_child(run, context, cap, ends[1], parent);
	close(ends[1]);
	c->answer = ends[0];
	if (c->pid > 0)
		return RC_OK;
	err_set(e, RC_TARGET, errno, "a process: %s", strerror(errno));
	child_end(c);
	return e->code;
}

/* One wait, of at most so long. */
static enum rc wait_once(
	const struct child *c, const struct child_wait *wait, long left_ms, struct err *e)
{
	const struct timespec left = { left_ms / 1000, left_ms % 1000 * 1000000L };
	/* no input is wanted of the caller, but poll() tells when it has hung up */
	struct pollfd p[] = { { .fd = c->answer, .events = POLLIN },
		{ .fd = wait->caller, .events = POLLRDHUP } };
	int ready = ppoll(p, 2, &left, wait->mask);

	if (ready < 0 && errno != EINTR)
		return err_set(e, RC_INTERNAL, errno, "poll: %s", strerror(errno));
	if (ready < 0)
		return err_set(e, RC_INTERRUPTED, 0, "ended by a signal");
	if (p[0].revents)
		return RC_OK;
	if (p[1].revents)
		return err_set(e, RC_INTERRUPTED, 0, "the coordinator left");
	return RC_AGAIN;
}

/* RC_OK at its end, RC_AGAIN when there may be more. */
static enum rc take_piece(struct child *c, struct err *e)
{
	char piece[4096];
	ssize_t n = read(c->answer, piece, sizeof(piece));
	enum rc rc;

	if (n == 0)
		return RC_OK;
	if (n < 0 && errno != EINTR)
		return err_set(e, RC_INTERNAL, errno, "read: %s", strerror(errno));
	rc = n > 0 ? buf_append(&c->said, piece, (size_t)n) : RC_OK;
	if (rc == RC_LIMIT)
		return err_set(
			e, RC_LIMIT, 0, "a child said more than %zu bytes", c->said.cap);
	return rc == RC_OK ? RC_AGAIN : err_memory(e);
}

enum rc child_hear(struct child *c, const struct child_wait *wait, struct err *e)
{
	long end = clock_ms() + (long)wait->limit_ms, left;
	enum rc rc = RC_AGAIN;

	while (rc == RC_AGAIN && (left = end - clock_ms()) > 0) {
		rc = wait_once(c, wait, left, e);
		if (rc == RC_OK)
			rc = take_piece(c, e);
	}
	if (rc != RC_AGAIN)
		return rc;
	return err_set(
		e, RC_TIMEOUT, 0, "no answer within %g s", wait->limit_ms / 1000.0);
}

void child_end(struct child *c)
{
	if (c->pid > 0) {
		kill(-c->pid, SIGKILL);
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	if (c->answer >= 0)
		close(c->answer);
	buf_destroy(&c->said);
	c->pid = 0;
	c->answer = -1;
}
