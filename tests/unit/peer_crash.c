/* A peer that is killed before each of its changes to the disk, one after the other; and
 * journals that were cut or damaged. */
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

/* thousands of nodes: in memory */
#define RIG_BASE "/dev/shm"
#include "tests/unit/peer_run.h"

/* ---- system calls that count, and kill (linked with --wrap) */

static struct {
	long left;   /* calls until the end; < 0: there is none */
	bool halves; /* the fatal one, if it writes, writes half of it */
} fate = { -1, false };

int __real_fsync(int fd);
int __real_mkdirat(int fd, const char *name, mode_t mode);
int __real_unlinkat(int fd, const char *name, int flags);
int __real_renameat(int from, const char *name, int to, const char *new_name);
int __real_linkat(int from, const char *name, int to, const char *new_name, int flags);
int __real_ftruncate(int fd, off_t size);
ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __real_pwrite(int fd, const void *data, size_t size, off_t at);
long __real_syscall(long number, ...);

int __wrap_fsync(int fd);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __wrap_renameat(int from, const char *name, int to, const char *new_name);
int __wrap_linkat(int from, const char *name, int to, const char *new_name, int flags);
int __wrap_ftruncate(int fd, off_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t at);
long __wrap_syscall(long number, ...);

enum { KILLED = 99 };

/* Is this the last one? */
static bool is_fatal(void)
{
	return fate.left >= 0 && fate.left-- == 0;
}

static void count(void)
{
	if (is_fatal())
		_exit(KILLED);
}

int __wrap_fsync(int fd)
{
	(void)fd; /* the machine stays on: the page cache is as good as the disk */
	count();
	return 0;
}

int __wrap_mkdirat(int fd, const char *name, mode_t mode)
{
	count();
	return __real_mkdirat(fd, name, mode);
}

int __wrap_unlinkat(int fd, const char *name, int flags)
{
	count();
	return __real_unlinkat(fd, name, flags);
}

int __wrap_renameat(int from, const char *name, int to, const char *new_name)
{
	count();
	return __real_renameat(from, name, to, new_name);
}

int __wrap_linkat(int from, const char *name, int to, const char *new_name, int flags)
{
	count();
	return __real_linkat(from, name, to, new_name, flags);
}

int __wrap_ftruncate(int fd, off_t size)
{
	count();
	return __real_ftruncate(fd, size);
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	if (is_fatal()) {
		if (fate.halves && __real_write(fd, data, size / 2) < 0)
			_exit(1);
		_exit(KILLED);
	}
	return __real_write(fd, data, size);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t at)
{
	count();
	return __real_pwrite(fd, data, size, at);
}

long __wrap_syscall(long number, ...)
{
	long a[5];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 5; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_renameat2)
		count();
	return __real_syscall(number, a[0], a[1], a[2], a[3], a[4]);
}

/* ---- what a node looks like */

struct sight {
	bool exists;
	struct stat info;
	char text[64], label[16];
};

struct picture {
	struct sight file[FILES_MAX];
	bool folder;
};

static struct sight sight_of(struct rig *t, size_t i)
{
	const char *path = stanza(t, i);
	struct sight l = { .exists = lstat(path, &l.info) == 0 };
	struct stat info = l.info;
	FILE *f = l.exists ? fopen(path, "r") : NULL;

	memset(&l.info, 0, sizeof(l.info));
	if (!f)
		return l;
	l.text[fread(l.text, 1, sizeof(l.text) - 1, f)] = '\0';
	fclose(f);
	l.info.st_ino = info.st_ino;
	l.info.st_mode = info.st_mode;
	l.info.st_uid = info.st_uid;
	l.info.st_gid = info.st_gid;
	l.info.st_nlink = info.st_nlink;
	l.info.st_mtim = info.st_mtim;
	if (getxattr(path, "user.cpuherd", l.label, sizeof(l.label) - 1) < 0)
		l.label[0] = '\0';
	return l;
}

static struct picture picture_of(struct rig *t)
{
	struct picture p = { .folder = is_there(real_path(t, "/etc/libvirt/cpuherd")) };

	for (size_t i = 0; i < FILES_MAX; i++)
		p.file[i] = sight_of(t, i);
	return p;
}

