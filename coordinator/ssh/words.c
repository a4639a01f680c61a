#include "coordinator/ssh/words.h"

#include <string.h>

static const char blanks[] = " \t\r\n";

/* Does the backslash at c escape what follows?  A blank only outside of quotes. */
static bool is_escape(const char *c, char quote)
{
	return c[0] == '\\' &&
	       (c[1] == '\'' || c[1] == '"' || c[1] == '\\' || (!quote && c[1] == ' '));
}

/* Copies the word at *text to `to`; false: a quote is never closed. */
static bool word_copy(const char **text, char *to)
{
	const char *c = *text;
	char quote = '\0';

	for (; *c && (quote || !strchr(" \t", *c)); c++) {
		if (is_escape(c, quote))
			*to++ = *++c;
		else if (!quote && (*c == '"' || *c == '\''))
			quote = *c;
		else if (quote && *c == quote)
			quote = '\0';
		else
			*to++ = *c;
	}
	*to = '\0';
	*text = c;
	return !quote;
}

/* All words share one piece of memory: a Host line may name ten thousand nodes. */
static enum rc split(
	struct texts *out, const char *text, struct arena *arena, struct err *e)
{
	char *word = arena_alloc(arena, strlen(text) + 1, 1);

	if (!word)
		return err_memory(e);
	for (text += strspn(text, " \t"); *text && *text != '#';
		text += strspn(text, " \t")) {
		if (!word_copy(&text, word))
			return err_set(e, RC_INPUT, 0, "a quote is never closed");
		if (texts_add(out, word, arena, e) != RC_OK)
			return e->code;
		word += strlen(word) + 1;
	}
	return RC_OK;
}

/* The line without the blanks at its end; ssh takes a form feed for one there, but not
 * where it is all of the line. */
static char *trimmed(const char *line, struct arena *arena)
{
	size_t size = strlen(line);

	while (size > 1 && strchr(" \t\r\n\f", line[size - 1]))
		size--;
	return arena_text_n(arena, line, size);
}

enum rc words_read(
	struct words_line *out, const char *line, struct arena *arena, struct err *e)
{
	char *text = trimmed(line, arena), *end;

	*out = (struct words_line){ 0 };
	if (!text)
		return err_memory(e);
	text += strspn(text, blanks);
	if (!*text || *text == '#')
		return RC_OK;
	out->keyword = text;
	end = text + strcspn(text, " \t\r\n\"=");
	if (*end == '"' || end == text)
		return err_set(e, RC_INPUT, 0, "a keyword is needed, without quotes");
	text = end + strspn(end, blanks);
	if (*text == '=')
		text += 1 + strspn(text + 1, blanks);
	if (!*text)
		return err_set(e, RC_INPUT, 0, "%.*s needs a value",
			(int)(end - out->keyword), out->keyword);
	*end = '\0';
	out->rest = text;
	return split(&out->words, text, arena, e);
}
