#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static enum log_level threshold = LOG_WARN;
static void (*before_line)(void);

void log_set_level(enum log_level level)
{
	threshold = level;
}

void log_set_before(void (*before)(void))
{
	before_line = before;
}

void log_line(enum log_level level, const char *node, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (level > threshold)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_make_printable(text);
	flockfile(stderr); /* other threads log as well */
	if (before_line)
		before_line();
	fprintf(stderr, "cpuherd: %s%s%s\n", node ? node : "", node ? ": " : "", text);
	funlockfile(stderr);
}
