/* The guard of a run's guests: a peer is started, killed, and what becomes of it is seen. */
#include "peer/guard.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/peer_scratch_node.h"

/* A peer in a process of its own, its standard output in a pipe; its guard becomes a child
 * of the test's when the peer dies. */
struct play {
	struct node node;
	struct guard_job job;
	int output;
	pid_t peer, guard;
	int status; /* of the guard's end */
};

static char log_path[64]; /* "": the system's */

/* ---- guests as the test wants them.  The "URI" is the root of the node. */

/* Notes the call; the root is all that a guard's function can know. */
static void note(const char *root, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/calls", root);
	f = fopen(path, "a");
	if (f && fputs(text, f) >= 0)
		(void)fclose(f);
}

/* One is there; none; then one that was on its way; then none. */
static enum rc end_one_after_the_other(
	const char *uri, const char *of_run, unsigned *count, struct err *e)
{
	static const unsigned counts[] = { 2, 0, 1, 0, 0, 7 };
	static size_t calls;
	char line[128];

	(void)e;
	*count = counts[calls++];
	snprintf(line, sizeof(line), "%s %u\n", of_run, *count);
	note(uri, line);
	return RC_OK;
}

static enum rc end_after_trouble(
	const char *uri, const char *of_run, unsigned *count, struct err *e)
{
	static int calls;

	(void)of_run;
	note(uri, "asked\n");
	*count = 0;
	return ++calls <= 3 ? err_set(e, RC_LIBVIRT, 38, "no daemon") : RC_OK;
}

static enum rc end_never(
	const char *uri, const char *of_run, unsigned *count, struct err *e)
{
	(void)of_run;
	(void)count;
	(void)e;
	note(uri, "asked\n");
	pause();
	return RC_OK;
}

/* What is open, and which session it is; then waits for a word. */
static enum rc end_after_a_look(
	const char *uri, const char *of_run, unsigned *count, struct err *e)
{
	const struct timespec pause = { 0, 10 * 1000000L };
	char path[64], target[256], line[400], go[128];

	(void)of_run;
	(void)e;
	for (int fd = 0; fd < 64; fd++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target));
		if (n < 0)
			continue;
		snprintf(line, sizeof(line), "%.*s\n", (int)n, target);
		note(uri, line);
	}
	note(uri, getsid(0) == getpid() ? "own session\n" : "somebody's session\n");
	snprintf(go, sizeof(go), "%s/go", uri);
	while (!is_there(go))
		nanosleep(&pause, NULL);
	*count = 0;
	return RC_OK;
}

/* ---- the peer */

static void peer(struct play *p, int output)
{
	struct scratch s;
	struct guard g;
	struct err e;

	/* descriptors that a guard must not keep: sshd's and libvirt's */
	if (dup2(output, 1) != 1 || dup2(output, 2) != 2 || dup2(output, 40) != 40)
		_exit(1);
	p->job.scratch = &s;
	if (scratch_make(&s, &p->node.world, run, &e) != RC_OK ||
		guard_start(&g, &p->job, &e) != RC_OK)
		_exit(1);
	if (write(1, &g.pid, sizeof(g.pid)) != sizeof(g.pid))
		_exit(1);
	wait_for_the_test_to_end();
}

static void play_open(struct play *p,
	enum rc (*end_all)(const char *, const char *, unsigned *, struct err *))
{
	int end[2];

	*p = (struct play){ 0 };
	node_open(&p->node);
	p->job = (struct guard_job){ p->node.root, run, NULL, end_all, 1, 0, log_path };
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe(end), 0);
	p->output = end[0];
	p->peer = fork();
	if (p->peer == 0)
		peer(p, end[1]);
	close(end[1]);
	assert_int_equal(read(p->output, &p->guard, sizeof(p->guard)), sizeof(p->guard));
}

static void kill_peer(struct play *p)
{
	kill(p->peer, SIGKILL);
	assert_int_equal(waitpid(p->peer, NULL, 0), p->peer);
}

static void wait_for_guard(struct play *p)
{
	assert_int_equal(waitpid(p->guard, &p->status, 0), p->guard);
}

static void play_close(struct play *p)
{
	close(p->output);
	node_close(&p->node);
}

static const char *calls_of(struct play *p)
{
	const char *path = real_path(&p->node, "/calls");

	return is_there(path) ? test_read_file(&p->node.arena, path) : "";
}

/* A line that the guard is to write; half a minute at most. */
static void wait_for_call(struct play *p, const char *line)
{
	const struct timespec pause = { 0, 10 * 1000000L };

	for (int i = 0; i < 3000 && !strstr(calls_of(p), line); i++)
		nanosleep(&pause, NULL);
	assert_contains(calls_of(p), line);
}

static void assert_done(struct play *p)
{
	assert_true(WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0);
	assert_false(is_there(kernel_path(&p->node, run)));
}

/* ---- the promises */

static void when_the_peer_is_killed_guests_end_until_twice_there_were_none(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, end_one_after_the_other);
	assert_int_equal(stale_runs(&p.node), 0);
	assert_string_equal(calls_of(&p), "");
	kill_peer(&p);
	wait_for_guard(&p);
	assert_done(&p);
	assert_string_equal(calls_of(&p),
		"0123456789abcdef 2\n0123456789abcdef 0\n0123456789abcdef 1\n"
		"0123456789abcdef 0\n0123456789abcdef 0\n");
	play_close(&p);
}

