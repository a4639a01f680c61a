#include "coordinator/ssh/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

extern char **environ;

enum { OUT, ERR, STREAMS, REAP_MS = 5, COMPLAINT_ROOM = 400 };

struct job {
	struct ssh_question *question; /* NULL: free */
	pid_t pid;
	int fd[STREAMS]; /* -1: at its end */
	struct buf text[STREAMS];
	uint64_t deadline_ms;
};

struct asking {
	struct ssh_question *questions;
	size_t count, next;
	uint32_t limit_ms;
	struct arena *arena;
	sigset_t before; /* the mask of signals that the caller had */
	int signals;
	struct job jobs[ASK_AT_ONCE];
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- one run of ssh */

/* In a group of its own, so that all that it starts can be ended. */
static int spawn(struct job *j, const sigset_t *mask, const int ends[STREAMS])
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	sigset_t usual;
	char *const *argv;
	int error;

	/* posix_spawnp() writes to none of it */
	memcpy(&argv, &j->question->argv, sizeof(argv));
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, ends[OUT], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, ends[ERR], STDERR_FILENO);
	posix_spawnattr_init(&how);
	posix_spawnattr_setflags(&how,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&how, mask);
	posix_spawnattr_setsigdefault(&how, &usual);
	error = posix_spawnp(&j->pid, j->question->argv[0], &files, &how, argv, environ);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

static enum rc job_start(struct asking *a, struct job *j, struct err *e)
{
	int out[2], err[2], error;

	if (pipe2(out, O_CLOEXEC) != 0)
		return err_set(e, RC_MEMORY, errno, "no pipe: %s", strerror(errno));
	if (pipe2(err, O_CLOEXEC) != 0) {
		error = errno;
		close(out[0]);
		close(out[1]);
		return err_set(e, RC_MEMORY, error, "no pipe: %s", strerror(error));
	}
	*j = (struct job){ .question = &a->questions[a->next],
		.fd = { out[0], err[0] },
		.text = { buf_with_cap(ASK_ANSWER_MAX), buf_with_cap(ASK_COMPLAINT_MAX) },
		.deadline_ms = now_ms() + a->limit_ms };
	error = spawn(j, &a->before, (const int[]){ out[1], err[1] });
	close(out[1]);
	close(err[1]);
	if (!error) {
		a->next++;
		return RC_OK;
	}
	close(out[0]);
	close(err[0]);
	j->question = NULL;
	return err_set(e, RC_INPUT, error, "%s cannot be run: %s",
		a->questions[a->next].argv[0], strerror(error));
}

static void job_free(struct job *j)
{
	for (int i = 0; i < STREAMS; i++) {
		if (j->fd[i] >= 0)
			close(j->fd[i]);
		buf_destroy(&j->text[i]);
	}
	*j = (struct job){ 0 };
}

static void job_kill(struct job *j)
{
	kill(-j->pid, SIGKILL);
	while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
		;
	job_free(j);
}

/* What it complained of, in one line: warnings may stand before what is wrong. */
static void complain(struct job *j, struct arena *arena)
{
	struct bytes b = buf_bytes(&j->text[ERR]);
	char *rest = b.size ? arena_text_n(arena, b.data, b.size) : NULL, *line;
	char text[COMPLAINT_ROOM] = "";
	size_t n = 0;

	while ((line = strsep(&rest, "\r\n")) && n < sizeof(text))
		if (*line)
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "%s%s", n ? "; " : "", line);
	err_set(&j->question->err, RC_INPUT, 0, "ssh refuses it: %s",
		n ? text : "it does not say why");
}

static void job_end(struct asking *a, struct job *j, int status)
{
	struct bytes b = buf_bytes(&j->text[OUT]);
	struct ssh_question *q = j->question;

	q->err.code = RC_OK;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		complain(j, a->arena);
	else if (!(q->answer = arena_text_n(
			   a->arena, b.size ? (const char *)b.data : "", b.size)))
		err_memory(&q->err);
	/* what it left behind, if anything */
	kill(-j->pid, SIGKILL);
	job_free(j);
}

/* ---- all of them */

static void job_give_up(struct job *j, const char *why)
{
	err_set(&j->question->err, RC_INPUT, 0, "ssh was asked, and %s", why);
	job_kill(j);
}

