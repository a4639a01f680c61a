#include "coordinator/net/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "coordinator/net/world_private.h"

enum {
	EXIT_WAIT_MS = 300, /* for the status of a command that hung up */
	OBEY_WAIT_MS = 500, /* at the end, before it is killed */
	WORDS_A_TURN = 4096,
};

struct proxy {
	pid_t pid;
	bool over; /* it was waited for */
	int status;
	int words_fd; /* its standard error */
	uv_poll_t *poll;
	struct tail words;
	struct proxy *next; /* of those that were told to end */
};

/* ---- the command */

/* Signals that we handle or ignore are the command's own again. */
static void give_back_signals(void)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		signal(ours[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child, where only what is safe in a signal handler may be called.  The death
 * signal is one of the parent's thread, and other threads end before the run does: there
 * the command sees the end of its input. */
static void become(const char *script, int io, int words, pid_t parent, bool by_main)
{
	setsid();
	if (by_main)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (by_main && getppid() != parent)
		_exit(127);
	if (dup2(io, 0) < 0 || dup2(io, 1) < 0 || dup2(words, 2) < 0)
		_exit(127);
	give_back_signals();
	execl("/bin/sh", "sh", "-c", script, (char *)NULL);
	_exit(127);
}

/* No signal may come between fork() and exec: the loop's handler would run in the child
 * and tell the loop. */
static pid_t spawn(const char *script, int io, int words)
{
	bool by_main = gettid() == getpid();
	pid_t parent = getpid(), child;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	child = fork();
	if (child == 0)
		become(script, io, words, parent, by_main);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return child;
}

static void close_pair(const int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

/* *ours is the session's end of its standard input and output. */
static enum rc start(struct proxy *p, const char *command, int *ours)
{
	int io[2], words[2];
	char *script = NULL;

	if (asprintf(&script, "exec %s", command) < 0)
		return RC_MEMORY;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, io) != 0) {
		free(script);
		return RC_UNREACHABLE;
	}
	if (pipe2(words, O_CLOEXEC) != 0) {
		close_pair(io);
		free(script);
		return RC_UNREACHABLE;
	}
	p->pid = spawn(script, io[1], words[1]);
	free(script);
	close(words[1]);
	close(io[1]);
	p->words_fd = words[0];
	*ours = io[0];
	/* only our ends: the command expects to block */
	fcntl(io[0], F_SETFL, O_NONBLOCK);
	fcntl(words[0], F_SETFL, O_NONBLOCK);
	return p->pid > 0 ? RC_OK : RC_UNREACHABLE;
}

/* ---- its words */

static void poll_freed(uv_handle_t *handle)
{
	free(handle);
}

static void stop_listening(struct proxy *p)
{
	if (p->poll) {
		p->poll->data = NULL;
		uv_close((uv_handle_t *)p->poll, poll_freed);
	}
	p->poll = NULL;
	if (p->words_fd >= 0)
		close(p->words_fd);
	p->words_fd = -1;
}

static void listen_to(struct proxy *p)
{
	char data[WORDS_A_TURN];
	ssize_t n;

	if (p->words_fd < 0)
		return;
	n = read(p->words_fd, data, sizeof(data));
	if (n > 0)
		tail_append(&p->words, data, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		stop_listening(p);
}

static void words_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	if (poll->data)
		listen_to(poll->data);
}

/* Without it only words are lost, and the command may wait to say more. */
static void start_listening(struct proxy *p, uv_loop_t *loop)
{
	p->poll = calloc(1, sizeof(*p->poll));
	if (!p->poll)
		return;
	if (uv_poll_init(loop, p->poll, p->words_fd) != 0) {
		free(p->poll);
		p->poll = NULL;
		return;
	}
	p->poll->data = p;
	uv_poll_start(p->poll, UV_READABLE, words_ready);
}

/* ---- its end */

static const struct timespec moment = { .tv_nsec = 1000 * 1000 };

static bool is_over(struct proxy *p)
{
	p->over = p->over || waitpid(p->pid, &p->status, WNOHANG) == p->pid;
	return p->over;
}

/* Returns whether it ended in time. */
static bool wait_for_end(struct proxy *p, int patience_ms)
{
	while (!is_over(p) && patience_ms-- > 0)
		nanosleep(&moment, NULL);
	return p->over;
}

static void proxy_free(struct proxy *p)
{
	stop_listening(p);
	free(p);
}

/* Frees those that obeyed; nobody waits for the others. */
static void reap(struct world *w)
{
	struct proxy **at = &w->ending;

	while (*at) {
		struct proxy *p = *at;

		if (is_over(p)) {
			*at = p->next;
			proxy_free(p);
		} else {
			at = &p->next;
		}
	}
}

void proxies_close(struct world *w)
{
	for (int i = 0; i < OBEY_WAIT_MS && w->ending; i++) {
		reap(w);
		if (w->ending)
			nanosleep(&moment, NULL);
	}
	for (const struct proxy *p = w->ending; p; p = p->next)
		kill(-p->pid, SIGKILL);
	while (w->ending) {
		struct proxy *p = w->ending;

		w->ending = p->next;
		wait_for_end(p, OBEY_WAIT_MS);
		proxy_free(p);
	}
}

/* ---- sessions */

static struct proxy *proxy_new(const char *command, int *ours, struct err *e)
{
	struct proxy *p = calloc(1, sizeof(*p));
	enum rc rc;

	if (!p) {
		err_memory(e);
		return NULL;
	}
	p->words_fd = *ours = -1;
	rc = start(p, command, ours);
	if (rc == RC_OK)
		return p;
	err_set(e, rc, errno, "the ProxyCommand cannot be started: %s", strerror(errno));
	if (*ours >= 0)
		close(*ours);
	proxy_free(p);
	return NULL;
}

enum rc proxy_dial(struct session *s, struct err *e)
{
	struct handles *h = handles_of(s);
	int fd;

	reap(h->world);
	h->proxy = proxy_new(s->settings->proxy_command, &fd, e);
	if (!h->proxy)
		return e->code;
	start_listening(h->proxy, &h->world->loop);
	return world_attach(s, fd, e);
}

void proxy_hang_up(struct session *s)
{
	struct handles *h = handles_of(s);
	struct proxy *p = h->proxy;

	h->proxy = NULL;
	if (!p)
		return;
	stop_listening(p);
	/* a group may outlive its leader */
	kill(-p->pid, SIGTERM);
	p->next = h->world->ending;
	h->world->ending = p;
	reap(h->world);
}

static void describe_status(int status, char text[static 64])
{
	if (WIFSIGNALED(status))
		snprintf(text, 64, "was ended by signal %d", WTERMSIG(status));
	else
		snprintf(text, 64, "ended with exit status %d", WEXITSTATUS(status));
}

/* A connection that ends is the command's end: what it says is the reason, as long as it
 * is not the node's. */
void proxy_explain(struct session *s)
{
	struct proxy *p = handles_of(s)->proxy;
	bool ended = s->err.code == RC_SSH && wait_for_end(p, EXIT_WAIT_MS);
	char words[TAIL_LINE_MAX], end[64];
	const struct err why = s->err;

	listen_to(p);
	tail_words(&p->words, words);
	if (ended)
		describe_status(p->status, end);
	if (ended && s->state == S_HANDSHAKE)
		err_set(&s->err, RC_UNREACHABLE, 0, "the ProxyCommand %s%s%s", end,
			*words ? "; its last words: " : " without a word", words);
	else if (ended || *words)
		err_set(&s->err, why.code, why.native, "%s (the ProxyCommand %s%s%s)",
			why.text, ended ? end : "said", *words ? ": " : "", words);
}
