/* The list of files of libvirt's cpu_map: one element a line, in all versions. */
#include "coordinator/render/cpu_map.h"

#include <string.h>

#include "base/text.h"

enum { VALUE_MAX = 192 };

enum element {
	BLANK, /* or a comment */
	CPUS,
	ARCH,
	GROUP,
	INCLUDE,
	CPUS_END,
	ARCH_END,
	GROUP_END,
	ELEMENTS,
};

/* A line is `begin`, a value in quotes where there is a `tail`, and `tail`.  What it may
 * stand in is a bit for each element; 1 << BLANK: nothing. */
static const struct shape {
	const char *begin, *tail;
	unsigned within;
	enum element opens, closes; /* BLANK: none */
} shapes[ELEMENTS] = {
	[CPUS] = { "<cpus>", NULL, 1 << BLANK, CPUS, BLANK },
	[ARCH] = { "<arch name=", ">", 1 << CPUS, ARCH, BLANK },
	[GROUP] = { "<group name=", ">", 1 << ARCH, GROUP, BLANK },
	[INCLUDE] = { "<include filename=", "/>", 1 << ARCH | 1 << GROUP, BLANK, BLANK },
	[CPUS_END] = { "</cpus>", NULL, 1 << CPUS, BLANK, CPUS },
	[ARCH_END] = { "</arch>", NULL, 1 << ARCH, BLANK, ARCH },
	[GROUP_END] = { "</group>", NULL, 1 << GROUP, BLANK, GROUP },
};

struct line {
	const char *start; /* with its blanks */
	const char *text;
	size_t size;
	enum element element;
	char value[VALUE_MAX];
};

struct index_walk {
	const char *ours, *theirs; /* names of files */
	enum element open[ELEMENTS];
	size_t depth;
	bool in_x86;
	const char *x86_end; /* the line of its end */
	size_t x86_indent;
	size_t x86_count, ours_count;
	size_t number; /* of the line */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct line trim(const char *start, const char *end)
{
	struct line l = { .start = start };

	while (start < end && is_blank(*start))
		start++;
	while (end > start && is_blank(end[-1]))
		end--;
	l.text = start;
	l.size = (size_t)(end - start);
	return l;
}

static bool is_comment(const struct line *l)
{
	const char *end;

	if (l->size < 7 || memcmp(l->text, "<!--", 4) != 0)
		return false;
	end = memmem(l->text + 4, l->size - 4, "--", 2);
	return end && end + 3 == l->text + l->size && end[2] == '>';
}

/* The value between equal quotes, and then the tail. */
static bool read_value(struct line *l, const struct shape *s)
{
	const char *at = l->text + strlen(s->begin), *end = l->text + l->size, *quote;
	size_t size;

	if (at == end || (*at != '\'' && *at != '"'))
		return false;
	quote = memchr(at + 1, *at, (size_t)(end - at - 1));
	size = quote ? (size_t)(quote - at - 1) : VALUE_MAX;
	if (size >= VALUE_MAX || (size_t)(end - quote - 1) != strlen(s->tail) ||
		memcmp(quote + 1, s->tail, strlen(s->tail)) != 0)
		return false;
	memcpy(l->value, at + 1, size);
	l->value[size] = '\0';
	return !strpbrk(l->value, "&<>");
}

static bool read_element(struct line *l)
{
	if (l->size == 0 || is_comment(l))
		return true;
	for (l->element = CPUS; l->element < ELEMENTS; l->element++) {
		const struct shape *s = &shapes[l->element];
		size_t size = strlen(s->begin);

		if (l->size >= size && memcmp(l->text, s->begin, size) == 0)
			return s->tail ? read_value(l, s) : l->size == size;
	}
	return false;
}

static bool fits(const struct index_walk *w, const struct line *l)
{
	enum element within = w->depth ? w->open[w->depth - 1] : BLANK;

	return l->element == BLANK || shapes[l->element].within >> within & 1;
}

static void step(struct index_walk *w, const struct line *l)
{
	if (shapes[l->element].opens)
		w->open[w->depth++] = shapes[l->element].opens;
	if (shapes[l->element].closes)
		w->depth--;
	if (l->element == ARCH) {
		w->in_x86 = strcmp(l->value, "x86") == 0;
		w->x86_count += w->in_x86;
	}
	if (l->element == ARCH_END && w->in_x86) {
		w->x86_end = l->start;
		w->x86_indent = (size_t)(l->text - l->start);
		w->in_x86 = false;
	}
}

/* Our file among those for x86, once; a model of that name nowhere else. */
static enum rc check_include(struct index_walk *w, const struct line *l, struct err *e)
{
	if (l->element != INCLUDE)
		return RC_OK;
	if (strcmp(l->value, w->theirs) == 0)
		return err_set(e, RC_TARGET, 0,
			"libvirt's cpu_map has a model of that name, in %s: choose "
			"another --level-name",
			w->theirs);
	if (strcmp(l->value, w->ours) != 0)
		return RC_OK;
	if (w->in_x86 && w->ours_count++ == 0)
		return RC_OK;
	return err_set(e, RC_TARGET, 0,
		"the index of libvirt's cpu_map includes %s where cpuherd would not, in "
		"line %zu: take that line out",
		w->ours, w->number);
}

static enum rc strange(const struct index_walk *w, struct err *e)
{
	return err_set(e, RC_TARGET, 0,
		"the index of libvirt's cpu_map is not laid out as libvirt's own is, in "
		"line %zu: cpuherd does not guess where a model goes; put libvirt's "
		"package's index back",
		w->number);
}

static enum rc walk(struct index_walk *w, struct bytes index, struct err *e)
{
	const char *at = (const char *)index.data, *end = at + index.size;
	enum rc rc = RC_OK;

