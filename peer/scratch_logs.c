/* What libvirt keeps of a run's guests: QEMU's log files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/scratch_private.h"
#include "proto/texts.h"

int scratch_folder(const struct place_world *world, const char *path)
{
	char real[PATH_MAX];
	int n = snprintf(real, sizeof(real), "%s%s", world->root, path);

	if (n < 0 || (size_t)n >= sizeof(real)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void scratch_say_left(
	struct texts *left, struct arena *arena, int problem, const char *path)
{
	struct err e;

	(void)texts_add(left,
		arena_format(arena, "%s: %s", path ? path : "", strerror(problem)), arena,
		&e);
}

/* Is it a log of the run: cpuherd-RUN-GUEST.log, or an older one of it? */
static bool is_log(const struct scratch *s, const char *name)
{
	size_t n = strlen(SCRATCH_PREFIX), run = strlen(s->run);

	return strncmp(name, SCRATCH_PREFIX, n) == 0 &&
	       strncmp(name + n, s->run, run) == 0 && name[n + run] == '-' &&
	       strstr(name, ".log");
}

static void remove_logs_in(
	const struct scratch *s, DIR *d, struct arena *arena, struct texts *left)
{
	const struct dirent *entry;

	while ((entry = readdir(d)))
		if (is_log(s, entry->d_name) &&
			unlinkat(dirfd(d), entry->d_name, 0) != 0 && errno != ENOENT)
			scratch_say_left(left, arena, errno,
				arena_format(
					arena, "%s/%s", s->world.logs, entry->d_name));
}

void scratch_remove_logs(const struct scratch *s, struct arena *arena, struct texts *left)
{
	int fd = s->world.logs ? scratch_folder(&s->world, s->world.logs) : -1;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d) {
		remove_logs_in(s, d, arena, left);
		closedir(d);
	} else if (fd >= 0) {
		close(fd);
	} else if (s->had_guests && s->world.logs && errno != ENOENT) {
		/* they cannot be seen, but there are some */
		scratch_say_left(left, arena, errno,
			arena_format(arena, "%s/%s%s-*.log", s->world.logs,
				SCRATCH_PREFIX, s->run));
	}
}
