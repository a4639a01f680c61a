#include "coordinator/verb/aim.h"

#include <string.h>

#include "base/buf.h"

enum { AIM_BYTES_MAX = 1024, NAME_BYTES_MAX = 255 };

enum rc aim_check(const char *option, const char *text, bool needed, struct err *e)
{
	bool found = false;

	for (const char *at = strchr(text, '%'); at; at = strchr(at + 2, '%')) {
		if (!at[1] || !strchr("sh%", at[1]))
			return err_set(e, RC_USAGE, 0,
				"%s %s: only %%s, %%h and %%%% stand for something",
				option, text);
		found |= at[1] != '%';
	}
	if (needed && !found)
		return err_set(e, RC_USAGE, 0,
			"%s %s: every target would be the same; %%s is its name", option,
			text);
	return RC_OK;
}

/* What a node says of itself goes to other nodes: nothing but names and addresses. */
static bool is_host(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
				     "YZ0123456789._:-");

	return length && length <= NAME_BYTES_MAX && !name[length] && name[0] != '-';
}

static enum rc name_append(struct buf *b, const char *name, bool is_uri, struct err *e)
{
	bool brackets = is_uri && strchr(name, ':');

	if (!is_host(name))
		return err_set(e, RC_FACTS, 0,
			"\"%.100s\" is no name under which another node reaches this one",
			name);
	return buf_format(b, "%s%s%s", brackets ? "[" : "", name, brackets ? "]" : "");
}

static enum rc parts_append(
	struct buf *b, const char *text, const struct aim *aim, struct err *e)
{
	enum rc rc = RC_OK;

	for (const char *at = text; *at && rc == RC_OK; at++) {
		if (at[0] != '%' || *++at == '%')
			rc = buf_append(b, at, 1);
		else
			rc = name_append(b, *at == 'h' ? aim->hostname : aim->host,
				aim->is_uri, e);
	}
	return rc == RC_LIMIT ? err_set(e, RC_LIMIT, 0, "%.100s...: too long", text) : rc;
}

enum rc aim_fill(const char *text, const struct aim *aim, struct arena *arena,
	const char **out, struct err *e)
{
	struct buf b = buf_with_cap(AIM_BYTES_MAX);
	enum rc rc = parts_append(&b, text, aim, e);

	if (rc == RC_OK) {
		*out = arena_text_n(arena, buf_bytes(&b).data, buf_bytes(&b).size);
		rc = *out ? RC_OK : err_memory(e);
	} else if (rc == RC_MEMORY) {
		err_memory(e);
	}
	buf_destroy(&b);
	return rc;
}
