#include "coordinator/verb/sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "coordinator/inventory/inventory.h"
#include "coordinator/verb/gathered.h"
#include "coordinator/verb/merged.h"
#include "coordinator/verb/saved.h"

/* ---- nodes */

static bool same_facts(const struct source_node *a, const struct source_node *b)
{
	return a->facts && b->facts && a->own.tsc_khz == b->own.tsc_khz &&
	       (a->facts == b->facts || intern_same_but_tsc(a->facts, b->facts));
}

static struct source_node *node_find(
	const struct sources *s, const char *name, uint64_t hash)
{
	size_t cursor = 0, at;

	while ((at = lookup_next(&s->names, hash, &cursor)) != SIZE_MAX)
		if (strcmp(s->nodes[at].name, name) == 0)
			return &s->nodes[at];
	return NULL;
}

/* Shards may overlap, so what is there already does not count again. */
static enum rc node_add(struct sources *s, const struct source_node *node, struct err *e)
{
	uint64_t hash = lookup_hash(
		(struct bytes){ (const uint8_t *)node->name, strlen(node->name) });
	const struct source_node *there = node_find(s, node->name, hash);

	if (there && same_facts(there, node))
		return RC_OK;
	if (there)
		return err_set(e, RC_INPUT, 0,
			"node %s is there twice, and its facts differ: %s and %s",
			node->name, there->origin, node->origin);
	if (s->count == INVENTORY_NODES_MAX)
		return err_set(e, RC_INPUT, 0, "%s: this makes more than %d nodes",
			node->origin, INVENTORY_NODES_MAX);
	s->nodes = arena_grow(s->arena, s->nodes, s->count, sizeof(*s->nodes));
	if (!s->nodes)
		return err_memory(e);
	s->nodes[s->count] = *node;
	return lookup_add(&s->names, hash, s->count++, s->arena, e);
}

/* The name as the file of its node would be called. */
static enum rc named_add(struct sources *s, const char *name,
	const struct source_node *like, struct err *e)
{
	struct source_node node = *like;

	node.name = saved_file_name(s->arena, name);
	if (!node.name)
		return err_memory(e);
	if (!text_is_name(node.name))
		return err_set(e, RC_INPUT, 0,
			"%s: '%.80s' is no node's name: letters, digits, '.', '_' and "
			"'-' make one",
			node.origin, name);
	return node_add(s, &node, e);
}

/* clush -b: one text of all nodes of a pattern. */
static enum rc pattern_add(struct sources *s, const char *pattern,
	const struct source_node *like, struct err *e)
{
	struct inventory names = { 0 };
	struct err why;
	enum rc rc = inventory_add_argument(&names, pattern, s->arena, &why);

	if (rc != RC_OK)
		return err_set(e, rc, 0, "%s: %s", like->origin, why.text);
	for (size_t i = 0; i < names.count && rc == RC_OK; i++)
		rc = named_add(s, names.nodes[i].name, like, e);
	return rc;
}

/* ---- texts */

struct taking {
	struct sources *s;
	const char *name; /* of a file with one node; NULL: none */
	bool any;	  /* there was a text */
};

static const char no_end[] =
	"it has no `end`, as facts gathered by this version have: it "
	"may be cut short";

static const struct err *why_of(struct sources *s, const struct err *e)
{
	struct err *why = arena_alloc(s->arena, 1, sizeof(*why));

	if (why)
		*why = *e;
	return why;
}

static enum rc text_read(struct sources *s, const struct gathered_text *t,
	struct source_node *node, struct err *e)
{
	struct err why;
	enum rc rc = RC_OK;

	if (t->trouble)
		rc = err_set(&why, RC_FACTS, 0, "%s: there are no facts: %s", t->where,
			t->trouble);
	if (rc == RC_OK)
		rc = intern_dump(
			&s->intern, t->text, t->where, &node->facts, &node->own, &why);
	if (rc == RC_OK && !t->alone && !node->facts->ended)
		rc = err_set(&why, RC_INPUT, 0, "%s: %s", t->where, no_end);
	if (rc == RC_MEMORY)
		return err_memory(e);
	if (rc == RC_OK)
		return RC_OK;
	node->facts = NULL;
	node->why = why_of(s, &why);
	return node->why ? RC_OK : err_memory(e);
}

static enum rc text_take(void *context, const struct gathered_text *t, struct err *e)
{
	struct taking *to = context;
	struct sources *s = to->s;
	struct source_node node = { .origin = arena_text(s->arena, t->where) };
	const char *name = t->name;
	enum rc rc = node.origin ? text_read(s, t, &node, e) : err_memory(e);

	to->any = true;
	if (rc != RC_OK)
		return rc;
	if ((t->alone || (t->stray && node.why)) && to->name)
		name = to->name;
	if (!name[0] && node.facts)
		name = node.own.hostname;
	if (!name[0])
		return err_set(e, RC_INPUT, 0, "%s",
			node.why ? node.why->text
				 : "nothing says whose facts these are: neither a file's "
				   "name nor `fact hostname`");
	return strpbrk(name, "[,") ? pattern_add(s, name, &node, e)
				   : named_add(s, name, &node, e);
}

static enum rc merged_node_take(void *context, const struct merged_node *n, struct err *e)
{
	struct taking *to = context;
	struct source_node node = { .name = n->name,
		.origin = to->name,
		.facts = n->facts,
		.own = { "", "", "", n->tsc_khz } };

	return node_add(to->s, &node, e);
}

/* ---- files */

static enum rc lines_read(
	struct sources *s, struct lines *l, const char *name, struct err *e)
{
	struct taking to = { s, name, false };
	enum rc rc = lines_next(l, e);

