#include "tests/support/document.h"

#include <stdlib.h>

#include "tests/support/test.h"

/* The start of the line after the one that begins with the mark. */
static char *line_after(char *text, const char *mark)
{
	char *line = strstr(text, mark);

	line = line ? strchr(line, '\n') : NULL;
	return line ? line + 1 : NULL;
}

void assert_document_part(const char *page, const char *source, const struct buf *text)
{
	struct arena arena = { 0 };
	char *path = arena_format(&arena, "%s/docs/%s", SOURCE_ROOT, page);
	char *whole = test_read_file(&arena, path);
	char *start = line_after(
		whole, arena_format(&arena, "<!-- printed from %s", source));
	char *end = start ? strstr(start, "<!-- end -->") : NULL;
	char *wanted = arena_text_n(&arena, buf_bytes(text).data, buf_bytes(text).size);
	bool same;

	if (!end)
		fail_msg("%s has no part that is printed from %s", path, source);
	same = (size_t)(end - start) == strlen(wanted) &&
	       memcmp(start, wanted, strlen(wanted)) == 0;
	if (!same && getenv("UPDATE"))
		test_write_file(path, arena_format(&arena, "%.*s%s%s",
					      (int)(start - whole), whole, wanted, end));
	else if (!same)
		fail_msg("%s differs from %s: run scripts/update-docs", path, source);
	arena_destroy(&arena);
}
