/* keeper.c - the one process that everything of a lab hangs on.
 *
 *	lab-keeper --own-namespaces PIDFILE	as root: new network and PID namespace
 *	lab-keeper --subreaper PIDFILE COMMAND	without any privilege
 *	lab-keeper --stay			becomes it in place (PID 1 of a node)
 *
 * The first two return as soon as the keeper stands and PIDFILE names it; it is in
 * a session of its own and outlives its caller.  A PID namespace can be entered
 * later to start things in it; what is to hang on a subreaper must be started by
 * it: that is what COMMAND is for.  SIGTERM ends it, and with it
 * everything that was started under it, however often that forked or detached:
 * in a PID namespace the kernel sees to it; a subreaper inherits all orphans and
 * kills its children until there are none.  So a lab that failed half-way is
 * brought down like any other, by one PID.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "lab-keeper: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The parent's PID of a process; 0 when it has gone. */
static pid_t parent_of(pid_t pid)
{
	char path[64], text[512], *after_name;
	int fd, parent = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	/* The name may hold blanks and brackets: the last one closes it. */
	if ((after_name = strrchr(text, ')')))
		sscanf(after_name, ") %*c %d", &parent);
	return parent;
}

static void kill_children(void)
{
	DIR *proc = opendir("/proc");
	pid_t me = getpid();

	for (struct dirent *d; proc && (d = readdir(proc));) {
		pid_t pid = (pid_t)atoi(d->d_name);

		if (pid > 0 && parent_of(pid) == me)
			kill(pid, SIGKILL);
	}
	if (proc)
		closedir(proc);
}

/* A killed child's children become ours, and are killed in the next turn. */
static void end_descendants(void)
{
	do
		kill_children();
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

static void __attribute__((noreturn)) stay(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (sigwait(&set, &sig) == 0 && sig != SIGTERM)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	end_descendants();
	exit(0);
}

/* A pipe that is still open in a daemon makes its caller wait for ever. */
static void detach(void)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
}

static void write_pid(const char *path, pid_t pid)
{
	FILE *f = fopen(path, "w");

	if (!f || fprintf(f, "%d\n", (int)pid) < 0 || fclose(f) != 0)
		die(path);
}

static void start_command(char **command)
{
	if (!command || fork() != 0)
		return;
	execvp(command[0], command);
	_exit(127);
}

/* command NULL: in namespaces of its own */
static int start(const char *pidfile, char **command)
{
	int alive[2];
	char byte = 0;
	pid_t pid;

	if (!command && unshare(CLONE_NEWNET | CLONE_NEWPID) != 0)
		die("new network and PID namespaces");
	if (pipe(alive) != 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid > 0) {
		close(alive[1]);
		if (read(alive[0], &byte, 1) != 1)
			die("the keeper did not start");
		write_pid(pidfile, pid);
		return 0;
	}
	/* Before anything is started: no orphan may slip past. */
	if (command && prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
		die("subreaper");
	if (write(alive[1], "k", 1) != 1)
		die("pipe");
	detach();
	start_command(command);
	stay();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--stay"))
		stay();
	if (argc == 3 && !strcmp(argv[1], "--own-namespaces"))
		return start(argv[2], NULL);
	if (argc > 3 && !strcmp(argv[1], "--subreaper"))
		return start(argv[2], argv + 3);
	fputs("usage: lab-keeper --own-namespaces PIDFILE |"
	      " --subreaper PIDFILE COMMAND... | --stay\n",
		stderr);
	return 2;
}
