#include "tests/support/shell.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"

struct shell_result shell_run(struct arena *arena, const char *line)
{
	char out[] = "/tmp/cpuherd-out-XXXXXX", err[] = "/tmp/cpuherd-err-XXXXXX";
	struct shell_result r;
	int status;

	close(mkstemp(out));
	close(mkstemp(err));
	status = system(
		arena_format(arena, "{ %s; } >%s 2>%s </dev/null", line, out, err));
	assert_true(WIFEXITED(status));
	r.status = WEXITSTATUS(status);
	r.out = test_read_file(arena, out);
	r.err = test_read_file(arena, err);
	unlink(out);
	unlink(err);
	return r;
}

int shell_find(const char *program)
{
	if (access(program, X_OK) == 0)
		return 0;
	print_error("%s is not here: run this test by ctest\n", program);
	return -1;
}
