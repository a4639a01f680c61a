/* log.h - one line each, to stderr.
 *
 * Results go to stdout elsewhere; this is for the person who watches.  Levels:
 * error (the run is affected), warn (a node is), info (phases), debug (state
 * transitions, frames by name and size, never contents of keys).  The pure
 * folders (cpu/, render/) never log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* What is printed from now on; LOG_WARN at the start. */
void log_set_level(enum log_level level);

/* Called before each line is printed (to clear a progress line); may be NULL. */
void log_set_before(void (*before)(void));

/* "cpuherd: node07: text"; node may be NULL. */
void log_line(enum log_level level, const char *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
