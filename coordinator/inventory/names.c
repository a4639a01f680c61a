/* A set of names is held against an inventory in one pass over its nodes, however
 * many names there are; each word of the user must have named a node in the end. */
#include <string.h>

#include "coordinator/inventory/parts.h"

static enum rc word_begin(struct names *names, const struct name_word *word,
	struct arena *arena, struct err *e)
{
	names->words = arena_grow(
		arena, names->words, names->word_count, sizeof(*names->words));
	if (!names->words)
		return err_memory(e);
	names->words[names->word_count] = *word;
	names->words[names->word_count].first = names->index_count;
	names->words[names->word_count++].count = 0;
	return RC_OK;
}

static enum rc name_add(struct names *names, const struct inventory_node *node,
	struct arena *arena, struct err *e)
{
	size_t index;
	enum rc rc = node_add(&names->set, node, &index, arena, e);

	if (rc != RC_OK)
		return rc;
	names->index = arena_grow(
		arena, names->index, names->index_count, sizeof(*names->index));
	if (!names->index)
		return err_memory(e);
	names->index[names->index_count++] = (uint32_t)index;
	names->words[names->word_count - 1].count++;
	return RC_OK;
}

enum rc names_add_nodes(struct names *names, const struct inventory *list,
	const char *file, struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < list->count && rc == RC_OK; i++) {
		struct name_word word = { .text = list->nodes[i].name };

		word.place.file = file;
		rc = word_begin(names, &word, arena, e);
		if (rc == RC_OK)
			rc = name_add(names, &list->nodes[i], arena, e);
	}
	return rc;
}

enum rc names_add(struct names *names, const struct pattern *p,
	const struct name_word *word, struct arena *arena, struct err *e)
{
	struct inventory list = { 0 };
	enum rc rc = pattern_add(&list, p, arena, e);

	if (rc == RC_OK)
		rc = word_begin(names, word, arena, e);
	for (size_t i = 0; i < list.count && rc == RC_OK; i++)
		rc = name_add(names, &list.nodes[i], arena, e);
	return rc;
}

/* ---- against an inventory */

static bool hit(struct names *names, const char *text, uint16_t port)
{
	size_t index;

	if (!node_find(&names->set, text, port, &index))
		return false;
	names->hit[index] = true;
	return true;
}

/* By its alias, or by its host: on its port and, where none was written, on any. */
static bool is_named(struct names *names, const struct inventory_node *n)
{
	bool exactly = hit(names, n->alias ? n->name : n->host, n->alias ? 0 : n->port);
	bool on_any = !n->alias && n->port && hit(names, n->host, 0);

	return exactly || on_any;
}

static bool word_hit(const struct names *names, const struct name_word *word)
{
	for (size_t i = 0; i < word->count; i++)
		if (names->hit[names->index[word->first + i]])
			return true;
	return false;
}

enum rc names_mark(struct names *names, const struct inventory *inv, bool *marked,
	struct arena *arena, struct err *e)
{
	names->hit = arena_alloc(arena, names->set.count + 1, sizeof(*names->hit));
	if (!names->hit)
		return err_memory(e);
	for (size_t i = 0; i < inv->count; i++)
		marked[i] = is_named(names, &inv->nodes[i]);
	for (size_t i = 0; i < names->word_count; i++) {
		const struct name_word *word = &names->words[i];

		if (word_hit(names, word))
			continue;
		err_set(e, RC_INPUT, 0, "%s names no node of this run", word->text);
		return located(e, &word->place, word->at);
	}
	return RC_OK;
}
