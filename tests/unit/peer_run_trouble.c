/* Runs on disks that are full or read-only, and while others have the node. */
#include <sched.h>
#include <sys/mount.h>

#include "tests/unit/peer_run.h"

enum { PASSED, NO_MOUNTS = 2 };

/* In a child with mounts of its own, so that a failing test leaves none behind. */
static void in_a_child(struct rig *t, int (*run)(struct rig *t))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
			_exit(NO_MOUNTS);
		_exit(run(t));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	rig_close(t);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MOUNTS)
		skip();
	assert_int_equal(status, 0);
}

static bool mount_small(struct rig *t, const char *path, const char *size)
{
	return mount("tmpfs", real_path(t, path), "tmpfs", 0, size) == 0;
}

/* Takes all the space that is left. */
static void fill_disk(struct rig *t, const char *path)
{
	static char block[4096];
	int fd = open(real_path(t, path), O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		continue;
	close(fd);
}

static int stage_on_full_places(struct rig *t)
{
	struct change c[FILES_MAX];
	static char big[64 * 1024 + 1];

	if (!mount_small(t, "/etc/libvirt", "size=32k"))
		return NO_MOUNTS;
	write_old(t, 0);
	memset(big, 'x', sizeof(big) - 1);
	fill_changes(t, c, 3);
	c[2].content = bytes_of(big);
	assert_rc(stage_changes(t, "r1", c, 3), RC_PLACE, &t->e);
	assert_contains(t->e.text, strerror(ENOSPC));
	assert_no_trace(t);
	assert_text(t, 0, old_text);
	return PASSED;
}

static void a_full_disk_leaves_no_trace_of_any_change(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	in_a_child(&t, stage_on_full_places);
}

static int revert_with_a_full_store(struct rig *t)
{
	if (!mount_small(t, "/state", "size=64k"))
		return NO_MOUNTS;
	write_old(t, 1);
	assert_ok(t, stage_files(t, "r1", 3));
	assert_ok(t, commit_run(t, "r1"));
	fill_disk(t, "/state/full");
	assert_ok(t, revert_run(t, "r1"));
	assert_text(t, 1, old_text);
	assert_false(is_there(stanza(t, 0)));
	assert_no_trace(t);
	fill_disk(t, "/state/fuller"); /* with what the run had */
	assert_rc(stage_files(t, "r1", 3), RC_PLACE, &t->e);
	assert_contains(t->e.text, strerror(ENOSPC));
	assert_no_trace(t);
	return PASSED;
}

static void a_full_store_lets_nothing_begin_and_everything_be_put_back(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	in_a_child(&t, revert_with_a_full_store);
}

static int commit_on_read_only(struct rig *t)
{
	char *etc = real_path(t, "/etc/libvirt");

	if (!mount_small(t, "/etc/libvirt", "size=64k"))
		return NO_MOUNTS;
	write_old(t, 0);
	assert_ok(t, stage_files(t, "r1", 2));
	lose_memory(t);
	if (mount(NULL, etc, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
		return NO_MOUNTS;
	assert_rc(commit_run(t, "r1"), RC_PLACE, &t->e);
	assert_contains(t->e.text, strerror(EROFS));
	assert_rc(revert_run(t, "r1"), RC_PARTIAL, &t->e);
	lose_memory(t);
	assert_rc(stage_files(t, "r2", 1), RC_CONFLICT, &t->e);
	assert_int_equal(mount(NULL, etc, NULL, MS_REMOUNT, NULL), 0);
	assert_ok(t, revert_run(t, "r1"));
	assert_text(t, 0, old_text);
	assert_no_trace(t);
	return PASSED;
}

static void a_disk_that_becomes_read_only_is_put_right_when_it_is_well_again(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	in_a_child(&t, commit_on_read_only);
}

/* SIGKILL: the lock goes, the journal stays. */
static void the_lock_dies_with_its_holder(void **state)
{
	struct rig t;
	int ready[2];
	pid_t child;
	char byte;

	(void)state;
	rig_open(&t);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (stage_files(&t, "r1", 1) != RC_OK || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_rc(revert_run(&t, "r1"), RC_CONFLICT, &t.e);
	assert_contains(t.e.text, "held by run r1 of me@here");
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_no_trace(&t);
	close(ready[0]);
	close(ready[1]);
	rig_close(&t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_full_disk_leaves_no_trace_of_any_change),
		cmocka_unit_test(
			a_full_store_lets_nothing_begin_and_everything_be_put_back),
		cmocka_unit_test(
			a_disk_that_becomes_read_only_is_put_right_when_it_is_well_again),
		cmocka_unit_test(the_lock_dies_with_its_holder),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
