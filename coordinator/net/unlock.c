#include "coordinator/net/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum { START_MS = 15000, STEP_MS = 10, TOLD_MAX = 200 };

/* Long enough for any run; the agent forgets the keys then, should it outlive us. */
static const char lifetime[] = "12h";

struct unlock {
	char folder[80], socket[96];
	pid_t holder;
	int leash; /* the holder goes when it is closed, and takes the agent along */
	sigset_t held, before; /* see hold_signals(); the mask of signals before it */
};

bool unlock_has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

const char *unlock_socket(const struct unlock *u)
{
	return u->socket;
}

/* ---- signals */

/* What ends the run waits while a passphrase is asked for: else ssh-add stays behind, on a
 * terminal without echo, and the folder too. */
static void hold_signals(struct unlock *u)
{
	static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };

	sigemptyset(&u->held);
	for (size_t i = 0; i < sizeof(held) / sizeof(*held); i++)
		sigaddset(&u->held, held[i]);
	sigprocmask(SIG_BLOCK, &u->held, &u->before);
}

static void let_signals(const struct unlock *u)
{
	sigprocmask(SIG_SETMASK, &u->before, NULL);
}

static void pause_ms(long ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static enum rc describe_end(struct err *e)
{
	return err_set(e, RC_INTERRUPTED, 0, "interrupted; no node was asked yet");
}

/* Ctrl-C goes to the child as well, which may be gone before we look at our signals. */
static bool has_come_to_an_end(const struct unlock *u)
{
	const struct timespec now = { 0 };
	int signal;

	do
		signal = sigtimedwait(&u->held, NULL, &now);
	while (signal == SIGCHLD || (signal < 0 && errno == EINTR));
	return signal > 0;
}

/* ssh-add puts the terminal in order when it is told to go; but told just before it begins
 * to read, it does not notice, so it is told again. */
static void end_child(pid_t child, int *status)
{
	for (int told = 0; waitpid(child, status, WNOHANG) == 0; told++) {
		kill(child, told < TOLD_MAX ? SIGTERM : SIGKILL);
		pause_ms(STEP_MS);
	}
}

/* The end of a child, or of the run. */
static enum rc wait_for_child(
	const struct unlock *u, pid_t child, int *status, struct err *e)
{
	while (waitpid(child, status, WNOHANG) == 0) {
		int signal = sigwaitinfo(&u->held, NULL);

		if (signal == SIGCHLD || signal < 0)
			continue;
		end_child(child, status);
		return describe_end(e);
	}
	return has_come_to_an_end(u) ? describe_end(e) : RC_OK;
}

/* ---- the programs */

static void silence(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0)
		dup2(null, fd);
}

/* In the child.  The agent is told to end when its command does, and the command ends when
 * we do: its input is a pipe of ours.  (PR_SET_PDEATHSIG is lost here: ssh-agent is a
 * set-group-ID program on many systems.)  Ctrl-C is not for them: we end them. */
static void become_agent(const struct unlock *u, int leash)
{
	let_signals(u);
	setsid();
	dup2(leash, 0);
	silence(1);
	silence(2);
	execlp("ssh-agent", "ssh-agent", "-a", u->socket, "-t", lifetime, "sh", "-c",
		"cat; kill \"$SSH_AGENT_PID\"", (char *)NULL);
	_exit(127);
}

static enum rc start_agent(struct unlock *u, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_set(e, RC_INTERNAL, errno, "pipe: %s", strerror(errno));
	u->holder = fork();
	if (u->holder == 0)
		become_agent(u, ends[0]);
	close(ends[0]);
	u->leash = ends[1];
	for (int waited = 0; u->holder > 0 && waited < START_MS; waited += STEP_MS) {
		struct stat st;

		if (stat(u->socket, &st) == 0)
			return RC_OK;
		if (waitpid(u->holder, NULL, WNOHANG) == u->holder)
			u->holder = 0;
		pause_ms(STEP_MS);
	}
	return err_set(e, RC_INPUT, errno,
		"a key needs its passphrase, and ssh-agent does not start here");
}