static void a_daemon_that_cannot_be_asked_is_asked_again(void **state)
{
	struct play p;

	(void)state;
	play_open(&p, end_after_trouble);
	kill_peer(&p);
	wait_for_guard(&p);
	assert_done(&p);
	assert_string_equal(calls_of(&p), "asked\nasked\nasked\nasked\nasked\n");
	play_close(&p);
}

/* A system log, at the path that the guard of the next play has. */
static int open_log(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int log = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(log_path, sizeof(log_path), "/tmp/cpuherd-log-%d", (int)getpid());
	memcpy(address.sun_path, log_path, sizeof(log_path));
	assert_int_equal(bind(log, (struct sockaddr *)&address, sizeof(address)), 0);
	return log;
}

static void assert_logged(int log, const char *words)
{
	char line[400] = "";

	assert_true(recv(log, line, sizeof(line) - 1, MSG_DONTWAIT) > 0);
	assert_contains(line, "<27>cpuherd-guard: ");
	assert_contains(line, words);
	close(log);
	unlink(log_path);
	log_path[0] = '\0';
}

static void one_that_gives_up_tells_the_log_and_leaves_the_run_to_a_sweep(void **state)
{
	int log = open_log();
	struct node *n;
	struct scratch s;
	struct play p;

	(void)state;
	play_open(&p, end_never);
	n = &p.node;
	kill_peer(&p);
	wait_for_call(&p, "asked\n");
	assert_int_equal(stale_runs(n), 0);
	kill(p.guard, SIGALRM); /* as alarm() does in the end */
	wait_for_guard(&p);
	assert_true(WIFEXITED(p.status) && WEXITSTATUS(p.status) == 1);
	assert_logged(log, "guests cpuherd-0123456789abcdef-*");
	assert_int_equal(stale_runs(n), 1);
	assert_rc(scratch_adopt(&s, &n->world, run, &n->e), RC_OK, &n->e);
	scratch_remove(&s, &n->arena, &n->left);
	play_close(&p);
}

/* sshd waits until nobody has the channel's ends. */
static void it_holds_nothing_of_the_peer_s_but_the_scratch(void **state)
{
	struct pollfd gone;
	struct play p;
	const char *at;
	int others = 0;

	(void)state;
	play_open(&p, end_after_a_look);
	kill_peer(&p);
	wait_for_call(&p, " session\n");
	gone = (struct pollfd){ p.output, POLLIN, 0 };
	assert_int_equal(poll(&gone, 1, 0), 1);
	assert_int_equal(gone.revents, POLLHUP);
	assert_int_equal(stale_runs(&p.node), 0); /* the lock is its own now */
	assert_contains(calls_of(&p), "/dev/null\n/dev/null\n/dev/null\n");
	assert_contains(calls_of(&p), "/var/tmp\n");
	assert_contains(calls_of(&p), kernel_path(&p.node, run));
	assert_contains(calls_of(&p), "own session\n");
	for (at = calls_of(&p); (at = strchr(at, '\n')); at++)
		others++;
	assert_int_equal(others, 7); /* those, its pipe, and the word on its session */
	test_write_file(real_path(&p.node, "/go"), "");
	wait_for_guard(&p);
	assert_done(&p);
	play_close(&p);
}

static void signals_that_end_sessions_do_not_end_it(void **state)
{
	static const int signals[] = { SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGPIPE };
	struct play p;

	(void)state;
	play_open(&p, end_after_a_look);
	kill_peer(&p);
	wait_for_call(&p, " session\n");
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		assert_int_equal(kill(p.guard, signals[i]), 0);
	test_write_file(real_path(&p.node, "/go"), "");
	wait_for_guard(&p);
	assert_done(&p);
	play_close(&p);
}

static void one_that_is_released_does_nothing(void **state)
{
	struct guard_job job = { .end_all = end_never };
	struct scratch s;
	struct guard g;
	struct node n;
	pid_t pid;

	(void)state;
	node_open(&n);
	make(&n, &s);
	job.uri = n.root;
	job.run = run;
	job.scratch = &s;
	assert_rc(guard_start(&g, &job, &n.e), RC_OK, &n.e);
	pid = g.pid;
	guard_release(&g);
	assert_int_equal(kill(pid, 0), -1); /* waited for, too */
	assert_false(is_there(real_path(&n, "/calls")));
	assert_true(is_there(kernel_path(&n, run)));
	guard_release(&g);
	scratch_remove(&s, &n.arena, &n.left);
	node_close(&n);
}

static void one_that_was_killed_can_be_released(void **state)
{
	struct guard_job job = { .end_all = end_never, .uri = "", .run = run };
	struct scratch s;
	struct guard g;
	struct node n;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	node_open(&n);
	make(&n, &s);
	job.scratch = &s;
	assert_rc(guard_start(&g, &job, &n.e), RC_OK, &n.e);
	kill(g.pid, SIGKILL);
	guard_release(&g);
	scratch_remove(&s, &n.arena, &n.left);
	assert_int_equal(n.left.count, 0);
	node_close(&n);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			when_the_peer_is_killed_guests_end_until_twice_there_were_none),
		cmocka_unit_test(a_daemon_that_cannot_be_asked_is_asked_again),
		cmocka_unit_test(
			one_that_gives_up_tells_the_log_and_leaves_the_run_to_a_sweep),
		cmocka_unit_test(it_holds_nothing_of_the_peer_s_but_the_scratch),
		cmocka_unit_test(signals_that_end_sessions_do_not_end_it),
		cmocka_unit_test(one_that_is_released_does_nothing),
		cmocka_unit_test(one_that_was_killed_can_be_released),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
