/* What --limit leaves of the nodes, as Ansible reads it: plain words add nodes, "&WORD"
 * keeps those that are also there, "!WORD" takes away; the order does not matter.  A
 * word is a pattern, a group, a name with '*' and '?', or @FILE. */
#include <fnmatch.h>
#include <string.h>

#include "coordinator/inventory/parts.h"

struct limit {
	const struct inventory *inv;
	bool *added, *both, *away; /* by node */
	bool *set;		   /* of the word at hand */
	bool adds;		   /* there was a plain word */
	struct arena *arena;
};

static enum rc names_nothing(const char *word, struct err *e)
{
	return err_set(e, RC_INPUT, 0, "%s names no node of this run", word);
}

static enum rc any_set(const struct limit *l, const char *word, struct err *e)
{
	for (size_t i = 0; i < l->inv->count; i++)
		if (l->set[i])
			return RC_OK;
	return names_nothing(word, e);
}

/* ---- groups */

/* The group and all below it.  Groups form no circle: ansible_add() saw to that. */
static enum rc group_take(struct limit *l, size_t group, struct err *e)
{
	const struct inventory *inv = l->inv;
	bool *seen = arena_alloc(l->arena, inv->group_count, sizeof(*seen));
	uint32_t *stack = arena_alloc(l->arena, inv->group_count, sizeof(*stack));
	size_t depth = 0;

	if (!seen || !stack)
		return err_memory(e);
	seen[group] = true;
	stack[depth++] = (uint32_t)group;
	while (depth) {
		const struct inventory_group *g = &inv->groups[stack[--depth]];

		for (size_t i = 0; i < g->node_count; i++)
			l->set[g->nodes[i]] = true;
		for (size_t i = 0; i < g->child_count; i++) {
			if (seen[g->children[i]])
				continue;
			seen[g->children[i]] = true;
			stack[depth++] = g->children[i];
		}
	}
	return RC_OK;
}

/* The groups that the word means; *found: there is one. */
static enum rc groups_take(
	struct limit *l, const char *word, bool globs, bool *found, struct err *e)
{
	const struct inventory *inv = l->inv;
	enum rc rc = RC_OK;

	*found = strcmp(word, "all") == 0;
	if (*found)
		memset(l->set, true, inv->count * sizeof(*l->set));
	for (size_t i = 0; i < inv->group_count && rc == RC_OK; i++) {
		const char *name = inv->groups[i].name;

		if (globs ? fnmatch(word, name, 0) != 0 : strcmp(word, name) != 0)
			continue;
		*found = true;
		rc = group_take(l, i, e);
	}
	return rc;
}

/* ---- words */

static enum rc glob_take(struct limit *l, const char *word, struct err *e)
{
	bool found;

	if (strpbrk(word, "[]"))
		return err_set(e, RC_INPUT, 0,
			"%s: brackets are ranges here and go with no '*' or '?'", word);
	for (size_t i = 0; i < l->inv->count; i++) {
		const struct inventory_node *n = &l->inv->nodes[i];

		l->set[i] = fnmatch(word, n->name, 0) == 0 ||
			    (!n->alias && fnmatch(word, n->host, 0) == 0);
	}
	return groups_take(l, word, true, &found, e);
}

static enum rc file_take(struct limit *l, const char *path, struct err *e)
{
	struct inventory list = { 0 };
	struct names names = { 0 };
	enum rc rc = inventory_add_file(&list, path, l->arena, e);

	if (rc == RC_OK)
		rc = inventory_settle(&list, l->arena, e);
	if (rc == RC_OK)
		rc = names_add_nodes(&names, &list, path, l->arena, e);
	return rc == RC_OK ? names_mark(&names, l->inv, l->set, l->arena, e) : rc;
}

static enum rc pattern_take(struct limit *l, const char *text, struct err *e)
{
	struct name_word word = { .text = text };
	struct names names = { 0 };
	struct pattern p;
	size_t at = 0;
	enum rc rc = pattern_parse(text, &at, l->arena, &p, e);

	if (rc == RC_OK && text[at])
		rc = err_set(
			e, RC_INPUT, 0, "'%c' in it; words are joined by ','", text[at]);
	if (rc == RC_OK)
		rc = names_add(&names, &p, &word, l->arena, e);
	if (rc != RC_OK)
		return rc;
	rc = names_mark(&names, l->inv, l->set, l->arena, e);
	return rc == RC_INPUT ? names_nothing(text, e) : rc;
}

static enum rc word_take(struct limit *l, const char *word, struct err *e)
{
	bool is_group;
	enum rc rc;

	if (word[0] == '@')
		return file_take(l, word + 1, e);
	if (word[0] == '~')
		return err_set(e, RC_INPUT, 0,
			"%s: regular expressions are not read; '*' and '?' are", word);
	if (strpbrk(word, "*?"))
		return glob_take(l, word, e);
	rc = groups_take(l, word, false, &is_group, e);
	return rc == RC_OK && !is_group ? pattern_take(l, word, e) : rc;
}

/* With its sign, into what the words before it gave. */
static enum rc word_apply(struct limit *l, const char *word, struct err *e)
{
	bool away = word[0] == '!', both = word[0] == '&';
	enum rc rc;

	memset(l->set, 0, l->inv->count * sizeof(*l->set));
	rc = word_take(l, word + (away || both), e);
	if (rc == RC_OK)
		rc = any_set(l, word, e);
	for (size_t i = 0; i < l->inv->count && rc == RC_OK; i++) {
		if (away)
			l->away[i] |= l->set[i];
		else if (both)
			l->both[i] &= l->set[i];
		else
			l->added[i] |= l->set[i];
	}
	l->adds |= !away && !both;
	return rc;
}

static enum rc argument_apply(struct limit *l, const char *argument, struct err *e)
{
	struct place place = { .argument = argument };
	enum rc rc = RC_OK;
	size_t at = 0;

	for (;;) {
		size_t length = inventory_word_length(argument + at);
		const char *word = arena_text_n(l->arena, argument + at, length);

		if (!word)
			return err_memory(e);
		rc = length ? word_apply(l, word, e)
			    : err_set(e, RC_INPUT, 0, "an empty word");
		if (rc != RC_OK)
			return located(e, &place, at);
		at += length;
		if (argument[at++] == '\0')
			return RC_OK;
	}
}

enum rc limit_apply(
	const struct inventory *inv, bool *keep, struct arena *arena, struct err *e)
{
	struct limit l = { .inv = inv, .arena = arena };
	enum rc rc = RC_OK;

	l.added = arena_alloc(arena, inv->count + 1, sizeof(bool));
	l.both = arena_alloc(arena, inv->count + 1, sizeof(bool));
	l.away = arena_alloc(arena, inv->count + 1, sizeof(bool));
	l.set = arena_alloc(arena, inv->count + 1, sizeof(bool));
	if (!l.added || !l.both || !l.away || !l.set)
		return err_memory(e);
	memset(l.both, true, inv->count * sizeof(bool));
	for (size_t i = 0; i < inv->limit_count && rc == RC_OK; i++)
		rc = argument_apply(&l, inv->limits[i], e);
	for (size_t i = 0; i < inv->count && rc == RC_OK; i++)
		keep[i] &= (l.added[i] || !l.adds) && l.both[i] && !l.away[i];
	return rc;
}

enum rc inventory_limit(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e)
{
	inv->limits = arena_grow(
		arena, inv->limits, inv->limit_count, sizeof(*inv->limits));
	if (!inv->limits)
		return err_memory(e);
	inv->limits[inv->limit_count++] = argument;
	return RC_OK;
}
