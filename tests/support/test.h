/* test.h - what every unit test includes: cmocka in its order, and little else.
 *
 * A test's name is a sentence about behaviour; `unit_NAME PATTERN` runs the cases
 * that match it (* and ? are wildcards).
 */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Takes the PATTERN of the command line. */
void test_filter(int argc, char **argv);

/* Fails with the error's text when rc is not what was wanted. */
#define assert_rc(rc, wanted, e) assert_rc_at(rc, wanted, e, __FILE__, __LINE__)
void assert_rc_at(
	enum rc rc, enum rc wanted, const struct err *e, const char *file, int line);

/* Fails unless the text holds the part; prints both. */
#define assert_contains(text, part) assert_contains_at(text, part, __FILE__, __LINE__)
void assert_contains_at(const char *text, const char *part, const char *file, int line);

/* Runs a line of shell; fails the test when it does. */
void test_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Numbers that are the same in every run: start a sequence with any seed. */
uint32_t test_random(uint64_t *state);

/* The whole file, NUL-terminated, in the arena; fails the test when it cannot. */
char *test_read_file(struct arena *arena, const char *path);
void test_write_file(const char *path, const char *text);

#endif
