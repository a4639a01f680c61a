#include "coordinator/lock/lock.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/lock/fields.h"

enum { NODE_NAME_BYTES = 255 };

/* ---- names and texts */

const char *lock_text(struct arena *arena, const char *text)
{
	char *copy = arena_text(arena, text);

	for (char *at = copy; at && *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return copy;
}

/* Hosts, ports, IPv6 addresses; nothing that a pattern could be made of. */
bool lock_is_node_name(const char *text)
{
	static const char *const marks = "._:%-";
	size_t size = strlen(text);

	if (size == 0 || size > NODE_NAME_BYTES || text[0] == '-')
		return false;
	for (const char *at = text; *at; at++)
		if (!(*at >= 'a' && *at <= 'z') && !(*at >= 'A' && *at <= 'Z') &&
			!(*at >= '0' && *at <= '9') && !strchr(marks, *at) &&
			!((*at == '[' || *at == ']') && strchr(text, ':')))
			return false;
	return true;
}

/* ---- keys: the first digits of a digest of the record */

static enum rc key_make(const struct field_row *rows, const void *record,
	struct arena *arena, const char **out, struct err *e)
{
	json_t *object = fields_write(rows, record);
	char hex[65];
	bool made = object && fields_digest(object, hex);

	json_decref(object);
	*out = made ? arena_text_n(arena, hex, LOCK_KEY_MAX - 1) : NULL;
	return *out ? RC_OK : err_memory(e);
}

enum rc lock_key_class(struct lock_class *c, struct arena *arena, struct err *e)
{
	return key_make(lock_class_fields, c, arena, &c->key, e);
}

enum rc lock_key_writing(struct lock_writing *w, struct arena *arena, struct err *e)
{
	return key_make(lock_writing_fields, w, arena, &w->key, e);
}

/* ---- sorted lists, by the text that each record begins with */

static int by_first_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

_Static_assert(offsetof(struct lock_class, key) == 0 &&
		       offsetof(struct lock_writing, key) == 0 &&
		       offsetof(struct lock_option, name) == 0 &&
		       offsetof(struct lock_node, name) == 0,
	"lists are sorted by their first member");

static const void *find(const void *list, size_t count, size_t size, const char *key)
{
	return count ? bsearch(&key, list, count, size, by_first_text) : NULL;
}

const struct lock_node *lock_find_node(const struct lock *l, const char *name)
{
	return find(l->nodes, l->node_count, sizeof(*l->nodes), name);
}

const struct lock_class *lock_find_class(const struct lock *l, const char *key)
{
	return find(l->classes, l->class_count, sizeof(*l->classes), key);
}

const struct lock_writing *lock_find_writing(const struct lock *l, const char *key)
{
	return find(l->writings, l->writing_count, sizeof(*l->writings), key);
}

const struct lock_option *lock_find_option(const struct lock *l, const char *name)
{
	return find(l->options, l->option_count, sizeof(*l->options), name);
}

/* Sorts, and keeps the first of those with one key. */
static void list_settle(void *list, size_t *count, size_t size)
{
	char *item = list;
	size_t kept = 0;

	if (*count)
		qsort(list, *count, size, by_first_text);
	for (size_t i = 0; i < *count; i++) {
		if (kept && by_first_text(item + (kept - 1) * size, item + i * size) == 0)
			continue;
		if (kept != i)
			memcpy(item + kept * size, item + i * size, size);
		kept++;
	}
	*count = kept;
}

/* The texts at that offset of all nodes, sorted; NULL: out of memory, and nothing is
 * dropped. */
static const char **keys_of_nodes(const struct lock *l, size_t offset)
{
	const char **keys = calloc(l->node_count + 1, sizeof(*keys));

	for (size_t i = 0; keys && i < l->node_count; i++)
		keys[i] = *(const char *const *)((const char *)&l->nodes[i] + offset);
	if (keys && l->node_count)
		qsort(keys, l->node_count, sizeof(*keys), by_first_text);
	return keys;
}

static void drop_unused(
	const struct lock *l, size_t offset, void *list, size_t *count, size_t size)
{
	const char **keys = keys_of_nodes(l, offset);
	char *item = list;
	size_t kept = 0;

	for (size_t i = 0; keys && i < *count; i++) {
		const char *key = *(const char *const *)(item + i * size);

		if (!find(keys, l->node_count, sizeof(*keys), key))
			continue;
		if (kept != i)
			memcpy(item + kept * size, item + i * size, size);
		kept++;
	}
	if (keys)
		*count = kept;
	free(keys);
}

void lock_settle(struct lock *l)
{
	list_settle(l->nodes, &l->node_count, sizeof(*l->nodes));
	list_settle(l->options, &l->option_count, sizeof(*l->options));
	list_settle(l->classes, &l->class_count, sizeof(*l->classes));
	list_settle(l->writings, &l->writing_count, sizeof(*l->writings));
	drop_unused(l, offsetof(struct lock_node, class), l->classes, &l->class_count,
		sizeof(*l->classes));
	drop_unused(l, offsetof(struct lock_node, written), l->writings,
		&l->writing_count, sizeof(*l->writings));
}
