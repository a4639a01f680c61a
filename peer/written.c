#include "peer/written.h"

#include <string.h>

#include "base/hex.h"
#include "peer/store.h"
#include "proto/limits.h"

static const char file[] = "written";

enum { HEX = 2 * DIGEST_BYTES };

/* The next line without its end, which is cut off; NULL: there is none. */
static char *next_line(char **at)
{
	char *line = *at, *stop = line ? strchr(line, '\n') : NULL;

	*at = NULL;
	if (!stop)
		return NULL;
	*stop = '\0';
	*at = stop + 1;
	return line;
}

/* The path of a line; NULL: it is no such line. */
static const char *path_of(const char *line)
{
	return strlen(line) > HEX + 1 && line[HEX] == ' ' ? line + HEX + 1 : NULL;
}

static enum rc read_text(int state, struct arena *arena, char **text, struct err *e)
{
	struct bytes bytes;
	enum rc rc = store_read(state, file, arena, &bytes, e);

	if (rc != RC_OK)
		return rc;
	*text = arena_text_n(
		arena, bytes.data ? bytes.data : (const uint8_t *)"", bytes.size);
	return *text ? RC_OK : err_memory(e);
}

static bool has(char *text, const char *path, struct bytes digest)
{
	uint8_t byte[DIGEST_BYTES];

	for (char *line; (line = next_line(&text));) {
		const char *of = path_of(line);

		if (!of || strcmp(of, path) != 0)
			continue;
		line[HEX] = '\0';
		return digest.size == DIGEST_BYTES &&
		       hex_read(line, byte, DIGEST_BYTES) &&
		       memcmp(byte, digest.data, DIGEST_BYTES) == 0;
	}
	return false;
}

enum rc written_knows(const struct place_world *world, const char *path,
	struct bytes digest, bool *known, struct err *e)
{
	struct arena scratch = { 0 };
	struct store store;
	char *text = NULL;
	enum rc rc = RC_OK;

	*known = false;
	/* without a home there is no memory, and nothing was written from here */
	if (!world->state)
		return RC_OK;
	rc = store_open(&store, world, false, e);
	if (rc == RC_OK && store.state >= 0)
		rc = read_text(store.state, &scratch, &text, e);
	if (rc == RC_OK && text)
		*known = has(text, path, digest);
	store_close(&store);
	arena_destroy(&scratch);
	return rc;
}

/* ---- adding */

static bool is_worth(const struct change_state *c)
{
	/* what was there before was not written by this run */
	return place_of(c->place)->owned && !c->unchanged && *c->file.path &&
	       !strchr(c->file.path, '\n');
}

static bool is_among(const char *path, const struct change_state *change, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_worth(&change[i]) && strcmp(change[i].file.path, path) == 0)
			return true;
	return false;
}

static enum rc put_lines(
	struct buf *out, char *text, const struct change_state *change, size_t count)
{
	enum rc rc = RC_OK;

	for (char *line; rc == RC_OK && (line = next_line(&text));) {
		const char *path = path_of(line);

		if (path && !is_among(path, change, count))
			rc = buf_format(out, "%s\n", line);
	}
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		char hex[DIGEST_HEX_MAX];

		digest_to_hex(&change[i].content, hex);
		if (is_worth(&change[i]))
			rc = buf_format(out, "%s %s\n", hex, change[i].file.path);
	}
	return rc;
}

enum rc written_add(
	int state, const struct change_state *change, size_t count, struct err *e)
{
	struct buf out = buf_with_cap(LIMIT_JOURNAL_BYTES);
	struct arena scratch = { 0 };
	char *text;
	enum rc rc = read_text(state, &scratch, &text, e);

	if (rc == RC_OK && put_lines(&out, text, change, count) != RC_OK)
		rc = err_set(e, RC_PLACE, 0,
			"what cpuherd wrote on the node does not fit its memory");
	if (rc == RC_OK)
		rc = store_replace(state, file, buf_bytes(&out), e);
	buf_destroy(&out);
	arena_destroy(&scratch);
	return rc;
}
