/* How nodes are reached, as words: written down with a run, and taken over by who ends it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/verb/options_private.h"
#include "proto/texts.h"

enum rc options_absolute(const char **path, struct arena *arena, struct err *e)
{
	char *here;

	if ((*path)[0] == '\0' || (*path)[0] == '/' || (*path)[0] == '~')
		return RC_OK;
	here = getcwd(NULL, 0);
	if (!here)
		return err_set(e, RC_INPUT, errno, "%s: %s", *path, strerror(errno));
	*path = arena_format(arena, "%s/%s", here, *path);
	free(here);
	return *path ? RC_OK : err_memory(e);
}

static enum rc road_add(const struct option_row *row, const char *value,
	struct texts *words, struct arena *arena, struct err *e)
{
	bool is_file = row->argument && strcmp(row->argument, "FILE") == 0 &&
		       strcmp(value, "none") != 0;
	enum rc rc = is_file ? options_absolute(&value, arena, e) : RC_OK;

	if (rc == RC_OK)
		rc = texts_add(words, row->name, arena, e);
	return rc == RC_OK ? texts_add(words, value, arena, e) : rc;
}

static enum rc road_add_row(const struct options *o, const struct option_row *row,
	struct texts *words, struct arena *arena, struct err *e)
{
	const void *member = (const char *)o + row->offset;
	const struct texts *texts = member;
	enum rc rc = RC_OK;

	switch (row->kind) {
	case KIND_FLAG:
		return *(const bool *)member ? road_add(row, "", words, arena, e) : RC_OK;
	case KIND_TEXT:
		return option_is_set(o, row) ? road_add(row, *(const char *const *)member,
						       words, arena, e)
					     : RC_OK;
	case KIND_NUMBER:
		return option_is_set(o, row) ? road_add(row,
						       arena_format(arena, "%u",
							       *(const uint32_t *)member),
						       words, arena, e)
					     : RC_OK;
	case KIND_TEXTS:
		for (size_t i = 0; i < texts->count && rc == RC_OK; i++)
			rc = road_add(row, texts->item[i], words, arena, e);
		return rc;
	}
	return rc;
}

enum rc options_road(
	const struct options *o, struct texts *words, struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < option_count && rc == RC_OK; i++)
		if (option_rows[i].verbs & OF_ROAD)
			rc = road_add_row(o, &option_rows[i], words, arena, e);
	return rc;
}

static const struct option_row *row_of_road(const char *name)
{
	for (size_t i = 0; i < option_count; i++)
		if ((option_rows[i].verbs & OF_ROAD) &&
			strcmp(option_rows[i].name, name) == 0)
			return &option_rows[i];
	return NULL;
}

enum rc options_take_road(
	struct options *o, const struct texts *words, struct arena *arena, struct err *e)
{
	const struct options given = *o;
	enum rc rc = RC_OK;

	for (size_t i = 0; i + 1 < words->count && rc == RC_OK; i += 2) {
		const struct option_row *row = row_of_road(words->item[i]);

		if (!row)
			return err_set(e, RC_INPUT, 0,
				"the journal was written by another version of cpuherd: "
				"it has an option '%s'",
				words->item[i]);
		if (!option_is_set(&given, row))
			rc = option_set(o, row, words->item[i + 1], arena, e);
	}
	return rc;
}
