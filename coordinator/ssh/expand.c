#include "coordinator/ssh/expand.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_ROOM = 256 };

static enum rc append(struct buf *out, const char *text, struct err *e)
{
	switch (buf_append_text(out, text)) {
	case RC_OK:
		return RC_OK;
	case RC_LIMIT:
		return err_set(e, RC_INPUT, 0, "the value becomes too long");
	default:
		return err_memory(e);
	}
}

/* ~ and ~/x are this user's, ~name/x another's. */
static enum rc append_home(
	struct buf *out, const char **text, const char *home, struct err *e)
{
	size_t size = strcspn(*text + 1, "/");
	const struct passwd *user;
	char name[NAME_ROOM];

	if (size >= sizeof(name))
		return err_set(e, RC_INPUT, 0, "the name behind ~ is too long");
	memcpy(name, *text + 1, size);
	name[size] = '\0';
	*text += 1 + size;
	if (!size)
		return append(out, home, e);
	user = getpwnam(name);
	if (!user)
		return err_set(e, RC_INPUT, 0, "there is no user %s", name);
	return append(out, user->pw_dir, e);
}

/* *text is behind the %. */
static enum rc append_token(struct buf *out, const char **text,
	const struct expand_token *tokens, struct err *e)
{
	char letter = **text;

	if (letter == '%') {
		++*text;
		return append(out, "%", e);
	}
	for (const struct expand_token *t = tokens; t->letter; t++)
		if (t->letter == letter) {
			++*text;
			return append(out, t->value, e);
		}
	if (!letter)
		return err_set(e, RC_INPUT, 0, "a %% stands at the end");
	return err_set(e, RC_INPUT, 0, "%%%c has no meaning for cpuherd here", letter);
}

/* *text is behind the ${. */
static enum rc append_variable(struct buf *out, const char **text, struct err *e)
{
	size_t size = strcspn(*text, "}");
	char name[NAME_ROOM];
	const char *value;

	if (!(*text)[size] || size >= sizeof(name))
		return err_set(e, RC_INPUT, 0, "a ${ is never closed");
	memcpy(name, *text, size);
	name[size] = '\0';
	*text += size + 1;
	value = getenv(name);
	if (!value)
		return err_set(e, RC_INPUT, 0, "the variable %s is not set", name);
	return append(out, value, e);
}

enum rc expand_text(
	struct buf *out, const char *text, const struct expand *how, struct err *e)
{
	enum rc rc = RC_OK;

	buf_consume(out, buf_bytes(out).size);
	if (how->files && *text == '~')
		rc = append_home(out, &text, how->home, e);
	while (*text && rc == RC_OK) {
		if (*text == '%') {
			text++;
			rc = append_token(out, &text, how->tokens, e);
		} else if (how->files && text[0] == '$' && text[1] == '{') {
			text += 2;
			rc = append_variable(out, &text, e);
		} else {
			char one[] = { *text++, '\0' };

			rc = append(out, one, e);
		}
	}
	if (rc == RC_OK && buf_append(out, "", 1) != RC_OK)
		rc = err_memory(e);
	return rc;
}
