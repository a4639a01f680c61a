#include "tests/support/boot.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/net/image.h"

const char nonce[] = "00112233445566778899aabbccddeeff";

/* The peer of these tests: says who it is and what comes on its standard input. */
const char peer[] = "#!/bin/sh\n"
		    "[ \"$*\" = --protocol ] && echo 1 && exit\n"
		    "[ $# = 0 ] || echo \"peer told $# $*\"\n"
		    "echo \"peer umask $(umask)\"\n"
		    "exec cat\n";

const size_t peer_size = sizeof(peer) - 1;

char folder[64], gzipped[512], hash[DIGEST_HEX_MAX];
size_t gzipped_size;
const char *path_variable, *first_words = "";

char *make_command(struct arena *arena, bool become)
{
	struct bootstrap b = { nonce, hash, peer_size, gzipped_size, 1,
		image_of_peer().machine, become, first_words };
	char *command = bootstrap_command(&b, arena);

	assert_non_null(command);
	return command;
}

/* sh -c COMMAND as sshd runs it, with a home and the two other variables. */
struct child start_shell(const char *const *shell, const char *command, const char *home,
	const char *runtime)
{
	int in[2], out[2];
	struct child c;
	char errors[128];

	snprintf(errors, sizeof(errors), "%s/errors", folder);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	c.pid = fork();
	if (c.pid == 0) {
		const char *args[8] = { NULL };
		size_t n = 0;
		int fd = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		for (; shell[n]; n++)
			args[n] = shell[n];
		args[n++] = "-c";
		args[n++] = command;
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(fd, 2);
		setenv("HOME", home, 1);
		setenv("PATH", path_variable, 1);
		setenv("XDG_RUNTIME_DIR", runtime, 1);
		unsetenv("XDG_CACHE_HOME");
		umask(027);
		execvp(args[0], (char *const *)args);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	c.in = in[1];
	c.out = out[0];
	return c;
}

static bool read_some(const struct child *c, struct buf *in)
{
	char data[4096];
	ssize_t n = read(c->out, data, sizeof(data));

	if (n > 0)
		buf_append(in, data, (size_t)n);
	return n > 0;
}

bool next_start(const struct child *c, struct buf *in, struct bootstrap_start *out)
{
	struct err e;
	enum rc rc;

	while ((rc = bootstrap_take_start(in, nonce, out, &e)) == RC_AGAIN)
		if (!read_some(c, in))
			return false;
	assert_rc(rc, RC_OK, &e);
	return true;
}

static void read_errors(char *out, size_t size)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/errors", folder);
	file = fopen(path, "r");
	assert_non_null(file);
	out[fread(out, 1, size - 1, file)] = '\0';
	fclose(file);
}

/* The whole dialogue; sends push bytes of the image, then "frames". */
struct result talk(
	const struct child *c, const void *image, size_t push, bool close_early)
{
	struct buf in = buf_with_cap(1024 * 1024);
	struct result r;
	struct bytes rest;

	memset(&r, 0, sizeof(r));
	if (next_start(c, &in, &r.first) && r.first.word == BOOTSTRAP_NEED) {
		assert_int_equal(write(c->in, image, push), push);
		if (!close_early)
			assert_int_equal(write(c->in, "frames", 6), 6);
		close(c->in);
		r.second_came = next_start(c, &in, &r.second);
	} else {
		if (r.first.word == BOOTSTRAP_HAVE)
			assert_int_equal(write(c->in, "frames", 6), 6);
		close(c->in);
	}
	while (read_some(c, &in))
		;
	rest = buf_bytes(&in);
	snprintf(r.rest, sizeof(r.rest), "%.*s", (int)rest.size,
		rest.size ? (const char *)rest.data : "");
	buf_destroy(&in);
	close(c->out);
	waitpid(c->pid, NULL, 0);
	read_errors(r.errors, sizeof(r.errors));
	return r;
}

struct result run_in(const char *const *shell, const char *home, bool become)
{
	static const char none[] = "";
	struct arena arena = { NULL };
	struct child c = start_shell(shell, make_command(&arena, become), home, none);
	struct result r = talk(&c, gzipped, gzipped_size, false);

	arena_destroy(&arena);
	return r;
}

const char *const sh[] = { "sh", NULL };

void make_home(char home[static 96], const char *name)
{
	snprintf(home, 96, "%s/%s", folder, name);
	test_run("rm -rf %s && mkdir -m 755 %s", home, home);
}

int boot_make(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct digest d = digest_of(peer, peer_size);
	char path[96];
	FILE *file;

	(void)state;
	path_variable = "/usr/bin:/bin";
	snprintf(folder, sizeof(folder), "%.40s/cpuherd-boot.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return 1;
	digest_to_hex(&d, hash);
	snprintf(path, sizeof(path), "%s/peer", folder);
	test_write_file(path, peer);
	test_run("gzip -9n %s", path);
	strcat(path, ".gz");
	file = fopen(path, "r");
	gzipped_size = file ? fread(gzipped, 1, sizeof(gzipped), file) : 0;
	if (file)
		fclose(file);
	return gzipped_size ? 0 : 1;
}

int boot_unmake(void **state)
{
	(void)state;
	test_run("rm -rf %s", folder);
	return 0;
}
