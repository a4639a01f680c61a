#include "coordinator/verb/saved.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "coordinator/verb/replace.h"
#include "proto/dump.h"
#include "proto/limits.h"

enum rc saved_make_folder(const char *folder, struct err *e)
{
	struct stat st;

	if (mkdir(folder, 0777) == 0)
		return RC_OK;
	if (errno == EEXIST && stat(folder, &st) == 0 && S_ISDIR(st.st_mode))
		return RC_OK;
	return err_set(e, RC_OUTPUT, errno, "%s: %s", folder, strerror(errno));
}

char *saved_file_name(struct arena *arena, const char *name)
{
	char *copy = arena_text(arena, name);

	for (char *c = copy; c && *c; c++)
		if (*c == ':')
			*c = '-';
		else if (strchr("/[]%", *c))
			*c = '_';
	return copy;
}

enum rc saved_claim(
	struct inventory *files, const char *name, struct arena *arena, struct err *e)
{
	char *file = saved_file_name(arena, name);
	size_t before = files->count;
	enum rc rc = file ? inventory_add_name(files, file, arena, e) : err_memory(e);

	if (rc == RC_OK && files->count == before)
		return err_set(e, RC_INPUT, 0,
			"%s: the facts of another node of this run go to "
			"%s.facts as well",
			name, file);
	return rc;
}

enum rc saved_write(
	const char *folder, const char *name, const struct node_facts *f, struct err *e)
{
	struct buf text = buf_with_cap(LIMIT_DUMP_BYTES);
	struct arena scratch = { 0 };
	char *file = saved_file_name(&scratch, name);
	char *path = file ? arena_format(&scratch, "%s/%s.facts", folder, file) : NULL;
	enum rc rc = path ? dump_write(&text, f, e) : err_memory(e);

	if (rc == RC_OK)
		rc = replace_file(path, buf_bytes(&text), e);
	buf_destroy(&text);
	arena_destroy(&scratch);
	return rc;
}
