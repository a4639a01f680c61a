/* What a coordinator may put into the files of libvirt's cpu_map. */
#include <string.h>

#include "base/text.h"
#include "peer/cpumap.h"
#include "proto/texts.h"

enum { LINE_MAX_BYTES = 200 };

/* ---- a model */

/* Takes one line off the front; false where there is none. */
static bool take_line(struct bytes *rest, char line[LINE_MAX_BYTES])
{
	const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
	size_t size = end ? (size_t)(end - rest->data) : LINE_MAX_BYTES;

	if (size >= LINE_MAX_BYTES || memchr(rest->data, '\0', size))
		return false;
	memcpy(line, rest->data, size);
	line[size] = '\0';
	rest->data += size + 1;
	rest->size -= size + 1;
	return true;
}

/* BEGIN NAME END: cuts the name out of the line. */
static bool take_name(char *line, const char *begin, char **name)
{
	static const char end[] = "'/>";
	size_t size = strlen(line), front = strlen(begin);

	if (!text_starts_with(line, begin) || size < front + sizeof(end) - 1 ||
		!text_ends_with(line, end))
		return false;
	line[size - (sizeof(end) - 1)] = '\0';
	*name = line + front;
	return true;
}

/* libvirt has vendors of two words. */
static bool is_vendor(char *name)
{
	char *blank = strchr(name, ' ');
	bool is_good;

	if (!blank)
		return text_is_name(name);
	*blank = '\0';
	is_good = text_is_name(name) && text_is_name(blank + 1);
	*blank = ' ';
	return is_good;
}

static bool take_exactly(struct bytes *rest, const char *wanted)
{
	char line[LINE_MAX_BYTES];

	return take_line(rest, line) && strcmp(line, wanted) == 0;
}

static bool take_head(struct bytes *rest, const char *name)
{
	char line[LINE_MAX_BYTES];

	return take_exactly(rest, "<cpus>") && take_line(rest, line) &&
	       text_starts_with(line, "  <model name='") &&
	       strlen(line) == strlen("  <model name=''>") + strlen(name) &&
	       strncmp(line + strlen("  <model name='"), name, strlen(name)) == 0 &&
	       text_ends_with(line, "'>") &&
	       take_exactly(rest, "    <decode host='off' guest='off'/>");
}

static enum rc take_features(struct bytes *rest, struct texts *features, char *last,
	struct arena *arena, struct err *e)
{
	bool is_first = true;
	char *name;
	enum rc rc = RC_OK;

	while (rc == RC_OK && take_line(rest, last)) {
		bool is_head = is_first;

		is_first = false;
		if (is_head && take_name(last, "    <vendor name='", &name) &&
			is_vendor(name))
			continue;
		if (!take_name(last, "    <feature name='", &name) || !text_is_name(name))
			break;
		name = arena_text(arena, name);
		rc = name ? texts_add(features, name, arena, e) : err_memory(e);
	}
	return rc;
}

bool cpumap_is_model(struct bytes content, const char *name, struct texts *features,
	const char **why, struct arena *arena)
{
	char last[LINE_MAX_BYTES] = "";
	struct err e;

	*features = (struct texts){ 0 };
	*why = "it is not a model as cpuherd writes it, with features and without "
	       "decoding";
	if (!take_head(&content, name))
		return false;
	if (take_features(&content, features, last, arena, &e) != RC_OK) {
		*why = "out of memory";
		return false;
	}
	return strcmp(last, "  </model>") == 0 && take_exactly(&content, "</cpus>") &&
	       content.size == 0 && features->count > 0;
}

/* ---- the index */

/* The line that begins at `at` is our include, and nothing else. */
static size_t line_of_ours(struct bytes content, size_t at, const char *name)
{
	static const char *const parts[] = { "<include filename='cpuherd_", NULL,
		".xml'/>\n" };
	size_t start = at;

	while (at < content.size && (content.data[at] == ' ' || content.data[at] == '\t'))
		at++;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *part = parts[i] ? parts[i] : name;
		size_t size = strlen(part);

		if (content.size - at < size ||
			memcmp(content.data + at, part, size) != 0)
			return 0;
		at += size;
	}
	return at - start;
}

bool cpumap_is_index(struct bytes content, struct bytes old, const char *name)
{
	size_t same = 0, ours;

	while (same < content.size && same < old.size &&
		content.data[same] == old.data[same])
		same++;
	if (same == content.size && same == old.size)
		return true;
	/* the first difference may lie behind blanks that both lines begin with */
	while (same > 0 && old.data[same - 1] != '\n')
		same--;
	ours = line_of_ours(content, same, name);
	return ours && content.size == old.size + ours &&
	       memcmp(content.data + same + ours, old.data + same, old.size - same) == 0;
}