	if (rc == RC_AGAIN)
		return err_set(e, RC_INPUT, 0, "%s: it is empty", l->path);
	if (rc != RC_OK)
		return rc;
	if (strcmp(l->line, MERGED_FIRST_LINE) == 0) {
		to.name = arena_text(s->arena, l->path);
		return to.name ? merged_read(l, &s->intern, merged_node_take, &to, e)
			       : err_memory(e);
	}
	rc = gathered_read(l, text_take, &to, e);
	if (rc == RC_OK && !to.any)
		return err_set(e, RC_INPUT, 0, "%s: no facts are in it", l->path);
	return rc;
}

static enum rc file_read(
	struct sources *s, const char *path, const char *name, struct err *e)
{
	struct lines l;
	enum rc rc = lines_open(&l, path, e);

	if (rc == RC_OK)
		rc = lines_read(s, &l, name, e);
	lines_close(&l);
	return rc;
}

/* Length of the node's name in "NAME.facts" or "NAME.txt"; 0 when it is neither. */
static size_t stem_length(const char *file)
{
	static const char *const suffixes[] = { ".facts", ".txt" };

	for (size_t i = 0; i < 2; i++)
		if (text_ends_with(file, suffixes[i]))
			return strlen(file) - strlen(suffixes[i]);
	return 0;
}

/* The name that a file gives to the one node in it. */
static enum rc name_of_file(
	struct sources *s, const char *path, const char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	size_t length = stem_length(file);

	*name = arena_text_n(s->arena, file, length ? length : strlen(file));
	return *name ? RC_OK : err_memory(e);
}

/* ---- folders */

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Files of other names count where they begin as facts do. */
static bool begins_as_facts(const char *path)
{
	static const char start[] = "# cpuherd ";
	char read[sizeof(start)] = "";
	struct stat st;
	FILE *f;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return false;
	f = fopen(path, "re");
	if (f && !fgets(read, sizeof(read), f))
		read[0] = '\0';
	if (f)
		fclose(f);
	return strcmp(read, start) == 0;
}

static enum rc empty_add(
	struct sources *s, const char *path, const char *name, struct err *e)
{
	struct source_node node = { .name = name, .origin = path };
	struct err why;

	err_set(&why, RC_INPUT, 0, "%s: it is empty", path);
	node.why = why_of(s, &why);
	return node.why ? node_add(s, &node, e) : err_memory(e);
}

/* A file without a byte is what a full disk leaves of a node; to read a pipe would be to
 * wait for whoever writes into it. */
static enum rc node_file_read(
	struct sources *s, const char *path, const char *name, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, RC_INPUT, 0, "%s: it is no file", path);
	return st.st_size ? file_read(s, path, name, e) : empty_add(s, path, name, e);
}

static enum rc check_name(const char *path, const char *name, struct inventory *files,
	struct arena *arena, struct err *e)
{
	size_t before = files->count;
	enum rc rc = RC_OK;

	if (!text_is_name(name))
		return err_set(e, RC_INPUT, 0,
			"%s: the name of a facts file is its node's: letters, digits, "
			"'.', '_' and '-'",
			path);
	rc = inventory_add_name(files, name, arena, e);
	if (rc == RC_OK && files->count == before)
		return err_set(
			e, RC_INPUT, 0, "%s: there are two files of node %s", path, name);
	return rc;
}

static enum rc entry_read(struct sources *s, const char *folder, const char *file,
	struct inventory *files, struct err *e)
{
	char *path = arena_format(
		s->arena, "%s%s%s", folder, text_ends_with(folder, "/") ? "" : "/", file);
	const char *name;
	enum rc rc = path ? name_of_file(s, path, &name, e) : err_memory(e);

	if (rc != RC_OK || (stem_length(file) == 0 && !begins_as_facts(path)))
		return rc;
	rc = check_name(path, name, files, s->arena, e);
	return rc == RC_OK ? node_file_read(s, path, name, e) : rc;
}

static enum rc folder_read(struct sources *s, const char *folder, struct err *e)
{
	struct dirent **entry = NULL;
	struct inventory files = { 0 };
	int count = scandir(folder, &entry, is_visible, alphasort);
	enum rc rc = RC_OK;

	if (count < 0)
		return err_set(e, RC_INPUT, errno, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (rc == RC_OK)
			rc = entry_read(s, folder, entry[i]->d_name, &files, e);
		free(entry[i]);
	}
	free(entry);
	if (rc == RC_OK && files.count == 0)
		return err_set(e, RC_INPUT, 0,
			"%s: no *.facts or *.txt file in it, nor one that begins as "
			"facts do",
			folder);
	return rc;
}

enum rc sources_add(struct sources *s, const char *path, struct err *e)
{
	const char *name;
	struct stat st;

	s->intern.arena = s->arena;
	if (strcmp(path, "-") == 0)
		return file_read(s, path, NULL, e);
	if (stat(path, &st) != 0)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return folder_read(s, path, e);
	if (name_of_file(s, path, &name, e) != RC_OK)
		return e->code;
	return file_read(s, path, name, e);
}

/* ---- the whole */

static int by_name(const void *left, const void *right)
{
	const struct source_node *a = left, *b = right;

	return strcmp(a->name, b->name);
}

void sources_finish(struct sources *s)
{
	if (s->count)
		qsort(s->nodes, s->count, sizeof(*s->nodes), by_name);
}

const struct source_node *sources_find(const struct sources *s, const char *name)
{
	struct source_node key = { .name = name };

	return s->count ? bsearch(&key, s->nodes, s->count, sizeof(key), by_name) : NULL;
}

struct node_facts source_facts(const struct source_node *n)
{
	struct node_facts f = *n->facts;

	own_put(&f, &n->own);
	return f;
}
