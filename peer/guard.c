#include "peer/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum { PAUSE_MS = 2000, LIMIT_S = 15 * 60, NONE_IN_A_ROW = 2 };

/* ---- in the guard */

/* Keeps open what it needs, in the order of the numbers, and closes all else. */
static void close_others(int a, int b, int c)
{
	const int kept[] = { a, b, c };
	unsigned from = 3;

	for (;;) {
		unsigned next = ~0U;

		for (int i = 0; i < 3; i++)
			if ((unsigned)kept[i] >= from && (unsigned)kept[i] < next)
				next = (unsigned)kept[i];
		if (next > from)
			(void)syscall(SYS_close_range, from, next - 1, 0);
		if (next == ~0U)
			return;
		from = next + 1;
	}
}

/* Nothing of the peer's but pipe and scratch, in a session of its own. */
static void leave_the_peer(int pipe, const struct scratch *scratch)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGQUIT };
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	(void)setsid();
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 0; i < 3; i++)
		if (nothing < 0 || dup2(nothing, i) != i)
			close(i);
	close_others(pipe, scratch->folder, scratch->file);
	(void)prctl(PR_SET_NAME, "cpuherd-guard");
	if (chdir("/") != 0)
		return; /* it only keeps a folder busy */
}

/* Until the peer says that all is clean (true) or is gone. */
static bool is_released(int pipe)
{
	char word;
	ssize_t n;

	do
		n = read(pipe, &word, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* ---- giving up */

/* Ready before the alarm comes: it comes in the middle of libvirt, where only system calls
 * are safe, and syslog() is none. */
static struct {
	struct sockaddr_un log;
	char words[300];
} last;

static void on_alarm(int signal)
{
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)signal;
	/* without a log there is nobody to tell */
	_exit(sendto(s, last.words, strlen(last.words), 0, (struct sockaddr *)&last.log,
		      sizeof(last.log)) < 0
			? 2
			: 1);
}

/* 27 is daemon.err (RFC 3164). */
static void set_limit(const struct guard_job *job)
{
	unsigned limit_s = job->limit_s ? job->limit_s : LIMIT_S;

	last.log.sun_family = AF_UNIX;
	snprintf(last.log.sun_path, sizeof(last.log.sun_path), "%s",
		job->log && *job->log ? job->log : "/dev/log");
	snprintf(last.words, sizeof(last.words),
		"<27>cpuherd-guard: libvirt (%s) did not let the trial guests "
		"cpuherd-%s-* be ended within %u s; virsh destroy ends them",
		job->uri, job->run, limit_s);
	signal(SIGALRM, on_alarm);
	alarm(limit_s);
}

/* ---- the end of guests */

/* Until there were none, twice in a row. */
static void end_all(const struct guard_job *job)
{
	unsigned pause_ms = job->pause_ms ? job->pause_ms : PAUSE_MS;
	const struct timespec pause = { pause_ms / 1000, pause_ms % 1000 * 1000000L };
	int none = 0;

	set_limit(job);
	for (;;) {
		unsigned count = 0;
		struct err e;

		if (job->end_all(job->uri, job->run, &count, &e) != RC_OK || count)
			none = 0;
		else if (++none == NONE_IN_A_ROW)
			break;
		nanosleep(&pause, NULL);
	}
	alarm(0);
}

_Noreturn static void guard(const struct guard_job *job, int pipe)
{
	struct arena arena = { 0 };
	struct texts left = { 0 };

	leave_the_peer(pipe, job->scratch);
	if (!is_released(pipe)) {
		end_all(job);
		scratch_remove(job->scratch, &arena, &left); /* there is nobody to tell */
	}
	_exit(0);
}

/* ---- in the peer */

static enum rc fail(const char *what, struct err *e)
{
	return err_set(e, RC_INTERNAL, errno, "a guard for trial guests: %s: %s", what,
		strerror(errno));
}

enum rc guard_start(struct guard *g, const struct guard_job *job, struct err *e)
{
	int end[2];

	*g = (struct guard){ 0 };
	if (pipe2(end, O_CLOEXEC) != 0)
		return fail("pipe", e);
	g->pid = fork();
	if (g->pid == 0)
		guard(job, end[0]);
	if (g->pid < 0) {
		(void)fail("fork", e);
		close(end[1]);
		g->pid = 0;
	}
	close(end[0]);
	g->pipe = end[1];
	return g->pid ? RC_OK : RC_INTERNAL;
}

void guard_release(struct guard *g)
{
	if (g->pid <= 0)
		return;
	/* where it is dead already there is nobody to tell */
	(void)file_write_all(g->pipe, bytes_of("r"));
	close(g->pipe);
	while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*g = (struct guard){ 0 };
}
