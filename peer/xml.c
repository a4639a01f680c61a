#include "peer/xml.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

enum token_kind { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_EMPTY, TOKEN_BAD };

struct token {
	enum token_kind kind;
	struct xml_span whole; /* with < and > */
	struct xml_span name;
	struct xml_span attributes;
};

static bool span_is(struct xml_span s, const char *text)
{
	return s.size == strlen(text) && memcmp(s.data, text, s.size) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct xml_span xml_whole(const char *text)
{
	return (struct xml_span){ text, strlen(text) };
}

static void span_skip(struct xml_span *s, size_t n)
{
	s->data += n;
	s->size -= n;
}

static bool span_starts(struct xml_span s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.size >= n && memcmp(s.data, prefix, n) == 0;
}

/* Skips to behind the next mark; false when there is none. */
static bool skip_past(struct xml_span *s, const char *mark)
{
	const char *at = memmem(s->data, s->size, mark, strlen(mark));

	if (!at)
		return false;
	span_skip(s, (size_t)(at - s->data) + strlen(mark));
	return true;
}

/* Where the tag that starts at s ends ('>' outside of quotes); 0 when nowhere.  No XML has
 * a '<' in a tag, in quotes neither: to libvirt's parser a comment may have ended there. */
static size_t tag_size(struct xml_span s)
{
	char quote = 0;

	for (size_t i = 1; i < s.size; i++) {
		char c = s.data[i];

		if (c == '<')
			return 0;
		if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '>')
			return i + 1;
	}
	return 0;
}

static struct token token_of_tag(struct xml_span tag)
{
	struct token t = { .kind = TOKEN_OPEN, .whole = tag };
	struct xml_span body = { tag.data + 1, tag.size - 2 };

	if (span_starts(body, "/")) {
		t.kind = TOKEN_CLOSE;
		span_skip(&body, 1);
	} else if (body.size && body.data[body.size - 1] == '/') {
		t.kind = TOKEN_EMPTY;
		body.size--;
	}
	t.name.data = body.data;
	while (t.name.size < body.size && !is_blank(body.data[t.name.size]))
		t.name.size++;
	t.attributes = body;
	span_skip(&t.attributes, t.name.size);
	if (t.name.size == 0)
		t.kind = TOKEN_BAD;
	return t;
}

/* What is no element: comments, processing instructions, CDATA.  False
 * at an element, and at what is refused (DTDs) or unterminated. */
static bool skip_other(struct xml_span *s)
{
	static const struct {
		const char *start, *end;
	} others[] = { { "<!--", "-->" }, { "<?", "?>" }, { "<![CDATA[", "]]>" } };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct xml_span rest = *s;

		if (!span_starts(*s, others[i].start))
			continue;
		/* "<!-->" begins, and does not end */
		span_skip(&rest, strlen(others[i].start));
		if (!skip_past(&rest, others[i].end))
			return false;
		*s = rest;
		return true;
	}
	return false;
}

static struct token token_next(struct xml_span *s)
{
	struct token bad = { .kind = TOKEN_BAD };
	const char *at;
	size_t size;

	do {
		at = s->size ? memchr(s->data, '<', s->size) : NULL;
		if (!at)
			return (struct token){ .kind = TOKEN_END };
		span_skip(s, (size_t)(at - s->data));
	} while (skip_other(s));
	if (span_starts(*s, "<!") || span_starts(*s, "<?"))
		return bad;
	size = tag_size(*s);
	if (size < 3)
		return bad;
	span_skip(s, size);
	return token_of_tag((struct xml_span){ at, size });
}

/* Reads on to the end tag that belongs to the start tag just read. */
static bool close_of(struct xml_span *s, struct xml_span name, struct token *close)
{
	struct xml_span open[DEPTH_MAX] = { name };
	size_t depth = 1;

	for (;;) {
		struct token t = token_next(s);

		if (t.kind == TOKEN_END || t.kind == TOKEN_BAD)
			return false;
		if (t.kind == TOKEN_OPEN) {
			if (depth == DEPTH_MAX)
				return false;
			open[depth++] = t.name;
		}
		if (t.kind != TOKEN_CLOSE)
			continue;
		depth--;
		if (t.name.size != open[depth].size ||
			memcmp(t.name.data, open[depth].data, t.name.size) != 0)
			return false;
		if (depth == 0) {
			*close = t;
			return true;
		}
	}
}