static void assert_as_before(struct rig *t, const struct picture *before)
{
	struct picture now = picture_of(t);

	assert_int_equal(now.folder, before->folder);
	for (size_t i = 0; i < FILES_MAX; i++)
		assert_memory_equal(&now.file[i], &before->file[i], sizeof(now.file[i]));
	assert_no_trace(t);
}

static void assert_all_new(struct rig *t, size_t files)
{
	for (size_t i = 0; i < files; i++)
		assert_text(t, i, new_text);
	assert_no_trace(t);
}

/* ---- a child that dies on its way */

/* Which of the files are there before: bits. */
struct setting {
	size_t files;
	unsigned old;
};

static const struct setting settings[] = { { 1, 0 }, { 1, 1 }, { 3, 0 }, { 3, 7 },
	{ 3, 2 } };

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

/* Steps by letter: Stage, Commit, Keep, Forget, Revert. */
static enum rc take_step(struct rig *t, char step, struct change *c, size_t files)
{
	switch (step) {
	case 'S':
		return stage_changes(t, "r1", c, files);
	case 'C':
		return commit_run(t, "r1");
	case 'K':
		return keep_run(t, "r1");
	case 'F':
		return forget_run(t, "r1");
	default:
		return revert_run(t, "r1");
	}
}

static void prepare(struct rig *t, const struct setting *s, struct change *c)
{
	rig_open(t);
	for (size_t i = 0; i < s->files; i++)
		if (s->old & 1u << i) {
			write_old(t, i);
			assert_int_equal(chmod(stanza(t, i), 0640), 0);
			/* where this can be had */
			if (geteuid() == 0)
				assert_int_equal(chown(stanza(t, i), 4711, 4712), 0);
			(void)setxattr(stanza(t, i), "user.cpuherd", "label", 5, 0);
		}
	fill_changes(t, c, s->files);
}

/* Walks the steps in a child that dies before its nth change to the disk.  Gives the
 * number of steps that came to their end; *alive: it did not get so far as to die. */
static size_t die_on_the_way(struct rig *t, const struct setting *s, struct change *c,
	const char *steps, long n, bool halves, bool *alive)
{
	size_t *done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t result;
	pid_t child;
	int status;

	assert_true(done != MAP_FAILED);
	*done = 0;
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		fate.left = n;
		fate.halves = halves;
		for (; steps[*done]; ++*done)
			if (take_step(t, steps[*done], c, s->files) != RC_OK)
				_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
	*alive = WEXITSTATUS(status) == 0;
	result = *done;
	munmap(done, sizeof(*done));
	return result;
}

/* What is done, by a peer that knows the journal alone, after a death. */
typedef void mend_fn(struct rig *t, const struct setting *s, struct change *c,
	const struct picture *before, const char *steps, size_t done);

/* A process costs a sanitizer so much that some have to be enough there: a prime, so that
 * repeated calls are not always met at the same place. */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 11 };
#else
enum { STRIDE = 1 };
#endif

/* Gives the number of deaths. */
static long die_everywhere(const char *steps, bool halves, mend_fn *mend)
{
	long deaths = 0;

	for (size_t k = 0; k < SETTINGS; k++) {
		bool alive = false;

		for (long n = 0; !alive; n += STRIDE, deaths++) {
			struct change c[FILES_MAX];
			struct picture before;
			struct rig t;
			size_t done;

			prepare(&t, &settings[k], c);
			before = picture_of(&t);
			done = die_on_the_way(
				&t, &settings[k], c, steps, n, halves, &alive);
			mend(&t, &settings[k], c, &before, steps, done);
			rig_close(&t);
		}
	}
	assert_true(deaths > 100 / STRIDE);
	return deaths;
}

/* ---- mending */

static void mend_by_revert(struct rig *t, const struct setting *s, struct change *c,
	const struct picture *before, const char *steps, size_t done)
{
	enum rc rc = revert_run(t, "r1");

	(void)c;
	/* on its way out, or out */
	if (steps[done] == 'F' && rc == RC_CONFLICT) {
		assert_ok(t, forget_run(t, "r1"));
		assert_all_new(t, s->files);
	} else if ((steps[done] == 'F' || !steps[done]) && !t->changed) {
		assert_ok(t, rc);
		assert_all_new(t, s->files);
	} else {
		assert_ok(t, rc);
		assert_as_before(t, before);
	}
}

