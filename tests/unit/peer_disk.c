/* What is on disk when a peer says so: no file gets its name before its content is there,
 * nothing in a place changes before the journal that announces it is there, and no answer
 * is given before all of it is. */
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/unit/peer_run.h"

/* ---- what was changed and not brought to disk (linked with --wrap) */

enum { DIRTY_MAX = 64 };

static struct {
	bool on;
	struct {
		ino_t inode;
		char path[PATH_MAX];
	} item[DIRTY_MAX];
	size_t count;
	size_t changes; /* of places */
} disk;

int __wrap_fsync(int fd);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __wrap_renameat(int from, const char *name, int to, const char *new_name);
int __wrap_linkat(int from, const char *name, int to, const char *new_name, int flags);
int __wrap_ftruncate(int fd, off_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t at);
long __wrap_syscall(long number, ...);

int __real_mkdirat(int fd, const char *name, mode_t mode);
int __real_unlinkat(int fd, const char *name, int flags);
int __real_renameat(int from, const char *name, int to, const char *new_name);
int __real_linkat(int from, const char *name, int to, const char *new_name, int flags);
int __real_ftruncate(int fd, off_t size);
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __real_pwrite(int fd, const void *data, size_t size, off_t at);
long __real_syscall(long number, ...);

static void path_of(int fd, char path[static PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	assert_true(n > 0);
	path[n] = '\0';
}

static void forget_dirty(ino_t inode)
{
	for (size_t i = 0; i < disk.count; i++)
		if (disk.item[i].inode == inode)
			disk.item[i--] = disk.item[--disk.count];
}

/* The words in the lock are for people; they need not outlive the machine. */
static bool matters(const struct stat *s, const char *path)
{
	return (S_ISREG(s->st_mode) || S_ISDIR(s->st_mode)) &&
	       !strstr(path, "/cpuherd/hold");
}

static void make_dirty(int fd)
{
	char path[PATH_MAX];
	struct stat s;

	if (!disk.on)
		return;
	assert_int_equal(fstat(fd, &s), 0);
	path_of(fd, path);
	forget_dirty(s.st_ino);
	if (!matters(&s, path))
		return;
	assert_true(disk.count < DIRTY_MAX);
	disk.item[disk.count].inode = s.st_ino;
	strcpy(disk.item[disk.count++].path, path);
}

static void assert_clean(const char *under, const char *when)
{
	for (size_t i = 0; i < disk.count; i++)
		if (strstr(disk.item[i].path, under))
			fail_msg("%s: %s is not on disk", when, disk.item[i].path);
}

/* A change in a place: it must have been announced. */
static void entry_changes(int folder)
{
	char path[PATH_MAX];

	if (!disk.on)
		return;
	path_of(folder, path);
	if (strstr(path, "/etc/libvirt")) {
		assert_clean("/state", "before a place changes");
		disk.changes++;
	}
	make_dirty(folder);
}

/* Nor does it take another's place before that one's second name is on disk. */
static void file_gets_name(int folder, const char *name)
{
	char path[PATH_MAX];
	struct stat s;

	if (!disk.on || fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	for (size_t i = 0; i < disk.count; i++)
		if (disk.item[i].inode == s.st_ino && S_ISREG(s.st_mode))
			fail_msg("%s gets its name before its content", name);
	path_of(folder, path);
	if (strstr(path, "/etc/libvirt"))
		assert_clean(path, "before a file takes its place");
}

int __wrap_fsync(int fd)
{
	struct stat s;

	if (disk.on && fstat(fd, &s) == 0)
		forget_dirty(s.st_ino);
	return 0;
}

int __wrap_mkdirat(int fd, const char *name, mode_t mode)
{
	int result = __real_mkdirat(fd, name, mode);

	if (result == 0)
		entry_changes(fd);
	return result;
}

int __wrap_unlinkat(int fd, const char *name, int flags)
{
	struct stat s;
	bool there = fstatat(fd, name, &s, AT_SYMLINK_NOFOLLOW) == 0;
	int result = __real_unlinkat(fd, name, flags);

	if (result == 0 && there && (S_ISDIR(s.st_mode) || s.st_nlink == 1))
		forget_dirty(s.st_ino);
	if (result == 0)
		entry_changes(fd);
	return result;
}

int __wrap_renameat(int from, const char *name, int to, const char *new_name)
{
	int result;

	file_gets_name(from, name);
	result = __real_renameat(from, name, to, new_name);
	if (result == 0) {
		entry_changes(from);
		entry_changes(to);
	}
	return result;
}

int __wrap_linkat(int from, const char *name, int to, const char *new_name, int flags)
{
	int result = __real_linkat(from, name, to, new_name, flags);

	if (result == 0)
		entry_changes(to);
	return result;
}

int __wrap_ftruncate(int fd, off_t size)
{
	make_dirty(fd);
	return __real_ftruncate(fd, size);
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	make_dirty(fd);
	return __real_write(fd, data, size);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t at)
{
	make_dirty(fd);
	return __real_pwrite(fd, data, size, at);
}

long __wrap_syscall(long number, ...)
{
	long a[5], result;
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 5; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_renameat2)
		file_gets_name((int)a[0], (const char *)a[1]);
	result = __real_syscall(number, a[0], a[1], a[2], a[3], a[4]);
	if (number == SYS_renameat2 && result == 0)
		entry_changes((int)a[2]);
	return result;
}

/* ---- the walks */

static void step(struct rig *t, enum rc rc, const char *what)
{
	assert_rc(rc, RC_OK, &t->e);
	assert_clean("", what);
}

static void begin(struct rig *t, bool with_old)
{
	rig_open(t);
	for (size_t i = 0; i < FILES_MAX && with_old; i++)
		write_old(t, i);
	disk.count = disk.changes = 0;
	disk.on = true;
}

static void end(struct rig *t)
{
	assert_true(disk.changes > 0);
	disk.on = false;
	rig_close(t);
}

static void every_answer_of_a_run_is_given_when_it_is_on_disk(void **state)
{
	(void)state;
	for (int with_old = 0; with_old < 2; with_old++) {
		struct rig t;

		begin(&t, with_old);
		step(&t, stage_files(&t, "r1", FILES_MAX), "staged");
		step(&t, commit_run(&t, "r1"), "committed");
		step(&t, keep_run(&t, "r1"), "kept");
		step(&t, forget_run(&t, "r1"), "forgotten");
		end(&t);
	}
}

static void so_is_every_way_back(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		bool commits = i & 2, keeps = commits && (i & 4);
		struct rig t;

		begin(&t, i & 1);
		step(&t, stage_files(&t, "r1", FILES_MAX), "staged");
		if (commits)
			step(&t, commit_run(&t, "r1"), "committed");
		if (keeps)
			step(&t, keep_run(&t, "r1"), "kept");
		lose_memory(&t);
		step(&t, revert_run(&t, "r1"), "reverted");
		end(&t);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_of_a_run_is_given_when_it_is_on_disk),
		cmocka_unit_test(so_is_every_way_back),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
