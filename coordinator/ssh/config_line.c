#include "coordinator/ssh/config_line.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "coordinator/ssh/shape.h"

uint32_t config_hash(const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *c = name; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	return hash;
}

/* ---- Host */

static bool are_plain(const struct texts *words)
{
	for (size_t i = 0; i < words->count; i++)
		if (strpbrk(words->item[i], "*?!"))
			return false;
	return true;
}

/* Configurations with a Host for each of ten thousand nodes are real; most of these lines
 * are passed by looking at a number. */
static enum rc read_host(struct config *c, struct config_line *line, struct err *e)
{
	if (!are_plain(&line->words))
		return RC_OK;
	line->hashes = arena_alloc(
		c->arena, line->words.count + 1, sizeof(*line->hashes));
	if (!line->hashes)
		return err_memory(e);
	for (size_t i = 0; i < line->words.count; i++)
		line->hashes[i] = config_hash(line->words.item[i]);
	return RC_OK;
}

/* ---- Match */

static const struct criterion_row {
	const char *name;
	enum criterion_kind kind;
	bool has_patterns;
} criteria[] = {
	{ "all", CRITERION_ALL, false },
	{ "final", CRITERION_FINAL, false },
	{ "canonical", CRITERION_CANONICAL, false },
	{ "host", CRITERION_HOST, true },
	{ "originalhost", CRITERION_ORIGINAL_HOST, true },
	{ "user", CRITERION_USER, true },
	{ "localuser", CRITERION_LOCAL_USER, true },
	{ "exec", CRITERION_ASK, false },
};

/* The next word; NULL: the end.  Quotes and = are left for ssh to judge. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t");

	if (!*word || *word == '#')
		return NULL;
	*rest = word + strcspn(word, " \t");
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

static struct criterion criterion_of(char *word, char **rest)
{
	struct criterion found = { CRITERION_ASK_ALWAYS, word[0] == '!', NULL };

	for (size_t i = 0; i < sizeof(criteria) / sizeof(*criteria); i++) {
		const struct criterion_row *row = &criteria[i];

		if (strcasecmp(word + found.negated, row->name) != 0)
			continue;
		found.kind = row->kind;
		found.patterns = row->has_patterns ? next_word(rest) : "";
		if (!found.patterns || strpbrk(found.patterns, "'\"\\="))
			found.kind = CRITERION_ASK_ALWAYS;
		break;
	}
	return found;
}

static bool criterion_add(
	struct config *c, struct config_line *line, struct criterion criterion)
{
	line->criteria = arena_grow(
		c->arena, line->criteria, line->criterion_count, sizeof(*line->criteria));
	if (!line->criteria)
		return false;
	line->criteria[line->criterion_count++] = criterion;
	return true;
}

/* `all` stands alone, or behind canonical or final. */
static bool is_all_in_place(const struct config_line *line)
{
	size_t n = line->criterion_count;

	for (size_t i = 0; i < n; i++) {
		if (line->criteria[i].kind != CRITERION_ALL)
			continue;
		if (i + 1 != n || i > 1)
			return false;
		if (i == 1 && line->criteria[0].kind != CRITERION_FINAL &&
			line->criteria[0].kind != CRITERION_CANONICAL)
			return false;
	}
	return true;
}

static enum rc read_match(
	struct config *c, struct config_line *line, const char *rest, struct err *e)
{
	char *text = arena_text(c->arena, rest), *word;
	bool has_final = strcasestr(rest, "final") != NULL;
	enum criterion_kind kind = CRITERION_ALL;

	if (!text)
		return err_memory(e);
	while (kind < CRITERION_ASK && (word = next_word(&text))) {
		if (!criterion_add(c, line, criterion_of(word, &text)))
			return err_memory(e);
		kind = line->criteria[line->criterion_count - 1].kind;
	}
	/* a final behind an exec asks for a second pass, whatever the exec says */
	if (kind == CRITERION_ASK && has_final)
		kind = CRITERION_ASK_ALWAYS;
	if (!is_all_in_place(line) || line->criterion_count == 0)
		kind = CRITERION_ASK_ALWAYS;
	if (kind == CRITERION_ASK_ALWAYS) {
		line->criterion_count = 0;
		line->oddity = "only ssh can judge this condition";
		if (!criterion_add(c, line, (struct criterion){ kind, false, "" }))
			return err_memory(e);
	}
	for (unsigned i = 0; has_final && i < c->depth; i++)
		if (c->open[i])
			c->lines[c->open[i] - 1].asks_for_final = true;
	return RC_OK;
}