/* The next element at this level; false at the end and where nesting is wrong. */
static bool element_next(
	struct xml_span *s, struct xml_element *out, struct xml_span *name)
{
	struct token open = token_next(s), close;

	if (open.kind != TOKEN_OPEN && open.kind != TOKEN_EMPTY)
		return false;
	*name = open.name;
	out->attributes = open.attributes;
	out->outer = open.whole;
	out->inner = (struct xml_span){ open.whole.data + open.whole.size, 0 };
	if (open.kind == TOKEN_EMPTY)
		return true;
	if (!close_of(s, open.name, &close))
		return false;
	out->inner.size = (size_t)(close.whole.data - out->inner.data);
	out->outer.size = (size_t)(close.whole.data + close.whole.size - out->outer.data);
	return true;
}

bool xml_child_with(struct xml_span in, const char *name, const char *attribute,
	const char *value, struct xml_element *out)
{
	struct xml_span found;

	while (element_next(&in, out, &found))
		if (span_is(found, name) &&
			(!attribute || xml_attribute_is(out, attribute, value)))
			return true;
	return false;
}

bool xml_child(struct xml_span in, const char *name, struct xml_element *out)
{
	return xml_child_with(in, name, NULL, NULL, out);
}

bool xml_path(struct xml_span in, const char *path, struct xml_element *out)
{
	char name[64];
	size_t n;

	for (;; path += n + 1) {
		n = strcspn(path, "/");
		if (n >= sizeof(name))
			return false;
		memcpy(name, path, n);
		name[n] = '\0';
		if (!xml_child(in, name, out))
			return false;
		if (path[n] == '\0')
			return true;
		in = out->inner;
	}
}

/* Takes one name='value' from the front of s. */
static bool attribute_next(
	struct xml_span *s, struct xml_span *name, struct xml_span *value)
{
	const char *quote;

	while (s->size && is_blank(s->data[0]))
		span_skip(s, 1);
	*name = (struct xml_span){ s->data, 0 };
	while (name->size < s->size && s->data[name->size] != '=' &&
		!is_blank(s->data[name->size]))
		name->size++;
	span_skip(s, name->size);
	while (s->size && (is_blank(s->data[0]) || s->data[0] == '='))
		span_skip(s, 1);
	if (name->size == 0 || s->size < 2 || (s->data[0] != '"' && s->data[0] != '\''))
		return false;
	quote = memchr(s->data + 1, s->data[0], s->size - 1);
	if (!quote)
		return false;
	*value = (struct xml_span){ s->data + 1, (size_t)(quote - s->data) - 1 };
	span_skip(s, value->size + 2);
	return true;
}

bool xml_attribute(
	const struct xml_element *element, const char *attribute, struct xml_span *value)
{
	struct xml_span rest = element->attributes, name;

	while (attribute_next(&rest, &name, value))
		if (span_is(name, attribute))
			return true;
	return false;
}

bool xml_attribute_is(
	const struct xml_element *element, const char *attribute, const char *value)
{
	struct xml_span found;

	return xml_attribute(element, attribute, &found) && span_is(found, value);
}

/* The byte that an entity at s stands for and its length; 0 when unknown. */
static size_t entity_at(struct xml_span s, char *byte)
{
	static const struct {
		const char *text;
		char byte;
	} entities[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' },
		{ "&quot;", '"' }, { "&apos;", '\'' } };

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (span_starts(s, entities[i].text)) {
			*byte = entities[i].byte;
			return strlen(entities[i].text);
		}
	return 0;
}

char *xml_text(struct arena *arena, const struct xml_element *element)
{
	struct xml_span in = element->inner;
	char *text = arena_alloc(arena, in.size + 1, 1);
	size_t n = 0, used = 1;

	if (!text || (in.size && memchr(in.data, '<', in.size)) ||
		(in.size && memchr(in.data, '\0', in.size)))
		return NULL;
	for (; in.size; span_skip(&in, used)) {
		used = 1;
		text[n] = in.data[0];
		if (in.data[0] == '&')
			used = entity_at(in, &text[n]);
		if (used == 0)
			return NULL;
		n++;
	}
	return text;
}
