/* The one shell line, run by every shell that is here, in homes of every kind. */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/limits.h"
#include "tests/support/boot.h"

/* The longest that there are, with the digits that a number could be taken for. */
static const char *longest_words(void)
{
	static char words[2 * LIMIT_FIRST_BYTES + 1];

	for (size_t i = 0; i + 1 < sizeof(words); i++)
		words[i] = "0e1234567890abcdf"[i % 17];
	return words;
}

/* The peer got these words, once, and then its standard input. */
static void assert_told(const struct result *r, const char *words)
{
	static char wanted[sizeof(r->rest)];

	snprintf(wanted, sizeof(wanted),
		"peer told 2 --first %s\npeer umask 0027\nframes", words);
	assert_string_equal(r->rest, wanted);
}

/* Runs with an empty home, then with what that left. */
static void push_then_cached(const char *const *shell)
{
	char home[96];
	struct result r;

	make_home(home, "plain");
	first_words = longest_words();
	r = run_in(shell, home, false);
	assert_int_equal(r.first.word, BOOTSTRAP_NEED);
	assert_true(r.second_came);
	assert_int_equal(r.second.word, BOOTSTRAP_HAVE);
	assert_told(&r, longest_words());
	test_run("cd %s/.cache/cpuherd && test \"$(ls -A)\" = cpuherd-peer-%s && "
		 "test \"$(stat -c %%a .)\" = 700",
		home, hash);
	r = run_in(shell, home, false);
	assert_int_equal(r.first.word, BOOTSTRAP_HAVE);
	assert_contains(r.first.text, "cached");
	assert_told(&r, longest_words());
	first_words = "";
	r = run_in(shell, home, false);
	assert_string_equal(r.rest, "peer umask 0027\nframes");
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
	test_run("rm -rf %s/bin && mkdir %s/bin && for t in %s; do "
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

	test_run("rm -rf %s/bin && mkdir %s/bin && for t in %s; do "
		 "ln -s \"$(command -v $t)\" %s/bin/$t; done",
		folder, folder, names, folder);
	use_tools(path);
	c = start_shell(sh, make_command(&arena, false), home, "");
	r = talk(&c, peer, peer_size, false);
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
	test_run("mkdir -p %s/.cache/cpuherd && cd %s/.cache/cpuherd && "
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
	test_run("mkdir -p %s/.cache/cpuherd && chmod 777 %s/.cache/cpuherd", home, home);
	r = run_in(sh, home, false);
	assert_peer_ran(r);
	test_run("test $(stat -c %%a %s/.cache/cpuherd) = 700", home);
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
		test_run("test -z \"$(ls -A %s/.cache/cpuherd)\"", home);
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
	test_run("test -z \"$(ls -A %s/.cache/cpuherd)\"", home);
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
	test_run("mkdir -p %s/.cache/cpuherd", home);
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
	first_words = "00ff";
	c = start_shell(sh, make_command(&arena, false), "/dev/null", runtime);
	first_words = "";
	r = talk(&c, gzipped, gzipped_size, false);
	assert_contains(r.first.text, runtime);
	assert_told(&r, "00ff");
	test_run("test -z \"$(ls -A %s)\"", runtime);
	arena_destroy(&arena);
}

/* ---- becoming root, other machines */

static void a_sudo_that_refuses_is_heard(void **state)
{
	char home[96], path[128];
	struct result r;

	(void)state;
	make_home(home, "sudo");
	test_run(
		"mkdir %s/tools && printf '#!/bin/sh\\necho sudo: a password is required "
		">&2; exit 1\\n' >%s/tools/sudo && chmod 755 %s/tools/sudo",
		home, home, home);
	snprintf(path, sizeof(path), "%s/tools:/usr/bin:/bin", home);
	path_variable = path;
	r = run_in(sh, home, true);
	path_variable = "/usr/bin:/bin";
	assert_string_equal(r.rest, "");
	assert_contains(r.errors, "a password is required");
}

/* A home with a folder of tools that come first in PATH: among them the peer. */
static void package_peer(char home[static 96], char path[static 128])
{
	char file[128];

	make_home(home, "package");
	snprintf(path, 128, "%s/tools:/usr/bin:/bin", home);
	snprintf(file, sizeof(file), "%s/tools/cpuherd-peer", home);
	test_run("mkdir %s/tools", home);
	test_write_file(file, peer);
	test_run("chmod 755 %s", file);
}

static void a_packaged_peer_is_told_the_first_words(void **state)
{
	char home[96], path[128];
	struct result r;

	(void)state;
	package_peer(home, path);
	path_variable = path;
	first_words = "00ff";
	r = run_in(sh, home, false);
	first_words = "";
	path_variable = "/usr/bin:/bin";
	assert_contains(r.first.text, "packaged");
	assert_told(&r, "00ff");
}

static void become_runs_the_peer_through_sudo(void **state)
{
	char home[96], path[128];
	struct result r;

	(void)state;
	make_home(home, "sudo");
	test_run("mkdir %s/tools && printf '#!/bin/sh\\n[ \"$1 $2\" = \"-n --\" ] && "
		 "shift 2 "
		 "&& "
		 "echo by sudo && exec \"$@\"\\n' >%s/tools/sudo && chmod 755 "
		 "%s/tools/sudo",
		home, home, home);
	snprintf(path, sizeof(path), "%s/tools:/usr/bin:/bin", home);
	path_variable = path;
	first_words = "00ff";
	r = run_in(sh, home, true);
	first_words = "";
	path_variable = "/usr/bin:/bin";
	assert_contains(r.rest, "by sudo\npeer told 2 --first 00ff\npeer umask");
}

static void a_node_of_another_machine_is_told_so(void **state)
{
	struct bootstrap b = { nonce, hash, 1, 1, 1, "pdp11", false, "" };
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
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
		cmocka_unit_test(a_packaged_peer_is_told_the_first_words),
		cmocka_unit_test(become_runs_the_peer_through_sudo),
		cmocka_unit_test(a_node_of_another_machine_is_told_so),
	};

	signal(SIGPIPE, SIG_IGN);
	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, boot_make, boot_unmake);
}