/* ssh-add opens the terminal by itself.  Its status: 0, or it could not. */
static enum rc add_file(const struct unlock *u, const char *path, struct err *e)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		let_signals(u);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		setenv("SSH_AUTH_SOCK", u->socket, 1);
		unsetenv("SSH_ASKPASS"); /* there is a terminal */
		unsetenv("SSH_ASKPASS_REQUIRE");
		silence(1);
		execlp("ssh-add", "ssh-add", "-q", "-t", lifetime, "--", path,
			(char *)NULL);
		_exit(127);
	}
	if (child > 0 && wait_for_child(u, child, &status, e) != RC_OK)
		return e->code;
	if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return RC_OK;
	return err_set(e, RC_INPUT, 0,
		"key file %s: it was not unlocked (ssh-add did not take it); leave it "
		"out, "
		"or unlock it in an ssh-agent before",
		path);
}

/* ---- its life */

static enum rc make_folder(struct unlock *u, struct err *e)
{
	const char *tmp = getenv("XDG_RUNTIME_DIR");

	if (!tmp || access(tmp, W_OK) != 0)
		tmp = getenv("TMPDIR");
	snprintf(u->folder, sizeof(u->folder), "%.50s/cpuherd-agent.XXXXXX",
		tmp && access(tmp, W_OK) == 0 ? tmp : "/tmp");
	if (!mkdtemp(u->folder)) /* 0700 */
		return err_set(e, RC_INPUT, errno, "%s: %s", u->folder, strerror(errno));
	snprintf(u->socket, sizeof(u->socket), "%s/socket", u->folder);
	return RC_OK;
}

enum rc unlock_files(const struct texts *paths, struct arena *arena, struct unlock **out,
	struct err *e)
{
	struct unlock *u = arena_alloc(arena, 1, sizeof(*u));
	enum rc rc;

	*out = NULL;
	if (!u)
		return err_memory(e);
	u->leash = -1;
	if (make_folder(u, e) != RC_OK)
		return e->code;
	hold_signals(u);
	rc = start_agent(u, e);
	for (size_t i = 0; i < paths->count && rc == RC_OK; i++) {
		log_line(LOG_INFO, NULL, "key file %s needs its passphrase",
			paths->item[i]);
		rc = add_file(u, paths->item[i], e);
	}
	if (rc == RC_OK)
		*out = u;
	else
		unlock_end(u);
	let_signals(u);
	return rc;
}

void unlock_end(struct unlock *u)
{
	if (!u)
		return;
	if (u->leash >= 0)
		close(u->leash);
	u->leash = -1;
	while (u->holder > 0 && waitpid(u->holder, NULL, 0) < 0 && errno == EINTR)
		;
	u->holder = 0;
	unlink(u->socket);
	rmdir(u->folder);
}

/* ---- an agent's keys, now */

struct wanted {
	bool also_write;
	uint64_t until_ms;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void want(struct agent *a, bool also_write)
{
	struct wanted *w = a->owner;

	w->also_write = also_write;
}

static void want_alarm(struct agent *a, uint32_t ms)
{
	struct wanted *w = a->owner;

	w->until_ms = now_ms() + ms;
}

static void woken(void *context)
{
	(void)context;
}

static void wait_for(struct agent *a, const struct wanted *w)
{
	struct pollfd ready = { .fd = a->fd,
		.events = (short)(POLLIN | (w->also_write ? POLLOUT : 0)) };
	uint64_t now = now_ms();

	if (now >= w->until_ms || poll(&ready, 1, (int)(w->until_ms - now)) == 0)
		agent_late(a);
	else
		agent_ready(a);
}

static bool copy_key(
	const struct agent_key *from, struct arena *arena, struct agent_key *to)
{
	to->blob.data = (const uint8_t *)arena_text_n(
		arena, from->blob.data, from->blob.size);
	to->blob.size = from->blob.size;
	to->name = arena_text(arena, from->name);
	return to->blob.data && to->name;
}

void agent_keys_now(const char *path, uint32_t patience_ms, struct arena *arena,
	struct agent_keys *out)
{
	static const struct agent_loop loop = { want, want_alarm };
	struct agent_wait who = { .wake = woken };
	struct agent_key *keys;
	struct wanted wanted;
	struct agent a;
	struct err e;

	*out = (struct agent_keys){ NULL, 0 };
	if (!path)
		return;
	agent_open(&a, path, patience_ms, &loop, &wanted);
	while (agent_list(&a, &who, &e) == RC_AGAIN)
		wait_for(&a, &wanted);
	keys = a.listed ? arena_alloc(arena, a.key_count, sizeof(*keys)) : NULL;
	out->key = keys;
	while (keys && out->count < a.key_count &&
		copy_key(&a.keys[out->count], arena, &keys[out->count]))
		out->count++;
	agent_close(&a);
}
