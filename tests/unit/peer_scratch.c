/* What a run of trials has in the file system, in a node of the test's own. */
#include <errno.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "peer/pulse.h"
#include "tests/unit/peer_scratch_node.h"

/* ---- making it */

static void assert_mode(const char *path, mode_t mode)
{
	struct stat s;

	assert_int_equal(lstat(path, &s), 0);
	assert_true(S_ISREG(s.st_mode));
	assert_int_equal(s.st_mode & 07777, mode);
}

static void the_kernel_lies_where_the_xml_says(void **state)
{
	size_t size = (size_t)(trial_kernel_end - trial_kernel);
	struct node n;
	struct scratch s;
	char *text;

	(void)state;
	node_open(&n);
	make(&n, &s);
	assert_string_equal(s.kernel, "/var/tmp/cpuherd-0123456789abcdef.elf");
	text = test_read_file(&n.arena, kernel_path(&n, run));
	assert_true(size > 1000 && size < 8192);
	assert_memory_equal(text, trial_kernel, size);
	scratch_remove(&s, &n.arena, &n.left);
	assert_int_equal(n.left.count, 0);
	assert_false(is_there(kernel_path(&n, run)));
	scratch_remove(&s, &n.arena, &n.left);
	node_close(&n);
}

static void qemu_may_read_it_whatever_the_umask(void **state)
{
	mode_t before = umask(077);
	struct scratch s;
	struct node n;

	(void)state;
	node_open(&n);
	make(&n, &s);
	assert_mode(kernel_path(&n, run), 0644);
	scratch_remove(&s, &n.arena, &n.left);
	umask(0);
	n.world.session = true; /* QEMU is the user's own there */
	make(&n, &s);
	assert_mode(kernel_path(&n, run), 0600);
	scratch_remove(&s, &n.arena, &n.left);
	umask(before);
	node_close(&n);
}

static void only_tokens_are_names_of_runs(void **state)
{
	static const char *const refused[] = { "", "abcdef0", "../../etc/passwd",
		"0123456789ABCDEF", "01234567/", "01234567-g0", "012345678 ",
		"00000000000000000000000000000000000000000000000000000000000000000" };
	struct scratch s;
	struct node n;

	(void)state;
	node_open(&n);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_false(scratch_run_is_allowed(refused[i]));
		assert_rc(scratch_make(&s, &n.world, refused[i], &n.e), RC_PLACE, &n.e);
		assert_rc(scratch_adopt(&s, &n.world, refused[i], &n.e), RC_PLACE, &n.e);
		assert_false(s.made);
	}
	assert_int_equal(rmdir(real_path(&n, "/var/tmp")), 0);
	assert_rc(scratch_make(&s, &n.world, run, &n.e), RC_PLACE, &n.e);
	assert_contains(n.e.text, "cpuherd-0123456789abcdef.elf: No such file");
	test_run("mkdir %s/var/tmp", n.root);
	node_close(&n);
}

static void a_run_has_one_peer_on_a_node(void **state)
{
	struct scratch first, second;
	struct node n;

	(void)state;
	node_open(&n);
	make(&n, &first);
	assert_rc(scratch_make(&second, &n.world, run, &n.e), RC_CONFLICT, &n.e);
	assert_contains(n.e.text, "another cpuherd-peer is at work");
	assert_contains(n.e.text, "two of the nodes are one machine");
	assert_rc(scratch_adopt(&second, &n.world, run, &n.e), RC_CONFLICT, &n.e);
	scratch_remove(&second, &n.arena, &n.left);
	assert_true(is_there(kernel_path(&n, run)));
	scratch_abandon(&first);
	assert_rc(scratch_make(&second, &n.world, run, &n.e), RC_PLACE, &n.e);
	assert_contains(n.e.text, "File exists");
	assert_contains(n.e.text, "two of the nodes are one machine");
	assert_true(is_there(kernel_path(&n, run)));
	node_close(&n);
}

/* A link, a FIFO, a folder: nothing is followed, nothing hangs, nothing is removed. */
static void what_others_put_in_the_way_stays_as_it_is(void **state)
{
	static const char *const obstacles[] = { "ln -s %s/victim %s",
		"ln -s %s/nothing %s", "mkfifo -m 0644 %.0s%s", "mkdir %.0s%s" };
	struct scratch s;
	struct node n;

	(void)state;
	node_open(&n);
	test_write_file(real_path(&n, "/victim"), "mine");
	for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]); i++) {
		const char *path = kernel_path(&n, run);

		test_run(obstacles[i], n.root, path);
		assert_rc(scratch_make(&s, &n.world, run, &n.e), RC_PLACE, &n.e);
		assert_int_equal(stale_runs(&n), 0);
		assert_rc(scratch_adopt(&s, &n.world, run, &n.e), RC_CONFLICT, &n.e);
		scratch_remove(&s, &n.arena, &n.left);
		assert_true(is_there(path));
		test_run("rm -r %s", path);
	}
	assert_string_equal(test_read_file(&n.arena, real_path(&n, "/victim")), "mine");
	assert_false(is_there(real_path(&n, "/nothing")));
	node_close(&n);
}

