/* Files of nodes: one argument a line, or what Ansible prints. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "coordinator/inventory/parts.h"

static enum rc file_read(FILE *file, const char *name, struct buf *out, struct err *e)
{
	char block[16 * 1024];
	size_t n;
	enum rc rc = RC_OK;

	while (rc == RC_OK && (n = fread(block, 1, sizeof(block), file)) > 0)
		rc = buf_append(out, block, n);
	if (rc == RC_LIMIT || buf_bytes(out).size == out->cap)
		return err_set(e, RC_INPUT, 0, "%s: a hosts file of more than %d bytes",
			name, INVENTORY_FILE_BYTES_MAX);
	if (rc != RC_OK)
		return err_memory(e);
	if (ferror(file))
		return err_set(e, RC_INPUT, errno, "%s: %s", name, strerror(errno));
	return RC_OK;
}

/* The argument in a line without comment, blanks and CR; *from is its column. */
static char *line_strip(char *line, size_t *from)
{
	char *end;

	*from = strspn(line, " \t\r");
	line += *from;
	end = line;
	while (*end && !(*end == '#' && (end == line || strchr(" \t", end[-1]))))
		end++;
	while (end > line && strchr(" \t\r", end[-1]))
		end--;
	*end = '\0';
	return line;
}

/* "[web]", "all:", "node1 ansible_host=10.0.0.1": Ansible's INI and YAML. */
static bool is_ansible(const char *line)
{
	size_t address = strspn(line + 1, "0123456789abcdefABCDEF:.%");
	bool section = line[0] == '[' && text_ends_with(line, "]");

	if (section && strchr(line, ':') && address + 2 == strlen(line))
		return false;
	return section || text_ends_with(line, ":") || strchr(line, '=') ||
	       strcmp(line, "---") == 0;
}

/* What a line that cannot be read may have been meant as. */
static const char *hint_of(const char *line)
{
	if (is_ansible(line))
		return "; of an inventory of Ansible's the output of ansible-inventory "
		       "--list is read";
	return strpbrk(line, " \t") ? "; names are joined by ',', with no blank" : "";
}

static enum rc argument_add(struct inventory *inv, const struct place *place,
	const char *argument, struct arena *arena, struct err *e)
{
	struct err why;
	enum rc rc = words_add(inv, argument, place, arena, &why);

	if (rc == RC_OK)
		return rc;
	return err_set(e, rc, why.native, "%s%s", why.text,
		rc == RC_INPUT ? hint_of(argument) : "");
}

static enum rc line_add(struct inventory *inv, struct place *place, char *line,
	size_t length, struct arena *arena, struct err *e)
{
	const char *nul = memchr(line, '\0', length);
	char *argument = line_strip(line, &place->indent);

	if (nul) {
		place->indent = 0;
		err_set(e, RC_INPUT, 0, "a NUL byte; is this a text file?");
		return located(e, place, (size_t)(nul - line));
	}
	return *argument ? argument_add(inv, place, argument, arena, e) : RC_OK;
}

static enum rc lines_add(struct inventory *inv, const char *name, char *text, size_t size,
	struct arena *arena, struct err *e)
{
	struct place place = { .file = name };
	char *end = text + size;
	enum rc rc = RC_OK;

	while (text < end && rc == RC_OK) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);

		text[length] = '\0'; /* the byte behind the text is ours */
		place.line++;
		rc = line_add(inv, &place, text, length, arena, e);
		text += length + 1;
	}
	return rc;
}

/* No host name starts with a brace. */
static bool is_json(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '{';
}

static enum rc text_add(struct inventory *inv, const char *name, struct buf *text,
	struct arena *arena, struct err *e)
{
	size_t size = buf_bytes(text).size;
	char *start;
	bool mark;

	if (buf_append(text, "", 1) != RC_OK)
		return err_memory(e);
	start = (char *)text->memory + text->start;
	mark = size >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0;
	start += 3 * mark;
	size -= 3 * mark;
	if (is_json(start))
		return ansible_add(inv, name, start, size, arena, e);
	return lines_add(inv, name, start, size, arena, e);
}

enum rc inventory_add_file(
	struct inventory *inv, const char *path, struct arena *arena, struct err *e)
{
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	FILE *file = standard ? stdin : fopen(path, "re");
	struct buf text = buf_with_cap(INVENTORY_FILE_BYTES_MAX + 1);
	enum rc rc;

	if (!file)
		return err_set(e, RC_INPUT, errno, "%s: %s", name, strerror(errno));
	rc = file_read(file, name, &text, e);
	if (rc == RC_OK)
		rc = text_add(inv, name, &text, arena, e);
	buf_destroy(&text);
	if (!standard)
		fclose(file);
	return rc;
}
