#include "peer/ini.h"

#include <stdbool.h>
#include <string.h>

/* A part of the text; data is not NUL-terminated. */
struct span {
	const char *data;
	size_t size;
};

struct reading_ini {
	const char *path;
	struct arena *arena;
	ini_take_fn *take;
	void *context;
	struct err *e;
	unsigned line;
	char *section; /* NULL: none has begun */
	char *key;     /* NULL: no assignment is open */
	char *value;
};

static enum rc refuse(const struct reading_ini *r, const char *what)
{
	return err_set(r->e, RC_TARGET, 0, "%s: line %u: %s: nova cannot read it",
		r->path, r->line, what);
}

/* ---- blanks as str.isspace() has them, in UTF-8 */

static const char *const blanks[] = { " ", "\t", "\n", "\v", "\f", "\r", "\x1c", "\x1d",
	"\x1e", "\x1f", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
	"\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85",
	"\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a",
	"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };

enum { BLANKS = sizeof(blanks) / sizeof(blanks[0]) };

/* Bytes of the blank that the text begins or ends with; 0: none. */
static size_t blank_of(struct span s, bool at_end)
{
	for (size_t i = 0; i < BLANKS; i++) {
		size_t n = strlen(blanks[i]);

		if (n <= s.size &&
			memcmp(at_end ? s.data + s.size - n : s.data, blanks[i], n) == 0)
			return n;
	}
	return 0;
}

static struct span strip_end(struct span s)
{
	size_t n;

	while ((n = blank_of(s, true)) != 0)
		s.size -= n;
	return s;
}

static struct span strip_begin(struct span s)
{
	size_t n;

	while ((n = blank_of(s, false)) != 0)
		s = (struct span){ s.data + n, s.size - n };
	return s;
}

static char *text_of(const struct reading_ini *r, struct span s)
{
	return arena_text_n(r->arena, s.data, s.size);
}

/* ---- what a line can be */

static enum rc flush(struct reading_ini *r)
{
	struct ini_entry entry = { r->section, r->key, r->value };

	if (!r->key)
		return RC_OK;
	r->key = NULL;
	if (!r->section)
		return refuse(r, "no [section] before it");
	return r->take(r->context, &entry, r->e);
}

static enum rc take_continuation(struct reading_ini *r, struct span line)
{
	struct span more = strip_begin(line);

	if (!r->key)
		return refuse(r, "it begins with a blank, and continues nothing");
	r->value = arena_format(
		r->arena, "%s\n%.*s", r->value, (int)more.size, more.data);
	return r->value ? RC_OK : err_memory(r->e);
}

static enum rc take_section(struct reading_ini *r, struct span line)
{
	if (line.data[line.size - 1] != ']' || line.size <= 2)
		return refuse(r, "not a [section]");
	r->section = text_of(r, (struct span){ line.data + 1, line.size - 2 });
	if (!r->section)
		return err_memory(r->e);
	for (char *c = r->section; *c && strcmp(r->section, "DEFAULT") != 0; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return RC_OK;
}

/* A quote alone is a pair with itself, there as here. */
static struct span strip_quotes(struct span s)
{
	if (s.size && (*s.data == '"' || *s.data == '\'') &&
		s.data[s.size - 1] == *s.data)
		return (struct span){ s.data + 1, s.size > 1 ? s.size - 2 : 0 };
	return s;
}

static enum rc take_assignment(struct reading_ini *r, struct span line)
{
	struct span key = line, value;
	size_t n = 0;

	while (n < line.size && line.data[n] != ':' && line.data[n] != '=')
		n++;
	if (n == line.size)
		return refuse(r, "neither '=' nor ':'");
	key.size = n;
	key = strip_begin(strip_end(key));
	value = (struct span){ line.data + n + 1, line.size - n - 1 };
	if (!key.size)
		return refuse(r, "no name before the '=' or ':'");
	r->key = text_of(r, key);
	r->value = text_of(r, strip_quotes(strip_begin(strip_end(value))));
	return r->key && r->value ? RC_OK : err_memory(r->e);
}

static enum rc take_line(struct reading_ini *r, struct span line)
{
	r->line++;
	line = strip_end(line);
	if (line.size && (*line.data == ' ' || *line.data == '\t'))
		return take_continuation(r, line);
	if (flush(r) != RC_OK)
		return r->e->code;
	if (!line.size || *line.data == '#' || *line.data == ';')
		return RC_OK;
	return *line.data == '[' ? take_section(r, line) : take_assignment(r, line);
}

/* The first line of the text, without its end; *text moves behind it. */
static struct span next_line(struct span *text)
{
	struct span line = { text->data, 0 };
	size_t n;

	while (line.size < text->size && line.data[line.size] != '\n' &&
		line.data[line.size] != '\r')
		line.size++;
	n = line.size;
	if (n + 1 < text->size && line.data[n] == '\r' && line.data[n + 1] == '\n')
		n++;
	n += n < text->size;
	*text = (struct span){ text->data + n, text->size - n };
	return line;
}

enum rc ini_read(struct bytes text, const char *path, struct arena *arena,
	ini_take_fn *take, void *context, struct err *e)
{
	struct reading_ini r = {
		.path = path, .arena = arena, .take = take, .context = context, .e = e
	};
	struct span rest = { (const char *)text.data, text.size };
	enum rc rc = RC_OK;

	if (text.size && memchr(text.data, '\0', text.size))
		return err_set(e, RC_TARGET, 0, "%s holds a NUL byte", path);
	while (rest.size && rc == RC_OK)
		rc = take_line(&r, next_line(&rest));
	return rc == RC_OK ? flush(&r) : rc;
}
