#include "coordinator/target/nova_options.h"

#include <string.h>
#include <strings.h>

#include "proto/texts.h"

enum { FILES_SHOWN = 4 };

/* ---- what is wished */

static enum rc add_wish(struct nova_options *o, const char *section, const char *line,
	size_t size, struct arena *arena, struct err *e)
{
	const char *gap = strstr(line, " = ");
	struct nova_wish w = { section, NULL, NULL };

	if (!gap || gap >= line + size)
		return RC_OK;
	w.name = arena_text_n(arena, line, (size_t)(gap - line));
	gap += strlen(" = ");
	w.value = arena_text_n(arena, gap, (size_t)(line + size - gap));
	o->wishes = arena_grow(arena, o->wishes, o->wish_count, sizeof(*o->wishes));
	if (!o->wishes || !w.name || !w.value)
		return err_memory(e);
	o->wishes[o->wish_count++] = w;
	return RC_OK;
}

static enum rc read_wishes(
	struct nova_options *o, const char *text, struct arena *arena, struct err *e)
{
	const char *section = "";
	enum rc rc = RC_OK;

	while (*text && rc == RC_OK) {
		size_t size = strcspn(text, "\n");

		if (*text == '[')
			section = arena_text_n(arena, text + 1, size - 2);
		else if (*text != '#')
			rc = add_wish(o, section, text, size, arena, e);
		if (!section)
			return err_memory(e);
		text += size + (text[size] == '\n');
	}
	return rc;
}

/* ---- what is set */

/* Where the file is read last; what is none of the files (systemd's environment) counts
 * more than all of them. */
static size_t place_of_file(const struct nova *nova, const char *file)
{
	for (size_t i = nova->files.count; i > 0; i--)
		if (strcmp(nova->files.item[i - 1], file) == 0)
			return i - 1;
	return nova->files.count;
}

enum rc nova_options_make(struct nova_options *out, const struct nova *nova,
	const char *path, const char *text, struct arena *arena, struct err *e)
{
	*out = (struct nova_options){ .nova = nova,
		.path = path,
		.files = texts_join(&nova->files, FILES_SHOWN, arena) };
	out->place = place_of_file(nova, path);
	if (out->place == nova->files.count)
		out->place = NOVA_NOT_READ;
	if (!out->files)
		return err_memory(e);
	return read_wishes(out, text, arena, e);
}

static const char *newest_name(const char *name)
{
	return strcmp(name, "cpu_model") == 0 ? "cpu_models" : name;
}

static bool is_of(const struct nova_option *option, const char *section, const char *name)
{
	return strcmp(option->section, section) == 0 &&
	       strcmp(newest_name(option->name), newest_name(name)) == 0;
}

/* Does b, which comes later in the list, take the place of a? */
static bool overrules(const struct nova_option *a, const struct nova_option *b)
{
	return !a || strcmp(a->file, b->file) != 0 ||
	       strcmp(a->name, "cpu_models") != 0 || strcmp(b->name, "cpu_models") == 0;
}

const struct nova_option *nova_options_last(const struct nova_options *o,
	const char *section, const char *name, unsigned where)
{
	const struct nova_option *options = o->nova->options.item, *last = NULL;

	for (size_t i = 0; i < o->nova->options.count; i++) {
		size_t place = place_of_file(o->nova, options[i].file);
		unsigned side = place < o->place   ? NOVA_BEFORE
				: place > o->place ? NOVA_AFTER
						   : 0;

		if (!is_of(&options[i], section, name) ||
			overrules(last, &options[i]) == 0)
			continue;
		/* a NOVA_NOT_READ drop-in stands behind all */
		if (side & where)
			last = &options[i];
	}
	return last;
}

/* ---- what is the same */

/* Python's words for true, as oslo.config takes them. */
static bool is_true(const char *value)
{
	static const char *const words[] = { "true", "1", "on", "yes" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(value, words[i]) == 0)
			return true;
	return false;
}

/* The next item of a list, without blanks around it; *at moves behind it. */
static size_t next_item(const char **at, const char **item)
{
	static const char blanks[] = " \t\r\n";
	size_t size;

	*item = *at + strspn(*at, blanks);
	size = strcspn(*item, ",");
	*at = *item + size + ((*item)[size] == ',');
	while (size && strchr(blanks, (*item)[size - 1]))
		size--;
	return size;
}

static bool same_list(const char *a, const char *b)
{
	while (*a || *b) {
		const char *item_a, *item_b;
		size_t size_a = next_item(&a, &item_a), size_b = next_item(&b, &item_b);

		if (size_a != size_b || strncasecmp(item_a, item_b, size_a) != 0)
			return false;
	}
	return true;
}

bool nova_options_same(const struct nova_wish *w, const char *value)
{
	if (strcmp(w->section, "workarounds") == 0)
		return is_true(value) == is_true(w->value);
	return same_list(w->value, value);
}
