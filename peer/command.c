#include "peer/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum { OUTPUT_MAX = 64 * 1024, CANNOT_START = 127, STREAMS = 3 };

/* ---- in the child, between fork and exec */

/* Group and user for good; false when the kernel says no. */
static bool become(const struct passwd *as)
{
	return initgroups(as->pw_name, as->pw_gid) == 0 && setgid(as->pw_gid) == 0 &&
	       setuid(as->pw_uid) == 0;
}

static void child(const struct command *c, const int stream[STREAMS], char **environment)
{
	struct rlimit most = { OUTPUT_MAX, OUTPUT_MAX };
	sigset_t none;

	/* numbers above the three first, or one dup2() could close what another needs */
	for (int i = 0; i < STREAMS; i++)
		if (dup2(stream[i], i) != i)
			_exit(CANNOT_START);
	/* the peer's own close at exec; this is for what it was started with itself */
	(void)syscall(SYS_close_range, STREAMS, ~0U, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (setpgid(0, 0) != 0 || chdir("/") != 0 ||
		setrlimit(RLIMIT_FSIZE, &most) != 0 || (c->as && !become(c->as)))
		_exit(CANNOT_START);
	execve(c->argv[0], (char *const *)c->argv, environment);
	_exit(CANNOT_START);
}

/* ---- in the parent */

static char **environment_of(const struct command *c, struct arena *arena)
{
	char **list = arena_alloc(arena, 4, sizeof(*list));
	const char *home = c->as ? c->as->pw_dir : "/";

	if (!list)
		return NULL;
	list[0] = arena_format(arena,
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	list[1] = arena_text(arena, "LC_ALL=C.UTF-8");
	list[2] = arena_format(arena, "HOME=%s", home);
	return list[0] && list[1] && list[2] ? list : NULL;
}

/* Memory as a file, with a number that the child's own three do not have. */
static int stream_make(struct bytes content)
{
	int low = memfd_create("cpuherd", MFD_CLOEXEC);
	int fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, STREAMS);

	if (low >= 0)
		close(low);
	if (fd >= 0 &&
		(pwrite(fd, content.data, content.size, 0) != (ssize_t)content.size)) {
		close(fd);
		return -1;
	}
	return fd;
}

static char *stream_text(int fd, struct arena *arena)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = size < 0 ? NULL : arena_alloc(arena, (size_t)size + 1, 1);

	if (text && pread(fd, text, (size_t)size, 0) != (ssize_t)size)
		return NULL;
	return text;
}

/* Its end, or -1 when it had to be killed. */
static int wait_for(pid_t pid, unsigned limit_s)
{
	const struct timespec pause = { 0, 10 * 1000000L };
	long end = clock_ms() + limit_s * 1000L;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (clock_ms() > end) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static enum rc run(const struct command *c, const int stream[STREAMS], char **environment,
	int *status, struct err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_set(
			e, RC_TARGET, errno, "%s: %s", c->argv[0], strerror(errno));
	if (pid == 0)
		child(c, stream, environment);
	*status = wait_for(pid, c->limit_s);
	if (*status < 0)
		return err_set(e, RC_TARGET, 0, "%s did not end within %u s", c->argv[0],
			c->limit_s);
	if (*status == CANNOT_START)
		return err_set(e, RC_TARGET, 0, "%s cannot be started%s%s", c->argv[0],
			c->as ? " as user " : "", c->as ? c->as->pw_name : "");
	if (*status == 128 + SIGXFSZ)
		return err_set(e, RC_TARGET, 0, "%s prints more than %d bytes",
			c->argv[0], OUTPUT_MAX);
	return RC_OK;
}

enum rc command_run(const struct command *c, struct arena *arena, struct command_end *out,
	struct err *e)
{
	int stream[STREAMS] = { stream_make(c->input), stream_make((struct bytes){ 0 }),
		stream_make((struct bytes){ 0 }) };
	char **environment = environment_of(c, arena);
	enum rc rc;

	*out = (struct command_end){ 0 };
	if (!environment || stream[0] < 0 || stream[1] < 0 || stream[2] < 0)
		rc = err_memory(e);
	else
		rc = run(c, stream, environment, &out->status, e);
	if (rc == RC_OK) {
		out->out = stream_text(stream[1], arena);
		out->errors = stream_text(stream[2], arena);
		if (!out->out || !out->errors)
			rc = err_memory(e);
	}
	for (int i = 0; i < STREAMS; i++)
		if (stream[i] >= 0)
			close(stream[i]);
	return rc;
}

const char *command_last_line(struct arena *arena, const char *text)
{
	size_t end = strlen(text), begin;
	char *line;

	while (end && strchr(" \t\r\n", text[end - 1]))
		end--;
	for (begin = end; begin && text[begin - 1] != '\n'; begin--)
		;
	begin += strspn(text + begin, " \t");
	line = end > begin ? arena_text_n(arena, text + begin, end - begin) : NULL;
	if (!line)
		return "";
	text_make_printable(line);
	return line;
}
