/* passwd.c - an unprivileged node's own /etc/passwd.
 *
 * sshd takes home folder and shell of its user from there.  The machine's entry
 * would give the node a real person's home, with its start-up files and caches;
 * and a user id that has no entry at all could not log in.  The file "passwd" in
 * the library's folder is asked first; namespace nodes have none (they have an
 * /etc of their own).
 */
#include "table.h"

#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

LAB_EXPORT struct passwd *getpwnam(const char *name);
LAB_EXPORT struct passwd *getpwuid(uid_t uid);
LAB_EXPORT int getpwnam_r(const char *name, struct passwd *pw, char *text, size_t size,
	struct passwd **found);
LAB_EXPORT int getpwuid_r(
	uid_t uid, struct passwd *pw, char *text, size_t size, struct passwd **found);

static bool matches(const struct passwd *pw, const char *name, uid_t uid)
{
	return name ? !strcmp(pw->pw_name, name) : pw->pw_uid == uid;
}

/* 0 and *found, 0 and NULL (not in the file), or an errno value. */
static int find(const char *name, uid_t uid, struct passwd *pw, char *text, size_t size,
	struct passwd **found)
{
	char path[512];
	FILE *f = table_path("passwd", path, sizeof(path)) ? fopen(path, "re") : NULL;
	int rc = 0;

	*found = NULL;
	if (!f)
		return 0;
	while ((rc = fgetpwent_r(f, pw, text, size, found)) == 0)
		if (matches(pw, name, uid))
			break;
	fclose(f);
	if (rc != 0)
		*found = NULL;
	return rc == ENOENT ? 0 : rc;
}

/* Like getpwnam(3) itself: one static result. */
static struct passwd *find_static(const char *name, uid_t uid)
{
	static struct passwd pw;
	static char text[1024];
	struct passwd *found;

	return find(name, uid, &pw, text, sizeof(text), &found) == 0 ? found : NULL;
}

/* POSIX gives dlsym's void * no other way to a function pointer. */
#define NEXT(function, name) (*(void **)&(function) = dlsym(RTLD_NEXT, name))

struct passwd *getpwnam(const char *name)
{
	struct passwd *(*next)(const char *), *found = find_static(name, 0);

	if (found)
		return found;
	NEXT(next, "getpwnam");
	return next(name);
}

struct passwd *getpwuid(uid_t uid)
{
	struct passwd *(*next)(uid_t), *found = find_static(NULL, uid);

	if (found)
		return found;
	NEXT(next, "getpwuid");
	return next(uid);
}

int getpwnam_r(const char *name, struct passwd *pw, char *text, size_t size,
	struct passwd **found)
{
	int (*next)(const char *, struct passwd *, char *, size_t, struct passwd **);
	int rc = find(name, 0, pw, text, size, found);

	if (rc != 0 || *found)
		return rc;
	NEXT(next, "getpwnam_r");
	return next(name, pw, text, size, found);
}

int getpwuid_r(
	uid_t uid, struct passwd *pw, char *text, size_t size, struct passwd **found)
{
	int (*next)(uid_t, struct passwd *, char *, size_t, struct passwd **);
	int rc = find(NULL, uid, pw, text, size, found);

	if (rc != 0 || *found)
		return rc;
	NEXT(next, "getpwuid_r");
	return next(uid, pw, text, size, found);
}
