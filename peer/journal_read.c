/* The lines of a journal, back from a file. */
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "peer/journal.h"
#include "peer/store.h"

enum { FIELDS_MAX = 32 };

struct reading_of {
	const char *path; /* for messages */
	struct arena *arena;
	struct journal_text *out;
	struct err *e;
};

static enum rc damaged(const struct reading_of *r)
{
	return err_set(r->e, RC_CONFLICT, 0,
		"%s is damaged in line %zu: look at the files that it names and their "
		".cpuherd-old, then remove its folder",
		r->path, r->out->count + 1);
}

/* In place; false: a % that is followed by something else. */
static bool unescape(char *value)
{
	char *to = value, digits[3] = "";
	uint8_t byte;

	for (; *value; value++) {
		if (*value != '%') {
			*to++ = *value;
			continue;
		}
		digits[0] = value[1];
		digits[1] = value[1] ? value[2] : '\0';
		if (!hex_read(digits, &byte, 1) || !byte)
			return false;
		*to++ = (char)byte;
		value += 2;
	}
	*to = '\0';
	return true;
}

/* Cuts "WORD KEY=VALUE ..." in place; false: it is no such thing. */
static bool cut(char *text, struct journal_line *out)
{
	size_t n = 0;
	char *key;

	out->word = text;
	for (text = strchr(text, ' '); text; n += 2) {
		char *value, *next;

		if (n + 2 > 2 * FIELDS_MAX)
			return false;
		*text = '\0';
		key = text + 1;
		next = strchr(key, ' ');
		if (next)
			*next = '\0';
		value = strchr(key, '=');
		if (!value)
			return false;
		*value++ = '\0';
		if (!unescape(value))
			return false;
		out->fields[n] = key;
		out->fields[n + 1] = value;
		text = next;
	}
	return true;
}

/* One line without its end; false: it is not as it was written. */
static bool take_line(struct reading_of *r, char *line, size_t size)
{
	struct journal_line *out = &r->out->line[r->out->count];
	char sum[JOURNAL_SUM_DIGITS + 1], *text = line + JOURNAL_SUM_DIGITS + 1;

	if (size <= JOURNAL_SUM_DIGITS + 1 || strlen(line) != size || text[-1] != ' ')
		return false;
	journal_sum(r->out->count, text, size - JOURNAL_SUM_DIGITS - 1, sum);
	return memcmp(sum, line, JOURNAL_SUM_DIGITS) == 0 && cut(text, out);
}

static enum rc make_room(struct reading_of *r)
{
	struct journal_text *out = r->out;

	out->line = arena_grow(r->arena, out->line, out->count, sizeof(*out->line));
	if (!out->line)
		return err_memory(r->e);
	out->line[out->count].fields = arena_alloc(
		r->arena, 2 * FIELDS_MAX + 1, sizeof(*out->line->fields));
	return out->line[out->count].fields ? RC_OK : err_memory(r->e);
}

static enum rc take_all(struct reading_of *r, char *text, size_t size)
{
	char *at = text, *end = text + size;

	while (at < end) {
		char *stop = memchr(at, '\n', (size_t)(end - at));
		bool good = stop != NULL;

		if (make_room(r) != RC_OK)
			return r->e->code;
		if (stop)
			*stop = '\0';
		good = good && take_line(r, at, (size_t)(stop - at));
		/* the last line: it was never said */
		if (!good && (!stop || stop + 1 == end))
			return RC_OK;
		if (!good)
			return damaged(r);
		at = stop + 1;
		r->out->count++;
		r->out->size = (size_t)(at - text);
	}
	return RC_OK;
}

enum rc journal_read(int folder, const char *path, struct arena *arena,
	struct journal_text *out, struct err *e)
{
	struct reading_of r = { path, arena, out, e };
	struct bytes bytes;
	char *text;
	enum rc rc = store_read(folder, journal_file, arena, &bytes, e);

	*out = (struct journal_text){ .exists = rc == RC_OK && bytes.data };
	if (rc != RC_OK || !out->exists)
		return rc;
	text = arena_text_n(arena, bytes.data, bytes.size);
	return text ? take_all(&r, text, bytes.size) : err_memory(e);
}

/* ---- fields */

const char *journal_get(const struct journal_line *l, const char *key)
{
	for (const char **f = l->fields; *f; f += 2)
		if (strcmp(f[0], key) == 0)
			return f[1];
	return NULL;
}

bool journal_get_number(const struct journal_line *l, const char *key, uint64_t *out)
{
	const char *text = journal_get(l, key);

	return text && text_to_u64(text, out);
}

bool journal_get_digest(const struct journal_line *l, const char *key, struct digest *out)
{
	const char *text = journal_get(l, key);

	return text && hex_read(text, out->byte, DIGEST_BYTES);
}
