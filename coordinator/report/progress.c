#include "coordinator/report/progress.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"

enum { COLUMNS = 80 /* of a terminal that does not say */ };

static bool enabled;
static atomic_bool shown; /* changes while stderr is locked: lanes log from threads */

void progress_begin(bool quiet)
{
	enabled = !quiet && isatty(STDERR_FILENO);
	log_set_before(enabled ? progress_clear : NULL);
}

static size_t terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS;
	return size.ws_col;
}

/* The line while it is made: a part that does not fit ends it. */
struct line {
	char *text;
	size_t used, room;
};

static void __attribute__((format(printf, 2, 3)))
add(struct line *l, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(l->text + l->used, l->room - l->used + 1, fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n <= l->room - l->used)
		l->used += (size_t)n;
	else
		l->room = l->used;
	l->text[l->used] = '\0';
}

void progress_format(const struct progress *p, size_t columns,
	char line[static PROGRESS_WIDTH_MAX + 1])
{
	struct line l = { line, 0,
		columns < PROGRESS_WIDTH_MAX ? columns : PROGRESS_WIDTH_MAX };

	line[0] = '\0';
	add(&l, "%s %zu/%zu", p->phase, p->done, p->total);
	if (p->failed)
		add(&l, ", %zu failed", p->failed);
	for (int i = 0; i < PROGRESS_STAGES && p->stages[i].name; i++)
		if (p->stages[i].count)
			add(&l, ", %zu %s", p->stages[i].count, p->stages[i].name);
	if (p->seconds >= 1)
		add(&l, ", %.0f/s", (double)p->done / p->seconds);
	for (int i = 0; i < PROGRESS_SLOWEST && p->slowest[i].name; i++)
		if (p->slowest[i].seconds >= 1)
			add(&l, "%s%s %.0f s (%s)",
				i ? ", " : "; slowest: ", p->slowest[i].name,
				p->slowest[i].seconds, p->slowest[i].stage);
}

void progress_show(const struct progress *p)
{
	char line[PROGRESS_WIDTH_MAX + 1];

	if (!enabled)
		return;
	/* a line that is as wide as the terminal would wrap */
	progress_format(p, terminal_columns() - 1, line);
	flockfile(stderr);
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
	shown = true;
	funlockfile(stderr);
}

void progress_clear(void)
{
	flockfile(stderr);
	if (atomic_exchange(&shown, false))
		fputs("\r\033[K", stderr);
	fflush(stderr);
	funlockfile(stderr);
}