	while (at < end && rc == RC_OK) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct line l = trim(at, newline ? newline : end);

		w->number++;
		if (!read_element(&l) || !fits(w, &l))
			return strange(w, e);
		rc = check_include(w, &l, e);
		step(w, &l);
		at = newline ? newline + 1 : end;
	}
	if (rc == RC_OK && (w->depth || w->x86_count != 1))
		return strange(w, e);
	return rc;
}

/* The new line is two blanks deeper than the end of the list that it stands before. */
static enum rc put_all(struct buf *out, const struct index_walk *w, struct bytes index)
{
	const char *text = (const char *)index.data;
	size_t before = (size_t)(w->x86_end - text);
	enum rc rc;

	if (w->ours_count)
		return buf_append(out, text, index.size);
	rc = buf_append(out, text, before);
	if (rc == RC_OK)
		rc = buf_append(out, w->x86_end, w->x86_indent);
	if (rc == RC_OK)
		rc = buf_format(out, "  <include filename='%s'/>\n", w->ours);
	if (rc == RC_OK)
		rc = buf_append(out, w->x86_end, index.size - before);
	return rc;
}

enum rc cpu_map_render_index(
	struct buf *out, struct bytes index, const char *name, struct err *e)
{
	char ours[VALUE_MAX], theirs[VALUE_MAX];
	struct index_walk w = { .ours = ours, .theirs = theirs };
	enum rc rc = cpu_map_check_name(name, e);

	if (rc != RC_OK)
		return rc;
	stpcpy(stpcpy(stpcpy(ours, "cpuherd_"), name), ".xml");
	stpcpy(stpcpy(stpcpy(theirs, "x86_"), name), ".xml");
	rc = walk(&w, index, e);
	if (rc != RC_OK)
		return rc;
	rc = put_all(out, &w, index);
	if (rc == RC_LIMIT)
		return err_set(e, rc, 0,
			"the index of libvirt's cpu_map is longer than %zu bytes",
			out->cap);
	return rc == RC_OK ? RC_OK : err_memory(e);
}
