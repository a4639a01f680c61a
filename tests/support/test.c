#include "tests/support/test.h"

#include <errno.h>
#include <stdlib.h>

void test_filter(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
}

void assert_rc_at(
	enum rc rc, enum rc wanted, const struct err *e, const char *file, int line)
{
	if (rc == wanted)
		return;
	print_error("%s:%d: got %s, wanted %s; error text: %s\n", file, line, rc_name(rc),
		rc_name(wanted), rc == RC_OK ? "" : e->text);
	_fail(file, line);
}

void assert_contains_at(const char *text, const char *part, const char *file, int line)
{
	if (strstr(text, part))
		return;
	print_error("%s:%d: \"%s\" is not in \"%s\"\n", file, line, part, text);
	_fail(file, line);
}

void test_run(const char *fmt, ...)
{
	char command[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

/* xorshift64* (Marsaglia 2003; Vigna 2016) */
uint32_t test_random(uint64_t *state)
{
	uint64_t x = *state ? *state : 88172645463325252u;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (uint32_t)((x * 2685821657736338717u) >> 32);
}

char *test_read_file(struct arena *arena, const char *path)
{
	struct buf content = buf_with_cap(64 * 1024 * 1024);
	char chunk[65536], *text;
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		assert_int_equal(buf_append(&content, chunk, n), RC_OK);
	fclose(f);
	text = arena_text_n(arena, buf_bytes(&content).data, buf_bytes(&content).size);
	buf_destroy(&content);
	return text;
}

void test_write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}