/* ---- runs that died */

static void a_run_is_stale_when_nobody_has_its_lock(void **state)
{
	struct scratch s, swept;
	struct node n;

	(void)state;
	node_open(&n);
	test_run("touch %s/var/tmp/cpuherd-.elf %s/var/tmp/cpuherd-XYZ01234.elf "
		 "%s/var/tmp/cpuherd-%s.elf.old %s/var/tmp/%s.elf",
		n.root, n.root, n.root, other_run, n.root, other_run);
	make(&n, &s);
	assert_int_equal(stale_runs(&n), 0);
	scratch_abandon(&s);
	assert_int_equal(stale_runs(&n), 1);
	assert_string_equal(n.stale.item[0], run);
	assert_rc(scratch_adopt(&swept, &n.world, run, &n.e), RC_OK, &n.e);
	assert_int_equal(stale_runs(&n), 0);
	assert_string_equal(swept.kernel, s.kernel);
	scratch_remove(&swept, &n.arena, &n.left);
	assert_false(is_there(kernel_path(&n, run)));
	assert_rc(scratch_adopt(&swept, &n.world, run, &n.e), RC_CONFLICT, &n.e);
	node_close(&n);
}

static void a_process_that_inherited_the_lock_keeps_it(void **state)
{
	struct scratch s;
	struct node n;
	pid_t pid;

	(void)state;
	node_open(&n);
	make(&n, &s);
	pid = fork();
	if (pid == 0)
		wait_for_the_test_to_end();
	scratch_abandon(&s);
	assert_int_equal(stale_runs(&n), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(stale_runs(&n), 1);
	node_close(&n);
}

/* Who may only read the file cannot keep it from being swept. */
static void a_reader_cannot_hold_the_lock(void **state)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct scratch s;
	struct node n;
	int fd;

	(void)state;
	node_open(&n);
	make(&n, &s);
	scratch_abandon(&s);
	fd = open(kernel_path(&n, run), O_RDONLY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &all), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(stale_runs(&n), 1);
	assert_rc(scratch_adopt(&s, &n.world, run, &n.e), RC_OK, &n.e);
	scratch_remove(&s, &n.arena, &n.left);
	close(fd);
	node_close(&n);
}

static void sessions_and_the_system_leave_each_other_s_runs_alone(void **state)
{
	struct scratch system, session;
	struct node n;

	(void)state;
	node_open(&n);
	make(&n, &system);
	n.world.session = true;
	assert_rc(scratch_make(&session, &n.world, other_run, &n.e), RC_OK, &n.e);
	scratch_abandon(&system);
	scratch_abandon(&session);
	assert_int_equal(stale_runs(&n), 1);
	assert_string_equal(n.stale.item[0], other_run);
	assert_rc(scratch_adopt(&session, &n.world, run, &n.e), RC_CONFLICT, &n.e);
	n.world.session = false;
	assert_int_equal(stale_runs(&n), 1);
	assert_string_equal(n.stale.item[0], run);
	node_close(&n);
}

/* libvirt gives the file to QEMU's user while a guest runs; only root can play that. */
static void a_file_that_changed_its_owner_is_swept_by_the_system_s_run_alone(void **state)
{
	struct scratch s;
	struct node n;

	(void)state;
	if (geteuid() != 0)
		skip();
	node_open(&n);
	make(&n, &s);
	assert_int_equal(chown(kernel_path(&n, run), 4711, 4712), 0);
	scratch_abandon(&s);
	assert_int_equal(stale_runs(&n), 1);
	assert_int_equal(chmod(kernel_path(&n, run), 0600), 0);
	n.world.session = true;
	assert_int_equal(stale_runs(&n), 0);
	node_close(&n);
}

static void a_folder_full_of_runs_has_an_end(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	for (int i = 0; i < SCRATCH_STALE_MAX + 10; i++)
		test_write_file(kernel_path(&n, arena_format(&n.arena, "%08x", i)), "");
	assert_int_equal(stale_runs(&n), SCRATCH_STALE_MAX);
	node_close(&n);
}

/* ---- removing it */

static void write_log(struct node *n, const char *name)
{
	test_write_file(
		real_path(n, arena_format(&n->arena, "%s/%s", n->world.logs, name)),
		"log");
}

static bool has_log(struct node *n, const char *name)
{
	return is_there(
		real_path(n, arena_format(&n->arena, "%s/%s", n->world.logs, name)));
}