/* ---- blocks and lines */

const char *config_line_text(
	const struct config_line *line, const char *what, struct arena *arena)
{
	if (!line->number)
		return arena_format(arena, "%s %s: %s", line->file, line->name, what);
	return arena_format(
		arena, "%s:%u: %s: %s", line->file, line->number, line->name, what);
}

void config_block_close(struct config *c)
{
	if (c->open[c->depth])
		c->lines[c->open[c->depth] - 1].next = c->count;
	c->open[c->depth] = 0;
}

static enum rc line_keep(struct config *c, const struct config_line *line, struct err *e)
{
	c->lines = arena_grow(c->arena, c->lines, c->count, sizeof(*c->lines));
	if (!c->lines)
		return err_memory(e);
	if (line->key == KEY_HOST || line->key == KEY_MATCH)
		config_block_close(c);
	c->lines[c->count++] = *line;
	if (line->key == KEY_HOST || line->key == KEY_MATCH)
		c->open[c->depth] = c->count;
	if (line->oddity && !c->odd)
		c->odd = config_line_text(line, line->oddity, c->arena);
	return line->oddity && !c->odd ? err_memory(e) : RC_OK;
}

/* Values that run to the end of the line, as ssh cuts them out. */
static enum rc take_rest(struct config *c, struct config_line *line, const char *rest,
	enum keyword_shape shape, struct err *e)
{
	size_t size;

	rest += strspn(rest, " \t=");
	size = shape == SHAPE_JUMP ? strcspn(rest, " \t#") : strlen(rest);
	line->words = (struct texts){ 0 };
	return texts_add(&line->words, arena_text_n(c->arena, rest, size), c->arena, e);
}

enum rc config_line_add(struct config *c, const char *file, unsigned number,
	const struct words_line *split, struct err *e)
{
	const struct keyword_row *row = keyword_find(split->keyword);
	struct config_line line = { .file = file,
		.number = number,
		.key = row->key,
		.name = split->keyword,
		.words = split->words };
	enum rc rc = RC_OK;

	if (row->shape == SHAPE_JUMP || row->shape == SHAPE_REST)
		rc = take_rest(c, &line, split->rest, row->shape, e);
	if (rc != RC_OK)
		return rc;
	line.oddity = row->class == CLASS_UNKNOWN ? row->why
						  : shape_oddity(row->shape, &line.words);
	if (line.key == KEY_INCLUDE)
		line.oddity = "only ssh can tell which files it means";
	else if (line.key == KEY_HOST)
		rc = read_host(c, &line, e);
	else if (line.key == KEY_MATCH)
		rc = read_match(c, &line, split->rest, e);
	if (rc != RC_OK || (line.key == KEY_IGNORED && !line.oddity))
		return rc;
	return line_keep(c, &line, e);
}

enum rc config_add_option(struct config *c, const char *text, struct err *e)
{
	struct words_line split;
	enum rc rc = words_read(&split, text, c->arena, e);
	const struct keyword_row *row;
	struct err inner;

	if (rc == RC_OK && !split.keyword)
		rc = err_set(e, RC_INPUT, 0, "a keyword is needed");
	row = rc == RC_OK ? keyword_find(split.keyword) : NULL;
	if (row && row->class == CLASS_STRUCTURE)
		rc = err_set(e, RC_INPUT, 0, "%s belongs into a file", split.keyword);
	if (rc == RC_OK)
		rc = config_line_add(c, c->source, 0, &split, e);
	inner = *e;
	return rc == RC_INPUT ? err_set(e, RC_USAGE, 0, "-o '%s': %s", text, inner.text)
			      : rc;
}

enum rc config_add_value(
	struct config *c, const char *keyword, const char *value, struct err *e)
{
	const struct keyword_row *row = keyword_find(keyword);
	struct config_line line = { .file = c->source, .key = row->key, .name = keyword };

	if (texts_add(&line.words, value, c->arena, e) != RC_OK)
		return e->code;
	return line_keep(c, &line, e);
}