/* RC_LIMIT: it says more than we hear. */
static enum rc stream_read(struct job *j, int stream)
{
	char block[4096];
	ssize_t n = read(j->fd[stream], block, sizeof(block));

	if (n > 0)
		return buf_append(&j->text[stream], block, (size_t)n);
	if (n < 0 && errno == EINTR)
		return RC_OK;
	close(j->fd[stream]);
	j->fd[stream] = -1;
	return RC_OK;
}

static void job_advance(struct asking *a, struct job *j, const struct pollfd fds[STREAMS])
{
	enum rc rc = RC_OK;
	int status;

	for (int i = 0; i < STREAMS && rc == RC_OK; i++)
		if (j->fd[i] >= 0 && fds[i].revents)
			rc = stream_read(j, i);
	if (rc != RC_OK)
		job_give_up(j, "said too much");
	else if (j->fd[OUT] < 0 && j->fd[ERR] < 0 &&
		 waitpid(j->pid, &status, WNOHANG) == j->pid)
		job_end(a, j, status);
	else if (now_ms() >= j->deadline_ms)
		job_give_up(j, "gave no answer in time; does a Match exec hang?");
}

/* How long the poll may take; 0: no job is left. */
static int jobs_watch(const struct asking *a, struct pollfd *fds)
{
	uint64_t now = now_ms();
	int wait = 0;

	for (size_t i = 0; i < ASK_AT_ONCE; i++) {
		const struct job *j = &a->jobs[i];
		int left = j->deadline_ms > now ? (int)(j->deadline_ms - now) : 1;

		for (int s = 0; s < STREAMS; s++)
			fds[i * STREAMS + (size_t)s] = (struct pollfd){
				.fd = j->question ? j->fd[s] : -1, .events = POLLIN
			};
		if (!j->question)
			continue;
		if (j->fd[OUT] < 0 && j->fd[ERR] < 0)
			left = REAP_MS;
		wait = !wait || left < wait ? left : wait;
	}
	return wait;
}

static enum rc jobs_run(struct asking *a, struct err *e)
{
	struct pollfd fds[ASK_AT_ONCE * STREAMS + 1];
	int wait;

	for (;;) {
		for (size_t i = 0; i < ASK_AT_ONCE && a->next < a->count; i++)
			if (!a->jobs[i].question && job_start(a, &a->jobs[i], e) != RC_OK)
				return e->code;
		wait = jobs_watch(a, fds);
		if (!wait)
			return RC_OK;
		fds[ASK_AT_ONCE * STREAMS] = (struct pollfd){ .fd = a->signals,
			.events = POLLIN };
		if (poll(fds, ASK_AT_ONCE * STREAMS + 1, wait) < 0 && errno != EINTR)
			return err_set(
				e, RC_INTERNAL, errno, "poll: %s", strerror(errno));
		if (fds[ASK_AT_ONCE * STREAMS].revents & POLLIN)
			return err_set(e, RC_INTERRUPTED, 0,
				"interrupted; no node was asked yet");
		for (size_t i = 0; i < ASK_AT_ONCE; i++)
			if (a->jobs[i].question)
				job_advance(a, &a->jobs[i], fds + i * STREAMS);
	}
}

/* The signal that ended it has done its work: it must not arrive a second time. */
static void drop_signals(const sigset_t *ours)
{
	const struct timespec none = { 0 };

	while (sigtimedwait(ours, NULL, &none) > 0)
		;
}

enum rc ssh_ask(struct ssh_question *questions, size_t count, uint32_t limit_ms,
	struct arena *arena, struct err *e)
{
	struct asking a = { .questions = questions,
		.count = count,
		.limit_ms = limit_ms,
		.arena = arena };
	sigset_t ours;
	enum rc rc;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigprocmask(SIG_BLOCK, &ours, &a.before);
	a.signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
	rc = jobs_run(&a, e);
	for (size_t i = 0; i < ASK_AT_ONCE; i++)
		if (a.jobs[i].question)
			job_kill(&a.jobs[i]);
	if (a.signals >= 0)
		close(a.signals);
	if (rc == RC_INTERRUPTED)
		drop_signals(&ours);
	sigprocmask(SIG_SETMASK, &a.before, NULL);
	return rc;
}
