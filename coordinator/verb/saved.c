#include "coordinator/verb/saved.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "coordinator/verb/replace.h"
#include "coordinator/verb/stream.h"
#include "proto/dump.h"
#include "proto/limits.h"

/* ---- reading */

/* Length of the name in "NAME.facts" or "NAME.txt"; 0 when it is neither. */
static size_t stem_length(const char *file)
{
	static const char *const suffixes[] = { ".facts", ".txt" };

	for (size_t i = 0; i < 2; i++)
		if (text_ends_with(file, suffixes[i]))
			return strlen(file) - strlen(suffixes[i]);
	return 0;
}

static enum rc file_add(struct inventory *inv, const char *path, const char *name,
	struct arena *arena, struct err *e)
{
	size_t before = inv->count;
	enum rc rc;

	if (!text_is_name(name))
		return err_set(e, RC_INPUT, 0,
			"%s: the name of a facts file is its node's: letters, digits, "
			"'.', '_' and '-'",
			path);
	rc = inventory_add_name(inv, name, arena, e);
	if (rc == RC_OK && inv->count == before)
		return err_set(
			e, RC_INPUT, 0, "%s: there are two files of node %s", path, name);
	return rc;
}

static int is_facts_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && stem_length(entry->d_name) > 0;
}

static enum rc folder_list(
	struct inventory *inv, const char *folder, struct arena *arena, struct err *e)
{
	struct dirent **entry = NULL;
	int count = scandir(folder, &entry, is_facts_file, alphasort);
	enum rc rc = RC_OK;

	if (count < 0)
		return err_set(e, RC_INPUT, errno, "%s: %s", folder, strerror(errno));
	if (count == 0)
		rc = err_set(
			e, RC_INPUT, 0, "%s: no *.facts or *.txt file in it", folder);
	for (int i = 0; i < count; i++) {
		const char *file = entry[i]->d_name;
		char *name = arena_text_n(arena, file, stem_length(file));
		char *path = arena_format(arena, "%s%s%s", folder,
			text_ends_with(folder, "/") ? "" : "/", file);

		if (rc == RC_OK)
			rc = name && path ? file_add(inv, path, name, arena, e)
					  : err_memory(e);
		free(entry[i]);
	}
	free(entry);
	return rc;
}

enum rc saved_list(
	struct inventory *inv, const char *path, struct arena *arena, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	size_t length = stem_length(file);
	struct stat st;
	char *name;

	if (stat(path, &st) != 0)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return folder_list(inv, path, arena, e);
	name = arena_text_n(arena, file, length ? length : strlen(file));
	return name ? file_add(inv, path, name, arena, e) : err_memory(e);
}

/* FROM/NAME.SUFFIX */
static char *path_in(
	const char *from, const char *name, const char *suffix, struct arena *arena)
{
	return arena_format(arena, "%s%s%s.%s", from,
		text_ends_with(from, "/") ? "" : "/", name, suffix);
}

/* The path itself when it is a file, or the one of the node's two files that is there. */
static const char *file_of(const char *path, const char *name, struct arena *arena)
{
	const char *file = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		file = path_in(path, name, "facts", arena);
	if (file && access(file, F_OK) != 0)
		file = path_in(path, name, "txt", arena);
	return file ? file : path;
}

enum rc saved_read(const char *from, const char *name, struct arena *arena,
	struct node_facts *out, struct err *e)
{
	struct buf text = buf_with_cap(LIMIT_DUMP_BYTES);
	const char *path = file_of(from, name, arena);
	FILE *file = fopen(path, "re");
	enum rc rc;

	if (!file)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	rc = stream_read(file, path, "a facts file", &text, e);
	if (rc == RC_OK)
		rc = dump_read(buf_bytes(&text), path, arena, out, e);
	fclose(file);
	buf_destroy(&text);
	return rc == RC_OK ? RC_OK : e->code;
}

/* ---- writing */

enum rc saved_make_folder(const char *folder, struct err *e)
{
	struct stat st;

	if (mkdir(folder, 0777) == 0)
		return RC_OK;
	if (errno == EEXIST && stat(folder, &st) == 0 && S_ISDIR(st.st_mode))
		return RC_OK;
	return err_set(e, RC_OUTPUT, errno, "%s: %s", folder, strerror(errno));
}

/* A node's name as a file name that --from takes: [::1]:22 becomes _--1_-22. */
static char *file_name_of(struct arena *scratch, const char *name)
{
	char *copy = arena_text(scratch, name);

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
	char *file = file_name_of(arena, name);
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
	char *file = file_name_of(&scratch, name);
	char *path = file ? arena_format(&scratch, "%s/%s.facts", folder, file) : NULL;
	enum rc rc = path ? dump_write(&text, f, e) : err_memory(e);

	if (rc == RC_OK)
		rc = replace_file(path, buf_bytes(&text), e);
	buf_destroy(&text);
	arena_destroy(&scratch);
	return rc;
}
