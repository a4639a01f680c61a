/* cost: runs a command and tells what it and all that it started have cost.
 *
 *	cost FILE COMMAND [ARGUMENT...]
 *
 * FILE gets one line: wall seconds until the command ended; user and system seconds of
 * CPU of it and all its descendants, also of those that it left behind (Ansible's
 * connections to share), which are ended here; the largest resident set of one of these
 * processes in KiB; the exit status.  It is C because Python's own size would be the
 * smallest that could be seen.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "cost: %s: %s\n", what, strerror(errno));
	exit(125);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

/* What the command left behind has become a child of this process. */
static void end_children(void)
{
	FILE *children = fopen("/proc/thread-self/children", "r");
	int pid;

	while (children && fscanf(children, "%d", &pid) == 1)
		kill(pid, SIGTERM);
	if (children)
		fclose(children);
}

/* Its status; orphans may end before it. */
static int wait_for(pid_t wanted)
{
	pid_t pid;
	int status;

	while ((pid = wait(&status)) != wanted)
		if (pid < 0 && errno != EINTR)
			die("wait");
	return status;
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	double begin = now_s(), wall;
	struct rusage used;
	FILE *out;
	int status;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "cost FILE COMMAND [ARGUMENT...]\n");
		return 125;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		die(argv[2]);
	}
	status = wait_for(pid);
	wall = now_s() - begin;
	end_children();
	while (wait(NULL) > 0 || errno == EINTR)
		end_children();
	getrusage(RUSAGE_CHILDREN, &used);
	out = fopen(argv[1], "w");
	if (!out)
		die(argv[1]);
	fprintf(out, "%.6f %.6f %.6f %ld %d\n", wall, seconds(used.ru_utime),
		seconds(used.ru_stime), used.ru_maxrss, exit_status(status));
	return exit_status(status);
}
