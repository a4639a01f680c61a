/* The one shell line, run by every shell that is here, in homes of every kind. */
#include <ctype.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "coordinator/net/bootstrap.h"
#include "coordinator/net/image.h"
#include "tests/support/test.h"

static const char nonce[] = "00112233445566778899aabbccddeeff";

/* The peer of these tests: says who it is and what comes on its standard input. */
static const char peer[] = "#!/bin/sh\n"
			   "echo \"peer umask $(umask)\"\n"
			   "exec cat\n";

static char folder[64], gzipped[512], hash[DIGEST_HEX_MAX];
static size_t gzipped_size;
static const char *path_variable;

static void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void run(const char *fmt, ...)
{
	char command[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static char *make_command(struct arena *arena, bool become)
{
	struct bootstrap b = { nonce, hash, sizeof(peer) - 1, gzipped_size, 1,
		image_of_peer().machine, become };
	char *command = bootstrap_command(&b, arena);

	assert_non_null(command);
	return command;
}

/* ---- the text and its answers */

static void the_command_survives_single_quotes_in_any_shell(void **state)
{
	struct arena arena = { NULL };
	const char *command = make_command(&arena, true);
	unsigned quotes = 0;

	(void)state;
	for (const char *c = command; *c; c++) {
		quotes += *c == '\'';
		assert_true(*c != '!' && *c != '\\' && *c != '\n');
		assert_true(isprint((unsigned char)*c));
	}
	assert_int_equal(quotes, 2);
	arena_destroy(&arena);
}

static enum rc take(const char *text, struct bootstrap_start *out, size_t *left)
{
	struct buf in = buf_with_cap(1024 * 1024);
	struct err e;
	enum rc rc;

	buf_append_text(&in, text);
	rc = bootstrap_take_start(&in, nonce, out, &e);
	*left = buf_bytes(&in).size;
	buf_destroy(&in);
	return rc;
}

static void a_start_line_is_found_behind_chatter_at_every_cut(void **state)
{
	static const char text[] = "motd\ncpuherd-start 123 have x\nno newline"
				   "cpuherd-start 00112233445566778899aabbccddeeff "
				   "need gzip /tmp\n";
	struct bootstrap_start start;
	size_t left;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		char part[sizeof(text)];

		snprintf(part, sizeof(part), "%.*s", (int)n, text);
		assert_int_equal(take(part, &start, &left), RC_AGAIN);
		assert_int_equal(left, n);
	}
	assert_int_equal(take(text, &start, &left), RC_OK);
	assert_int_equal(left, 0);
	assert_int_equal(start.word, BOOTSTRAP_NEED);
	assert_string_equal(start.text, "gzip /tmp");
	assert_true(bootstrap_wants_gzip(&start));
}

static void bytes_behind_the_start_line_stay(void **state)
{
	struct bootstrap_start start;
	size_t left;

	(void)state;
	assert_int_equal(take("cpuherd-start 00112233445566778899aabbccddeeff have "
			      "cached /x\nFRAME",
				 &start, &left),
		RC_OK);
	assert_int_equal(left, 5);
	assert_int_equal(start.word, BOOTSTRAP_HAVE);
}

static void nonsense_in_a_start_line_is_refused(void **state)
{
	struct bootstrap_start start;
	size_t left;

	(void)state;
	assert_int_equal(take("cpuherd-start 00112233445566778899aabbccddeeff what\n",
				 &start, &left),
		RC_PEER);
}

static void control_bytes_in_a_start_line_do_not_reach_a_terminal(void **state)
{
	struct bootstrap_start start;
	size_t left;

	(void)state;
	assert_int_equal(take("cpuherd-start 00112233445566778899aabbccddeeff fail "
			      "\033[2Jx\n",
				 &start, &left),
		RC_OK);
	assert_null(strchr(start.text, '\033'));
}

static void endless_chatter_is_refused(void **state)
{
	struct bootstrap_start start;
	char *text = malloc(BOOTSTRAP_NOISE_MAX + 2);
	size_t left;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', BOOTSTRAP_NOISE_MAX + 1);
	text[BOOTSTRAP_NOISE_MAX + 1] = '\0';
	assert_int_equal(take(text, &start, &left), RC_LIMIT);
	free(text);
}

/* ---- running it */

struct result {
	struct bootstrap_start first, second;
	bool second_came;
	char rest[4096]; /* what the peer printed */
	char errors[4096];
};

struct child {
	pid_t pid;
	int in, out;
};

/* sh -c COMMAND as sshd runs it, with a home and the two other variables. */
static struct child start_shell(const char *const *shell, const char *command,
	const char *home, const char *runtime)
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

static bool next_start(const struct child *c, struct buf *in, struct bootstrap_start *out)
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
static struct result talk(
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

static struct result run_in(const char *const *shell, const char *home, bool become)
{
	static const char none[] = "";
	struct arena arena = { NULL };
	struct child c = start_shell(shell, make_command(&arena, become), home, none);
	struct result r = talk(&c, gzipped, gzipped_size, false);

	arena_destroy(&arena);
	return r;
}

static const char *const sh[] = { "sh", NULL };

static void make_home(char home[static 96], const char *name)
{
	snprintf(home, 96, "%s/%s", folder, name);
	run("rm -rf %s && mkdir -m 755 %s", home, home);
}

#define assert_peer_ran(r) \
	do { \
		if (!strstr((r).rest, "peer umask 0027\nframes")) \
			fail_msg("the peer did not run: first \"%s\", second \"%s\", " \
				 "out \"%s\", errors \"%s\"", \
				(r).first.text, (r).second.text, (r).rest, (r).errors); \
	} while (0)

/* Runs with an empty home, then with what that left. */
static void push_then_cached(const char *const *shell)
{
	char home[96];
	struct result r;

	make_home(home, "plain");
	r = run_in(shell, home, false);
	assert_int_equal(r.first.word, BOOTSTRAP_NEED);
	assert_true(r.second_came);
	assert_int_equal(r.second.word, BOOTSTRAP_HAVE);
	assert_peer_ran(r);
	run("cd %s/.cache/cpuherd && test \"$(ls -A)\" = cpuherd-peer-%s && "
	    "test \"$(stat -c %%a .)\" = 700",
		home, hash);
	r = run_in(shell, home, false);
	assert_int_equal(r.first.word, BOOTSTRAP_HAVE);
	assert_contains(r.first.text, "cached");
	assert_peer_ran(r);
}

static void login_shell(const char *const *shell)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", shell[0]);
	if (system(command) != 0) {
		print_message("%s is not here\n", shell[0]);
		skip();
	}
	push_then_cached(shell);
}

static void dash_pushes_and_then_finds_the_cache(void **state)
{
	(void)state;
	login_shell((const char *const[]){ "dash", NULL });
}

static void bash_pushes_and_then_finds_the_cache(void **state)
{
	(void)state;
	login_shell((const char *const[]){ "bash", NULL });
}

static void tcsh_pushes_and_then_finds_the_cache(void **state)
{
	(void)state;
	login_shell((const char *const[]){ "tcsh", NULL });
}

static void fish_pushes_and_then_finds_the_cache(void **state)
{
	(void)state;
	login_shell((const char *const[]){ "fish", NULL });
}

static void zsh_pushes_and_then_finds_the_cache(void **state)
{
	(void)state;
	login_shell((const char *const[]){ "zsh", NULL });
}

/* A PATH with nothing but these programs in it, linked to one that is all. */
static void link_tools(const char *names, const char *program)
{
	run("rm -rf %s/bin && mkdir %s/bin && for t in %s; do "
	    "ln -s %s %s/bin/$t; done",
		folder, folder, names, program, folder);
}

#define TOOLS "sh sha256sum dd mktemp uname cat chmod mkdir mv rm cp echo"

static void use_tools(char path[static 96])
{
	snprintf(path, 96, "%s/bin", folder);
	path_variable = path;
}

static void busybox_alone_is_enough(void **state)
{
	char path[96];

	(void)state;
	if (access("/bin/busybox", X_OK) != 0)
		skip();
	link_tools(TOOLS " gzip", "/bin/busybox");
	use_tools(path);
	push_then_cached(sh);
	path_variable = "/usr/bin:/bin";
}

static struct result run_with_tools(const char *names, const char *home)
{
	struct arena arena = { NULL };
	struct result r;
	struct child c;
	char path[96];

	run("rm -rf %s/bin && mkdir %s/bin && for t in %s; do "
	    "ln -s \"$(command -v $t)\" %s/bin/$t; done",
		folder, folder, names, folder);
	use_tools(path);
	c = start_shell(sh, make_command(&arena, false), home, "");
	r = talk(&c, peer, sizeof(peer) - 1, false);
	arena_destroy(&arena);
	path_variable = "/usr/bin:/bin";
	return r;
}

static void without_gzip_the_plain_image_is_asked_for(void **state)
{
	struct result r;
	char home[96];

	(void)state;
	make_home(home, "plain");
	r = run_with_tools("sh sha256sum dd mktemp uname cat chmod mkdir mv rm cp", home);
	assert_int_equal(r.first.word, BOOTSTRAP_NEED);
	assert_false(bootstrap_wants_gzip(&r.first));
	assert_peer_ran(r);
}

static void without_sha256sum_nothing_is_run(void **state)
{
	struct result r;
	char home[96];

	(void)state;
	make_home(home, "plain");
	r = run_with_tools("sh dd mktemp uname cat chmod mkdir mv rm cp", home);
	assert_int_equal(r.first.word, BOOTSTRAP_FAIL);
	assert_contains(r.first.text, "no sha256sum");
}

static void a_wrong_file_in_the_cache_is_replaced(void **state)
{
	struct result r;
	char home[96];

	(void)state;
	make_home(home, "wrong");
	run("mkdir -p %s/.cache/cpuherd && cd %s/.cache/cpuherd && "
	    "printf '#!/bin/sh\\necho evil\\n' >cpuherd-peer-%s && chmod 755 *",
		home, home, hash);
	r = run_in(sh, home, false);
	assert_int_equal(r.first.word, BOOTSTRAP_NEED);
	assert_peer_ran(r);
	assert_null(strstr(r.rest, "evil"));
	r = run_in(sh, home, false);
	assert_int_equal(r.first.word, BOOTSTRAP_HAVE);
}

static void an_open_cache_folder_is_made_private(void **state)
{
	struct result r;
	char home[96];

	(void)state;
	make_home(home, "open");
	run("mkdir -p %s/.cache/cpuherd && chmod 777 %s/.cache/cpuherd", home, home);
	r = run_in(sh, home, false);
	assert_peer_ran(r);
	run("test $(stat -c %%a %s/.cache/cpuherd) = 700", home);
}

/* Every length but the right one fails, and leaves nothing behind. */
static void a_push_that_is_cut_short_leaves_nothing(void **state)
{
	struct arena arena = { NULL };
	const char *command = make_command(&arena, false);
	char home[96];

	(void)state;
	make_home(home, "cut");
	for (size_t n = 0; n < gzipped_size; n += gzipped_size / 4) {
		struct child c = start_shell(sh, command, home, "");
		struct result r = talk(&c, gzipped, n, true);

		assert_true(r.second_came);
		assert_int_equal(r.second.word, BOOTSTRAP_FAIL);
		run("test -z \"$(ls -A %s/.cache/cpuherd)\"", home);
	}
	arena_destroy(&arena);
}

/* The image arrives in two pieces, the second when the first was read. */
static void a_push_in_pieces_is_put_together(void **state)
{
	struct buf in = buf_with_cap(64 * 1024);
	struct arena arena = { NULL };
	struct bootstrap_start start;
	char home[96];
	struct child c;
	int unread = 1;

	(void)state;
	make_home(home, "pieces");
	c = start_shell(sh, make_command(&arena, false), home, "");
	assert_true(next_start(&c, &in, &start));
	assert_int_equal(write(c.in, gzipped, 10), 10);
	while (unread) {
		assert_int_equal(ioctl(c.in, FIONREAD, &unread), 0);
		sched_yield();
	}
	assert_int_equal(write(c.in, gzipped + 10, gzipped_size - 10), gzipped_size - 10);
	assert_true(next_start(&c, &in, &start));
	assert_int_equal(start.word, BOOTSTRAP_HAVE);
	close(c.in);
	close(c.out);
	waitpid(c.pid, NULL, 0);
	buf_destroy(&in);
	arena_destroy(&arena);
}

static void a_push_of_other_bytes_is_not_run(void **state)
{
	struct arena arena = { NULL };
	char home[96], wrong[sizeof(gzipped)];
	struct child c;
	struct result r;

	(void)state;
	make_home(home, "other");
	memcpy(wrong, gzipped, gzipped_size);
	wrong[gzipped_size / 2] ^= 1;
	c = start_shell(sh, make_command(&arena, false), home, "");
	r = talk(&c, wrong, gzipped_size, false);
	assert_int_equal(r.second.word, BOOTSTRAP_FAIL);
	assert_null(strstr(r.rest, "peer"));
	run("test -z \"$(ls -A %s/.cache/cpuherd)\"", home);
	arena_destroy(&arena);
}

/* ---- places that will not do */

static bool mount_home(char home[static 96], const char *name, const char *options)
{
	unsigned long flags = strcmp(options, "noexec") == 0 ? MS_NOEXEC : 0;

	make_home(home, name);
	if (strcmp(options, "ro") == 0)
		flags = MS_RDONLY;
	if (mount("cpuherd-test", home, "tmpfs", flags,
		    strncmp(options, "size", 4) == 0 ? options : "") == 0)
		return true;
	print_message("a tmpfs cannot be mounted here\n");
	return false;
}

static struct result run_on(const char *name, const char *options)
{
	struct result r;
	char home[96];

	if (!mount_home(home, name, options))
		skip();
	r = run_in(sh, home, false);
	umount2(home, MNT_DETACH);
	return r;
}

static void a_home_without_exec_gives_way_to_the_next_place(void **state)
{
	struct result r = run_on("noexec", "noexec");

	(void)state;
	assert_contains(r.first.text, "noexec/.cache/cpuherd: programs cannot be run");
	assert_peer_ran(r);
}

static void a_read_only_home_gives_way_to_the_next_place(void **state)
{
	struct result r = run_on("readonly", "ro");

	(void)state;
	assert_contains(r.first.text, "Read-only file system");
	assert_peer_ran(r);
}

static void a_full_home_gives_way_to_the_next_place(void **state)
{
	char home[96], path[128], junk[64 * 1024] = "";
	struct result r;
	FILE *file;

	(void)state;
	if (!mount_home(home, "full", "size=64k"))
		skip();
	run("mkdir -p %s/.cache/cpuherd", home);
	snprintf(path, sizeof(path), "%s/junk", home);
	file = fopen(path, "w");
	assert_non_null(file);
	setvbuf(file, NULL, _IONBF, 0);
	fwrite(junk, 1, sizeof(junk), file);
	fclose(file);
	r = run_in(sh, home, false);
	umount2(home, MNT_DETACH);
	assert_contains(r.first.text, "No space left on device");
	assert_peer_ran(r);
}

static void no_home_at_all_gives_way_to_the_next_place(void **state)
{
	struct result r = run_in(sh, "/dev/null", false);

	(void)state;
	assert_contains(r.first.text, "/dev/null/.cache/cpuherd:");
	assert_peer_ran(r);
}

static void a_temporary_place_is_cleaned_up(void **state)
{
	char runtime[96];
	struct arena arena = { NULL };
	struct child c;
	struct result r;

	(void)state;
	make_home(runtime, "runtime");
	c = start_shell(sh, make_command(&arena, false), "/dev/null", runtime);
	r = talk(&c, gzipped, gzipped_size, false);
	assert_contains(r.first.text, runtime);
	assert_peer_ran(r);
	run("test -z \"$(ls -A %s)\"", runtime);
	arena_destroy(&arena);
}

/* ---- becoming root, other machines */

static void a_sudo_that_refuses_is_heard(void **state)
{
	char home[96], path[128];
	struct result r;

	(void)state;
	make_home(home, "sudo");
	run("mkdir %s/tools && printf '#!/bin/sh\\necho sudo: a password is required "
	    ">&2; exit 1\\n' >%s/tools/sudo && chmod 755 %s/tools/sudo",
		home, home, home);
	snprintf(path, sizeof(path), "%s/tools:/usr/bin:/bin", home);
	path_variable = path;
	r = run_in(sh, home, true);
	path_variable = "/usr/bin:/bin";
	assert_string_equal(r.rest, "");
	assert_contains(r.errors, "a password is required");
}

static void become_runs_the_peer_through_sudo(void **state)
{
	char home[96], path[128];
	struct result r;

	(void)state;
	make_home(home, "sudo");
	run("mkdir %s/tools && printf '#!/bin/sh\\n[ \"$1 $2\" = \"-n --\" ] && shift 2 "
	    "&& "
	    "echo by sudo && exec \"$@\"\\n' >%s/tools/sudo && chmod 755 %s/tools/sudo",
		home, home, home);
	snprintf(path, sizeof(path), "%s/tools:/usr/bin:/bin", home);
	path_variable = path;
	r = run_in(sh, home, true);
	path_variable = "/usr/bin:/bin";
	assert_contains(r.rest, "by sudo\npeer umask");
}

static void a_node_of_another_machine_is_told_so(void **state)
{
	struct bootstrap b = { nonce, hash, 1, 1, 1, "pdp11", false };
	struct arena arena = { NULL };
	struct child c;
	struct result r;

	(void)state;
	c = start_shell(sh, bootstrap_command(&b, &arena), folder, "");
	r = talk(&c, "", 0, true);
	assert_int_equal(r.first.word, BOOTSTRAP_FAIL);
	assert_contains(r.first.text, "carries is pdp11");
	arena_destroy(&arena);
}

static void the_image_in_the_program_is_a_gzipped_executable(void **state)
{
	struct image image = image_of_peer();

	(void)state;
	assert_true(image.raw.size > 1000 && image.raw.size < 150 * 1024);
	assert_memory_equal(image.raw.data, "\177ELF", 4);
	assert_true(image.gzip.size < image.raw.size);
	assert_memory_equal(image.gzip.data, "\037\213", 2);
}

static int make(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct digest d = digest_of(peer, sizeof(peer) - 1);
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
	run("gzip -9n %s", path);
	strcat(path, ".gz");
	file = fopen(path, "r");
	gzipped_size = file ? fread(gzipped, 1, sizeof(gzipped), file) : 0;
	if (file)
		fclose(file);
	return gzipped_size ? 0 : 1;
}

static int unmake(void **state)
{
	(void)state;
	run("rm -rf %s", folder);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_command_survives_single_quotes_in_any_shell),
		cmocka_unit_test(a_start_line_is_found_behind_chatter_at_every_cut),
		cmocka_unit_test(bytes_behind_the_start_line_stay),
		cmocka_unit_test(nonsense_in_a_start_line_is_refused),
		cmocka_unit_test(control_bytes_in_a_start_line_do_not_reach_a_terminal),
		cmocka_unit_test(endless_chatter_is_refused),
		cmocka_unit_test(dash_pushes_and_then_finds_the_cache),
		cmocka_unit_test(bash_pushes_and_then_finds_the_cache),
		cmocka_unit_test(tcsh_pushes_and_then_finds_the_cache),
		cmocka_unit_test(fish_pushes_and_then_finds_the_cache),
		cmocka_unit_test(zsh_pushes_and_then_finds_the_cache),
		cmocka_unit_test(busybox_alone_is_enough),
		cmocka_unit_test(without_gzip_the_plain_image_is_asked_for),
		cmocka_unit_test(without_sha256sum_nothing_is_run),
		cmocka_unit_test(a_wrong_file_in_the_cache_is_replaced),
		cmocka_unit_test(an_open_cache_folder_is_made_private),
		cmocka_unit_test(a_push_that_is_cut_short_leaves_nothing),
		cmocka_unit_test(a_push_in_pieces_is_put_together),
		cmocka_unit_test(a_push_of_other_bytes_is_not_run),
		cmocka_unit_test(a_home_without_exec_gives_way_to_the_next_place),
		cmocka_unit_test(a_read_only_home_gives_way_to_the_next_place),
		cmocka_unit_test(a_full_home_gives_way_to_the_next_place),
		cmocka_unit_test(no_home_at_all_gives_way_to_the_next_place),
		cmocka_unit_test(a_temporary_place_is_cleaned_up),
		cmocka_unit_test(a_sudo_that_refuses_is_heard),
		cmocka_unit_test(become_runs_the_peer_through_sudo),
		cmocka_unit_test(a_node_of_another_machine_is_told_so),
		cmocka_unit_test(the_image_in_the_program_is_a_gzipped_executable),
	};

	signal(SIGPIPE, SIG_IGN);
	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, unmake);
}