static void mend_back(struct rig *t, const struct setting *s, struct change *c,
	const struct picture *before, const char *steps, size_t done)
{
	(void)s;
	(void)c;
	(void)steps;
	(void)done;
	assert_ok(t, revert_run(t, "r1"));
	assert_as_before(t, before);
	assert_ok(t, revert_run(t, "r1"));
	assert_false(t->changed);
}

static void mend_by_going_on(struct rig *t, const struct setting *s, struct change *c,
	const struct picture *before, const char *steps, size_t done)
{
	(void)before;
	assert_ok(t, recover_run(t, "r1"));
	if (steps[done] == 'F' || !steps[done]) {
		assert_true(t->recovered.state == RUN_STATE_kept ||
			    t->recovered.state == RUN_STATE_none);
		assert_ok(t, forget_run(t, "r1"));
		assert_all_new(t, s->files);
		return;
	}
	if (t->recovered.state == RUN_STATE_none)
		assert_int_equal(done, 0);
	for (const char *step = "SCKF"; *step; step++) {
		assert_ok(t, take_step(t, *step, c, s->files));
		lose_memory(t);
	}
	assert_all_new(t, s->files);
}

static void mend_by_another_run(struct rig *t, const struct setting *s, struct change *c,
	const struct picture *before, const char *steps, size_t done)
{
	enum rc rc;

	fill_changes(t, c, s->files);
	c[0].content = bytes_of("<cpu>other</cpu>");
	rc = stage_changes(t, "r2", c, s->files);
	if (done == 0 && rc == RC_OK) {
		assert_false(is_there(real_path(t, "/state/cpuherd/runs/r1")));
		assert_ok(t, revert_run(t, "r2"));
		assert_as_before(t, before);
	} else if (rc == RC_OK) {
		assert_true(steps[done] == 'F' || !steps[done]);
		assert_ok(t, revert_run(t, "r2"));
		assert_all_new(t, s->files);
	} else {
		assert_rc(rc, RC_CONFLICT, &t->e);
		assert_contains(t->e.text, "cpuherd rollback r1");
	}
}

static void a_run_that_was_killed_anywhere_can_be_put_back(void **state)
{
	(void)state;
	for (int halves = 0; halves < 2; halves++)
		print_message(
			"%ld deaths\n", die_everywhere("SCKF", halves, mend_by_revert));
}

static void a_revert_that_was_killed_anywhere_can_be_done_again(void **state)
{
	(void)state;
	for (int halves = 0; halves < 2; halves++) {
		die_everywhere("SCR", halves, mend_back);
		die_everywhere("SCKR", halves, mend_back);
		die_everywhere("SR", halves, mend_back);
	}
}

static void a_run_that_was_killed_anywhere_can_go_on(void **state)
{
	(void)state;
	die_everywhere("SCKF", false, mend_by_going_on);
	die_everywhere("SCKF", true, mend_by_going_on);
}

static void another_run_finds_no_litter_or_is_refused(void **state)
{
	(void)state;
	die_everywhere("SCKF", true, mend_by_another_run);
}

/* ---- journals that are not whole */

static void stop_after(
	struct rig *t, const struct setting *s, const char *steps, struct picture *before)
{
	struct change c[FILES_MAX];

	prepare(t, s, c);
	*before = picture_of(t);
	for (; *steps; steps++)
		assert_ok(t, take_step(t, *steps, c, s->files));
	lose_memory(t);
}

/* The old bytes of every file are at its place or beside it. */
static void assert_nothing_lost(struct rig *t, const struct picture *before)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		char *aside = arena_format(&t->arena, "%s.cpuherd-old", stanza(t, i));
		bool kept = is_there(aside) &&
			    strcmp(test_read_file(&t->arena, aside), old_text) == 0;
		bool back = is_there(stanza(t, i)) &&
			    strcmp(test_read_file(&t->arena, stanza(t, i)), old_text) ==
				    0;

		assert_true(!before->file[i].exists || kept || back);
	}
}

