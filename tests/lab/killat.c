/* killat.c - ends (or halts) a program of cpuherd at a chosen one of its changes to files.
 *
 * Preloaded.  Does nothing unless $LAB_KILLAT (else /run/lab-killat) names a file when a
 * program whose path has "/cpuherd" starts.  Its first line says what to do, the others
 * which paths count: what begins with one of them.
 *
 *	count 0		only FILE.log is written: a line a call
 *	before N	SIGKILL in place of call N: what a crash after call N - 1 leaves
 *	after N		SIGKILL when it is done
 *	half N		SIGKILL when half of what it should write is written
 *	wait N		stands still before it until FILE.waiting is removed
 *
 * Calls are counted from 1: all that make, write, sync, rename, change or remove a file,
 * and, once there was one, what is said on standard output (a peer's answers).  The file
 * becomes FILE.done when it has happened, so the next program lives.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PREFIXES = 16 };

/* Not through libc: syscall() is one of those that count. */
static long raw6(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (result >= 0 || result < -4095)
		return result;
	errno = (int)-result;
	return -1;
}

#define RAW6(number, a, b, c, d, e, ...) \
	raw6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define raw(...) RAW6(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

static struct {
	bool active;
	pid_t process; /* that counts: a child that it forks has trials of its own */
	char file[PATH_MAX], way[8];
	long at;
	char text[4096];
	const char *prefix[PREFIXES];
	size_t prefixes;
	long calls;
} plan;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- what to do */

static ssize_t file_read(const char *path, char *out, size_t size)
{
	int fd = (int)raw(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

__attribute__((constructor)) static void plan_read(void)
{
	const char *named = getenv("LAB_KILLAT");
	char program[PATH_MAX], *line;
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[n > 0 ? n : 0] = '\0';
	if (!strstr(program, "/cpuherd") || strstr(program, "/cpuherd-lab/"))
		return;
	snprintf(plan.file, sizeof(plan.file), "%s", named ? named : "/run/lab-killat");
	if (file_read(plan.file, plan.text, sizeof(plan.text)) <= 0)
		return;
	line = strtok(plan.text, "\n");
	if (!line || sscanf(line, "%7s %ld", plan.way, &plan.at) != 2)
		abort(); /* a test that says nothing would hold */
	while ((line = strtok(NULL, "\n")) && plan.prefixes < PREFIXES)
		plan.prefix[plan.prefixes++] = line;
	plan.process = getpid();
	plan.active = true;
}

/* ---- which calls count */

/* The path that a call is about; name NULL: the file itself. */
static void path_of(int folder, const char *name, char out[static PATH_MAX])
{
	char base[PATH_MAX] = "", link[64];
	ssize_t n = 0;

	if (name && name[0] == '/') {
		snprintf(out, PATH_MAX, "%s", name);
		return;
	}
	if (folder == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/self/cwd");
	else
		snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
	n = readlink(link, base, sizeof(base) - 1);
	base[n > 0 ? n : 0] = '\0';
	if (snprintf(out, PATH_MAX, "%s%s%s", base, name ? "/" : "", name ? name : "") >=
		PATH_MAX)
		abort();
}

static bool counts(int folder, const char *name, const char *path)
{
	if (!name && folder == STDOUT_FILENO)
		return plan.calls > 0;
	for (size_t i = 0; i < plan.prefixes; i++)
		if (strncmp(path, plan.prefix[i], strlen(plan.prefix[i])) == 0)
			return true;
	return false;
}

static void log_call(const char *call, const char *path)
{
	char file[PATH_MAX + 8], line[PATH_MAX + 64];
	int n = snprintf(line, sizeof(line), "%ld %s %s\n", plan.calls, call, path), fd;

	snprintf(file, sizeof(file), "%s.log", plan.file);
	fd = (int)raw(SYS_openat, AT_FDCWD, file,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0 || raw(SYS_write, fd, line, (size_t)n) != n)
		abort();
	close(fd);
}

/* What was to happen happens once: the next program lives. */
static void plan_becomes(const char *ending, char out[static PATH_MAX + 16])
{
	snprintf(out, PATH_MAX + 16, "%s%s", plan.file, ending);
	raw(SYS_renameat2, AT_FDCWD, plan.file, AT_FDCWD, out, 0);
}

__attribute__((noreturn)) static void die(void)
{
	char file[PATH_MAX + 16];

	plan_becomes(".done", file);
	raw(SYS_kill, getpid(), SIGKILL);
	for (;;)
		pause();
}

static void stand_still(void)
{
	char file[PATH_MAX + 16];

	plan_becomes(".waiting", file);
	while (access(file, F_OK) == 0)
		usleep(2000);
}

static bool is_way(const char *way)
{
	return strcmp(plan.way, way) == 0;
}

/* Before a call: does not return where it ends here; true: it ends in or behind it. */
static bool step(const char *call, int folder, const char *name)
{
	char path[PATH_MAX];
	bool now = false;

	if (!plan.active || getpid() != plan.process)
		return false;
	path_of(folder, name, path);
	pthread_mutex_lock(&lock);
	if (counts(folder, name, path)) {
		plan.calls++;
		log_call(call, path);
		now = plan.calls == plan.at;
		if (now && is_way("before"))
			die();
	}
	pthread_mutex_unlock(&lock);
	/* without the lock: a handler of a signal that comes meanwhile may write */
	if (now && is_way("wait"))
		stand_still();
	return now && !is_way("wait");
}

static long done(bool now, long result)
{
	if (now)
		die();
	return result;
}

/* ---- the calls: what libc would do, but for the step */

#define EXPORT __attribute__((visibility("default")))

EXPORT ssize_t write(int fd, const void *data, size_t size)
{
	bool now = plan.active && step("write", fd, NULL);

	if (now && is_way("half"))
		size /= 2;
	return done(now, raw(SYS_write, fd, data, size));
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	bool now = step("write", fd, NULL);

	if (now && is_way("half"))
		size /= 2;
	return done(now, raw(SYS_pwrite64, fd, data, size, at));
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
	return pwrite(fd, data, size, at);
}

EXPORT int fsync(int fd)
{
	bool now = step("fsync", fd, NULL);

	return (int)done(now, raw(SYS_fsync, fd));
}

EXPORT int fdatasync(int fd)
{
	bool now = step("fdatasync", fd, NULL);

	return (int)done(now, raw(SYS_fdatasync, fd));
}

EXPORT int ftruncate(int fd, off_t size)
{
	bool now = step("ftruncate", fd, NULL);

	return (int)done(now, raw(SYS_ftruncate, fd, size));
}

EXPORT int fchmod(int fd, mode_t mode)
{
	bool now = step("fchmod", fd, NULL);

	return (int)done(now, raw(SYS_fchmod, fd, mode));
}

EXPORT int fchown(int fd, uid_t user, gid_t group)
{
	bool now = step("fchown", fd, NULL);

	return (int)done(now, raw(SYS_fchown, fd, user, group));
}

EXPORT int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	bool now = step("fsetxattr", fd, NULL);

	return (int)done(now, raw(SYS_fsetxattr, fd, name, value, size, flags));
}

EXPORT int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	bool now = step("rename", to, new);

	return (int)done(now, raw(SYS_renameat2, from, old, to, new, flags));
}

EXPORT int renameat(int from, const char *old, int to, const char *new)
{
	return renameat2(from, old, to, new, 0);
}

EXPORT int rename(const char *old, const char *new)
{
	return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

EXPORT int linkat(int from, const char *old, int to, const char *new, int flags)
{
	bool now = step("link", to, new);

	return (int)done(now, raw(SYS_linkat, from, old, to, new, flags));
}

EXPORT int link(const char *old, const char *new)
{
	return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

EXPORT int unlinkat(int folder, const char *name, int flags)
{
	bool now = step("unlink", folder, name);

	return (int)done(now, raw(SYS_unlinkat, folder, name, flags));
}

EXPORT int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

EXPORT int rmdir(const char *name)
{
	return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

EXPORT int mkdirat(int folder, const char *name, mode_t mode)
{
	bool now = step("mkdir", folder, name);

	return (int)done(now, raw(SYS_mkdirat, folder, name, mode));
}

EXPORT int mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

static int open_at(int folder, const char *name, int flags, mode_t mode)
{
	bool now = (flags & O_CREAT) && step("make", folder, name);

	return (int)done(now, raw(SYS_openat, folder, name, flags, mode));
}

/* The mode stands there only where something may be made. */
#define MODE_OF(flags, mode) \
	mode_t mode = 0; \
	va_list list; \
	va_start(list, flags); \
	if ((flags) & (O_CREAT | __O_TMPFILE)) \
		mode = va_arg(list, mode_t); \
	va_end(list)

EXPORT int openat(int folder, const char *name, int flags, ...)
{
	MODE_OF(flags, mode);
	return open_at(folder, name, flags, mode);
}

EXPORT int open(const char *name, int flags, ...)
{
	MODE_OF(flags, mode);
	return open_at(AT_FDCWD, name, flags, mode);
}

EXPORT int openat64(int folder, const char *name, int flags, ...)
{
	MODE_OF(flags, mode);
	return open_at(folder, name, flags | O_LARGEFILE, mode);
}

EXPORT int open64(const char *name, int flags, ...)
{
	MODE_OF(flags, mode);
	return open_at(AT_FDCWD, name, flags | O_LARGEFILE, mode);
}

/* glibc has no renameat2 before 2.28. */
EXPORT long syscall(long number, ...)
{
	long a[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_renameat2)
		return renameat2((int)a[0], (const char *)a[1], (int)a[2],
			(const char *)a[3], (unsigned)a[4]);
	return raw6(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