static void logs_of_the_run_go_and_those_of_others_stay(void **state)
{
	static const char *const ours[] = { "cpuherd-0123456789abcdef-g0.log",
		"cpuherd-0123456789abcdef-trial.log",
		"cpuherd-0123456789abcdef-g0.log.1" };
	static const char *const others[] = { "vm.log", "cpuherd-0123456789abcde-g0.log",
		"cpuherd-0123456789abcdef0-g0.log", "cpuherd-fedcba9876543210-g0.log",
		"cpuherd-0123456789abcdef-g0.txt", "my-cpuherd-0123456789abcdef-g0.log" };
	struct scratch s;
	struct node n;

	(void)state;
	node_open(&n);
	make(&n, &s);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		write_log(&n, ours[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		write_log(&n, others[i]);
	test_write_file(real_path(&n, "/victim"), "mine");
	test_run("ln -s %s/victim %s%s/cpuherd-%s-g1.log", n.root, n.root, n.world.logs,
		run);
	scratch_remove(&s, &n.arena, &n.left);
	assert_int_equal(n.left.count, 0);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		assert_false(has_log(&n, ours[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_true(has_log(&n, others[i]));
	assert_false(has_log(&n, "cpuherd-0123456789abcdef-g1.log"));
	assert_string_equal(test_read_file(&n.arena, real_path(&n, "/victim")), "mine");
	node_close(&n);
}

static void what_cannot_be_removed_is_named_with_the_reason(void **state)
{
	struct scratch s;
	struct node n;

	(void)state;
	node_open(&n);
	make(&n, &s);
	test_run("mkdir %s%s/cpuherd-%s-g0.log", n.root, n.world.logs, run);
	scratch_remove(&s, &n.arena, &n.left);
	assert_int_equal(n.left.count, 1);
	assert_string_equal(n.left.item[0],
		"/var/log/libvirt/qemu/"
		"cpuherd-0123456789abcdef-g0.log: Is a directory");
	assert_false(is_there(kernel_path(&n, run)));

	n.left.count = 0;
	n.world.logs = "/var/log/libvirt/qemu/file";
	test_write_file(real_path(&n, n.world.logs), "");
	make(&n, &s);
	scratch_remove(&s, &n.arena, &n.left);
	assert_int_equal(n.left.count, 0); /* no guest ran: there is no log */
	make(&n, &s);
	s.had_guests = true;
	scratch_remove(&s, &n.arena, &n.left);
	assert_int_equal(n.left.count, 1);
	assert_contains(
		n.left.item[0], "cpuherd-0123456789abcdef-*.log: Not a directory");

	n.left.count = 0;
	n.world.logs = "/var/log/nothing";
	make(&n, &s);
	scratch_remove(&s, &n.arena, &n.left);
	assert_int_equal(n.left.count, 0);
	node_close(&n);
}

static void a_file_that_took_the_kernel_s_place_is_not_removed(void **state)
{
	struct scratch s;
	struct node n;

	(void)state;
	node_open(&n);
	make(&n, &s);
	test_run("rm %s", kernel_path(&n, run));
	test_write_file(kernel_path(&n, run), "somebody's");
	scratch_remove(&s, &n.arena, &n.left);
	assert_true(is_there(kernel_path(&n, run)));
	assert_int_equal(n.left.count, 0);
	node_close(&n);
}

static void logs_of_a_session_are_in_the_user_s_cache(void **state)
{
	struct arena arena = { 0 };
	struct place_world world;
	struct err e;

	(void)state;
	assert_rc(place_world_of_uri(&world, "qemu:///system", &arena, &e), RC_OK, &e);
	assert_string_equal(world.logs, "/var/log/libvirt/qemu");
	setenv("HOME", "/home/u", 1);
	unsetenv("XDG_CACHE_HOME");
	assert_rc(place_world_of_uri(&world, "qemu:///session", &arena, &e), RC_OK, &e);
	assert_string_equal(world.logs, "/home/u/.cache/libvirt/qemu/log");
	setenv("XDG_CACHE_HOME", "/cache", 1);
	assert_rc(place_world_of_uri(&world, "qemu:///session", &arena, &e), RC_OK, &e);
	assert_string_equal(world.logs, "/cache/libvirt/qemu/log");
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_lies_where_the_xml_says),
		cmocka_unit_test(qemu_may_read_it_whatever_the_umask),
		cmocka_unit_test(only_tokens_are_names_of_runs),
		cmocka_unit_test(a_run_has_one_peer_on_a_node),
		cmocka_unit_test(what_others_put_in_the_way_stays_as_it_is),
		cmocka_unit_test(a_run_is_stale_when_nobody_has_its_lock),
		cmocka_unit_test(a_process_that_inherited_the_lock_keeps_it),
		cmocka_unit_test(a_reader_cannot_hold_the_lock),
		cmocka_unit_test(sessions_and_the_system_leave_each_other_s_runs_alone),
		cmocka_unit_test(
			a_file_that_changed_its_owner_is_swept_by_the_system_s_run_alone),
		cmocka_unit_test(a_folder_full_of_runs_has_an_end),
		cmocka_unit_test(logs_of_the_run_go_and_those_of_others_stay),
		cmocka_unit_test(what_cannot_be_removed_is_named_with_the_reason),
		cmocka_unit_test(a_file_that_took_the_kernel_s_place_is_not_removed),
		cmocka_unit_test(logs_of_a_session_are_in_the_user_s_cache),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