/* Reverts with the journal as it is now. */
static void revert_or_hear_why_not(struct rig *t, const struct picture *before)
{
	enum rc rc = revert_run(t, "r1");

	if (rc == RC_OK) {
		assert_as_before(t, before);
		return;
	}
	assert_true(rc == RC_CONFLICT || rc == RC_PARTIAL);
	assert_true(strlen(t->e.text) > 20);
	assert_nothing_lost(t, before);
	lose_memory(t);
	/* and nobody builds on it */
	assert_rc(stage_files(t, "r2", 1), RC_CONFLICT, &t->e);
}

static size_t size_of_journal(struct rig *t)
{
	struct stat info;

	assert_int_equal(stat(journal_of(t, "r1"), &info), 0);
	return (size_t)info.st_size;
}

/* One of them was there before. */
static const struct setting two = { 2, 2 };

static const char *const stops[] = { "S", "SC", "SCK" };

enum { STOPS = sizeof(stops) / sizeof(stops[0]) };

static void a_journal_cut_at_any_byte_gives_the_old_state_or_words(void **state)
{
	size_t refused = 0, cuts = 0;

	(void)state;
	for (size_t k = 0; k < STOPS; k++) {
		size_t size = 1;

		for (size_t n = 0; n < size; n += STRIDE, cuts++) {
			struct picture before;
			struct rig t;

			stop_after(&t, &settings[SETTINGS - 1 - k / STOPS],
				stops[k % STOPS], &before);
			size = size_of_journal(&t);
			assert_int_equal(
				truncate(journal_of(&t, "r1"), (off_t)(size - n)), 0);
			revert_or_hear_why_not(&t, &before);
			refused += t.e.code != RC_OK;
			rig_close(&t);
		}
	}
	assert_true(refused > 0 && refused < cuts);
}

static void a_damaged_byte_in_a_journal_gives_the_old_state_or_words(void **state)
{
	(void)state;
	for (size_t k = 0; k < STOPS; k++) {
		size_t size = 1;

		for (size_t n = 0; n < size; n += STRIDE) {
			struct picture before;
			struct rig t;
			char *text;

			stop_after(&t, &two, stops[k], &before);
			size = size_of_journal(&t);
			text = test_read_file(&t.arena, journal_of(&t, "r1"));
			text[n] ^= 1;
			test_write_file(journal_of(&t, "r1"), text);
			revert_or_hear_why_not(&t, &before);
			rig_close(&t);
		}
	}
}

static void a_line_that_is_missing_or_there_twice_is_damage(void **state)
{
	struct picture before;
	struct rig t;
	char *text, *second;

	(void)state;
	stop_after(&t, &settings[3], "SC", &before);
	text = test_read_file(&t.arena, journal_of(&t, "r1"));
	second = strchr(text, '\n') + 1;
	test_write_file(journal_of(&t, "r1"), second);
	assert_rc(revert_run(&t, "r1"), RC_CONFLICT, &t.e);
	assert_contains(t.e.text, "/state/cpuherd/runs/r1/journal is damaged in line 1");
	assert_rc(recover_run(&t, ""), RC_CONFLICT, &t.e);
	test_write_file(journal_of(&t, "r1"),
		arena_format(&t.arena, "%.*s%s", (int)(second - text), text, text));
	assert_rc(revert_run(&t, "r1"), RC_CONFLICT, &t.e);
	assert_contains(t.e.text, "is damaged in line 2");
	assert_nothing_lost(&t, &before);
	rig_close(&t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_run_that_was_killed_anywhere_can_be_put_back),
		cmocka_unit_test(a_revert_that_was_killed_anywhere_can_be_done_again),
		cmocka_unit_test(a_run_that_was_killed_anywhere_can_go_on),
		cmocka_unit_test(another_run_finds_no_litter_or_is_refused),
		cmocka_unit_test(a_journal_cut_at_any_byte_gives_the_old_state_or_words),
		cmocka_unit_test(
			a_damaged_byte_in_a_journal_gives_the_old_state_or_words),
		cmocka_unit_test(a_line_that_is_missing_or_there_twice_is_damage),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
