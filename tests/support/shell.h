/* shell.h - a line of shell, and all that came of it.
 */
#ifndef TESTS_SUPPORT_SHELL_H
#define TESTS_SUPPORT_SHELL_H

#include "base/arena.h"

struct shell_result {
	int status;
	char *out, *err; /* in the arena */
};

/* Runs the line with nothing on its standard input.  Fails the test when it was ended by
 * a signal. */
struct shell_result shell_run(struct arena *arena, const char *line);

/* 0: the program is in the build folder, where CTest runs every unit test; else -1, and
 * says so. */
int shell_find(const char *program);

#endif
