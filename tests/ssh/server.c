#include "tests/ssh/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"

static const char sshd[] = "/usr/sbin/sshd";

char *read_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 64 * 1024);
	size_t n;

	assert_non_null(file);
	assert_non_null(text);
	n = fread(text, 1, 64 * 1024 - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

static void need(const char *program)
{
	if (access(program, X_OK) == 0)
		return;
	printf("skipped: %s is missing\n", program);
	exit(77);
}

void site_make(struct site *site, bool with_ssh)
{
	const char *tmp = getenv("TMPDIR");

	need(sshd);
	if (with_ssh)
		need("/usr/bin/ssh");
	snprintf(site->folder, sizeof(site->folder), "%.40s/cpuherd-ssh.XXXXXX",
		tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(site->folder));
	if (getuid() == 0)
		mkdir("/run/sshd", 0755); /* sshd wants it */
	snprintf(site->home, sizeof(site->home), "%s/home", site->folder);
	snprintf(site->host_key, sizeof(site->host_key), "%s/host", site->folder);
	snprintf(site->other_host_key, sizeof(site->other_host_key), "%s/other-host",
		site->folder);
	snprintf(site->user_key, sizeof(site->user_key), "%s/user", site->folder);
	snprintf(site->other_user_key, sizeof(site->other_user_key), "%s/other-user",
		site->folder);
	snprintf(site->rsa_key, sizeof(site->rsa_key), "%s/rsa", site->folder);
	snprintf(site->locked_key, sizeof(site->locked_key), "%s/locked", site->folder);
	test_run("cd %s && mkdir -m 755 home empty && for k in host other-host user "
		 "other-user; do ssh-keygen -q -t ed25519 -N '' -C test -f $k; done && "
		 "ssh-keygen -q -t rsa -b 2048 -N '' -C test -f rsa && "
		 "ssh-keygen -q -t ed25519 -N secret -a 1 -C test -f locked && "
		 "cat user.pub rsa.pub locked.pub > authorized",
		site->folder);
}

void site_remove(const struct site *site)
{
	test_run("rm -rf %s", site->folder);
}

/* ---- one connection, in its own process */

static void become_sshd(const struct site *site, int fd, const char *config)
{
	char log[128];

	snprintf(log, sizeof(log), "%s/sshd.log", site->folder);
	dup2(fd, 0);
	dup2(fd, 1);
	execl(sshd, sshd, "-i", "-f", config, "-E", log, (char *)NULL);
	_exit(127);
}

static bool copy_some(int from, int to, size_t most, size_t *copied)
{
	char data[4096];
	ssize_t n = read(from, data, most < sizeof(data) ? most : sizeof(data));

	if (n <= 0)
		return false;
	*copied = (size_t)n;
	return write(to, data, (size_t)n) == n;
}

/* Lets so many bytes of the server pass, then cuts the line. */
static void cut_after(const struct site *site, int fd, const char *config, size_t left)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		_exit(1);
	if (fork() == 0) {
		close(pair[0]);
		become_sshd(site, pair[1], config);
	}
	close(pair[1]);
	while (left) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
			{ .fd = pair[0], .events = POLLIN } };
		size_t n = 0;

		poll(fds, 2, -1);
		if (fds[0].revents && !copy_some(fd, pair[0], 4096, &n))
			break;
		if (fds[1].revents && !copy_some(pair[0], fd, left, &n))
			break;
		left -= fds[1].revents ? n : 0;
	}
	_exit(0);
}

static void talk_for_ever(int fd)
{
	static const char line[] = "Welcome, welcome, and once more welcome.\r\n";

	while (send(fd, line, sizeof(line) - 1, MSG_NOSIGNAL) > 0)
		;
	_exit(0);
}

static void stay_silent(int fd)
{
	static const char banner[] = "SSH-2.0-OpenSSH_9.2\r\n";
	char data[4096];

	if (write(fd, banner, sizeof(banner) - 1) < 0)
		_exit(1);
	while (read(fd, data, sizeof(data)) > 0)
		;
	_exit(0);
}

static void serve(const struct site *site, int fd, const char *config,
	const struct server_options *options)
{
	switch (options->manners) {
	case SERVER_SSHD:
	case SERVER_FULL:
		become_sshd(site, fd, config);
		break;
	case SERVER_SILENT:
		stay_silent(fd);
		break;
	case SERVER_TALKER:
		talk_for_ever(fd);
		break;
	case SERVER_CUT:
		cut_after(site, fd, config, options->cut);
		break;
	}
}

/* ---- listening */

static void write_config(
	const struct site *site, const struct server_options *options, const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file,
		"HostKey %s\nAuthorizedKeysFile %s/authorized\nStrictModes no\n"
		"UsePAM no\nPasswordAuthentication no\n"
		"KbdInteractiveAuthentication no\nPidFile none\n"
		"PermitRootLogin yes\nPrintMotd no\n%s\n"
		/* the first SetEnv counts; $HOME decides where start-up files are */
		"SetEnv HOME=%s PATH=/usr/bin:/bin XDG_RUNTIME_DIR=%s/empty\n",
		site->host_key, site->folder, options->config ? options->config : "",
		site->home, site->folder);
	fclose(file);
}

/* As sshd does it when MaxStartups are logging in already. */
static void turn_away(int fd)
{
	static const char words[] = "Exceeded MaxStartups\r\n";

	if (write(fd, words, sizeof(words) - 1) < 0)
		_exit(1);
	close(fd);
}

static void accept_for_ever(const struct site *site, int listener, const char *config,
	const struct server_options *options)
{
	size_t full = options->manners == SERVER_FULL ? options->cut : 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(1);
		if (full) {
			full--;
			turn_away(fd);
			continue;
		}
		if (fork() == 0) {
			signal(SIGCHLD, SIG_DFL);
			close(listener);
			serve(site, fd, config, options);
			_exit(127);
		}
		close(fd);
	}
}

struct server server_start(const struct site *site, const struct server_options *options)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct server s;
	char config[160];

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 128), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	s.port = ntohs(address.sin_port);
	snprintf(config, sizeof(config), "%s/sshd.%u.conf", site->folder, s.port);
	write_config(site, options, config);
	s.pid = fork();
	assert_true(s.pid >= 0);
	if (s.pid == 0)
		accept_for_ever(site, listener, config, options);
	close(listener);
	return s;
}

void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}
