#include "peer/guest_log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "proto/texts.h"

enum { TAIL_BYTES = 4096, LINE_MAX_BYTES = 400 };

/* The end of the file, "" when it may not be read. */
static char *read_tail(const char *path, struct arena *arena)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char piece[TAIL_BYTES];
	struct stat info;
	ssize_t n = 0;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
		n = pread(fd, piece, sizeof(piece),
			info.st_size > TAIL_BYTES ? info.st_size - TAIL_BYTES : 0);
	close(fd);
	return n > 0 ? arena_text_n(arena, piece, (size_t)n) : NULL;
}

/* libvirt's own lines: the command line of QEMU, its begin, its remarks about that, the
 * terminal that it got. */
static bool is_of_the_start(const char *line)
{
	return !*line || *line == '-' || text_ends_with(line, "\\") ||
	       strstr(line, ": starting up libvirt version") ||
	       strstr(line, " is tainted: ") ||
	       text_starts_with(line, "char device redirected to ");
}

/* Takes the last line off the text; "" where it was the first. */
static char *last_line(char *text)
{
	char *end = strrchr(text, '\n');

	if (!end)
		return text;
	*end = '\0';
	return end + 1;
}

const char *guest_log_tail(
	const struct place_world *world, const char *domain, struct arena *arena)
{
	const char *path = world->logs ? arena_format(arena, "%s%s/%s.log", world->root,
						 world->logs, domain)
				       : NULL;
	const char *joined = NULL;
	char *text = path ? read_tail(path, arena) : NULL, *line = NULL;
	int lines = 0;

	while (text && line != text && lines < GUEST_LOG_LINES) {
		line = last_line(text);
		text_make_printable(line);
		if (is_of_the_start(line))
			continue;
		joined = arena_format(arena, "%.*s%s%s", LINE_MAX_BYTES, line,
			joined ? "; " : "", joined ? joined : "");
		lines++;
	}
	return joined ? joined : "";
}
