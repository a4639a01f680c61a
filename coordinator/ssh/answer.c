/* What is asked of `ssh -G`, and what its answer says. */
#include <stdio.h>
#include <string.h>

#include "coordinator/ssh/resolving.h"

/* ---- the command */

static enum rc add_pair(const struct resolving *r, struct texts *argv, const char *option,
	const char *value, struct err *e)
{
	enum rc rc = value ? texts_add(argv, option, r->c->arena, e) : RC_OK;

	return value && rc == RC_OK ? texts_add(argv, value, r->c->arena, e) : rc;
}

static enum rc add_options(const struct resolving *r, struct texts *argv, struct err *e)
{
	const struct ssh_options *o = r->c->options;
	enum rc rc = RC_OK;
	char port[8];

	if (r->is_jump)
		return add_pair(r, argv, "-J", r->jumps, e);
	snprintf(port, sizeof(port), "%u", o->port);
	if (!r->target.user)
		rc = add_pair(r, argv, "-l", o->user, e);
	if (rc == RC_OK && o->port && !r->target.port)
		rc = add_pair(r, argv, "-p", arena_text(r->c->arena, port), e);
	if (rc == RC_OK)
		rc = add_pair(r, argv, "-J", o->jump, e);
	for (size_t i = 0; i < o->values.count && rc == RC_OK; i++)
		rc = add_pair(r, argv, "-o", o->values.item[i], e);
	return rc;
}

enum rc answer_command(const struct resolving *r, const char *const **argv, struct err *e)
{
	struct texts words = { 0 };
	char port[8];
	enum rc rc;

	snprintf(port, sizeof(port), "%u", r->target.port);
	rc = add_pair(r, &words, "ssh", "-GT", e); /* T: not a word about terminals */
	if (rc == RC_OK)
		rc = add_pair(r, &words, "-F", r->c->options->file, e);
	if (rc == RC_OK)
		rc = add_pair(r, &words, "-l", r->target.user, e);
	if (rc == RC_OK && r->target.port)
		rc = add_pair(r, &words, "-p", arena_text(r->c->arena, port), e);
	if (rc == RC_OK)
		rc = add_options(r, &words, e);
	if (rc == RC_OK)
		rc = add_pair(r, &words, "--", r->target.host, e);
	words.item = arena_grow(
		r->c->arena, words.item, words.count, sizeof(*words.item));
	if (!words.item)
		return err_memory(e);
	words.item[words.count] = NULL;
	*argv = words.item;
	return rc;
}

/* ---- the answer */

/* "keyword value", one a line; files are separated by blanks. */
static enum rc line_read(struct config *c, char *text, struct err *e)
{
	char *value = strchr(text, ' ');
	const struct keyword_row *row;
	struct config_line *line;
	enum rc rc;

	if (!value)
		return RC_OK;
	*value++ = '\0';
	row = keyword_find(text);
	if (row->key >= KEY_COUNT || row->class == CLASS_ASKED ||
		row->key == KEY_IGNORE_UNKNOWN)
		return RC_OK;
	rc = config_add_value(
		c, text, row->shape == SHAPE_FILES ? strsep(&value, " ") : value, e);
	if (rc != RC_OK || row->shape != SHAPE_FILES)
		return rc;
	line = &c->lines[c->count - 1];
	while (value && rc == RC_OK)
		rc = texts_add(&line->words, strsep(&value, " "), c->arena, e);
	return rc;
}

static enum rc lines_read(struct config *c, char *answer, struct err *e)
{
	enum rc rc = RC_OK;

	while (answer && rc == RC_OK)
		rc = line_read(c, strsep(&answer, "\n"), e);
	return rc;
}

static size_t count_of(const struct config *c, enum keyword key)
{
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++)
		count += c->lines[i].key == key;
	return count;
}

static bool says(const struct config *c, const struct config_line *line)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->lines[i].key == line->key &&
			strcmp(c->lines[i].words.item[0], line->words.item[0]) == 0)
			return true;
	return false;
}

/* ssh prints its defaults as well.  What it would say where nothing is configured was not
 * said by the user: our own defaults apply. */
static bool is_said(
	const struct config *all, const struct config *usual, enum keyword key)
{
	if (key == KEY_HOSTNAME || key == KEY_USER || key == KEY_PORT)
		return true;
	if (count_of(all, key) != count_of(usual, key))
		return true;
	for (size_t i = 0; i < all->count; i++)
		if (all->lines[i].key == key && !says(usual, &all->lines[i]))
			return true;
	return false;
}

enum rc answer_read(struct resolving *r, char *answer, struct err *e)
{
	struct ssh_config *c = r->c;
	struct config *all = arena_alloc(c->arena, 1, sizeof(*all)), *said;
	enum rc rc;

	said = arena_alloc(c->arena, 1, sizeof(*said));
	if (!all || !said)
		return err_memory(e);
	*said = *all = (struct config){ .arena = c->arena, .source = "ssh -G" };
	rc = lines_read(all, answer, e);
	if (rc != RC_OK || !c->untouched) {
		c->untouched = c->untouched ? c->untouched : all;
		return rc;
	}
	said->lines = arena_alloc(c->arena, all->count + 1, sizeof(*said->lines));
	if (!said->lines)
		return err_memory(e);
	for (size_t i = 0; i < all->count; i++)
		if (is_said(all, c->untouched, all->lines[i].key))
			said->lines[said->count++] = all->lines[i];
	r->given = (struct given){ 0 };
	r->is_answered = true;
	struct walk w = {
		.original = "", .host = "", .local_user = "", .given = &r->given
	};

	walk_lines(&w, &r->own);
	if (!r->is_jump && !r->target.identity)
		walk_lines(&w, &c->identities);
	walk_lines(&w, said);
	if (!r->given.first[KEY_HOSTNAME] || !r->given.first[KEY_PORT])
		return err_set(e, RC_INPUT, 0, "ssh -G %s: the answer makes no sense",
			r->target.host);
	return RC_OK;
}
