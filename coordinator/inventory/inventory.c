#include "coordinator/inventory/inventory.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "coordinator/inventory/pattern.h"

/* ---- the table that finds duplicates: open addressing, at most half full */

static uint32_t key_hash(const char *host, uint16_t port)
{
	uint32_t hash = 2166136261u ^ port; /* FNV-1a */

	for (const char *c = host; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	return hash;
}

/* The slot that holds the node, or the free one where it belongs. */
static uint32_t *slot_find(const struct inventory *inv, const char *host, uint16_t port)
{
	size_t mask = inv->slot_count - 1;
	size_t at = key_hash(host, port) & mask;

	while (inv->slots[at]) {
		const struct inventory_node *n = &inv->nodes[inv->slots[at] - 1];

		if (n->port == port && strcmp(n->host, host) == 0)
			break;
		at = (at + 1) & mask;
	}
	return &inv->slots[at];
}

static bool inventory_has(const struct inventory *inv, const char *host, uint16_t port)
{
	return inv->slot_count && *slot_find(inv, host, port);
}

static void slots_fill(struct inventory *inv)
{
	memset(inv->slots, 0, inv->slot_count * sizeof(*inv->slots));
	for (size_t i = 0; i < inv->count; i++)
		*slot_find(inv, inv->nodes[i].host, inv->nodes[i].port) = (uint32_t)i + 1;
}

static enum rc slots_reserve(struct inventory *inv, struct arena *arena, struct err *e)
{
	size_t bigger = inv->slot_count ? inv->slot_count * 2 : 64;
	uint32_t *slots;

	if ((inv->count + 1) * 2 <= inv->slot_count)
		return RC_OK;
	slots = arena_alloc(arena, bigger, sizeof(*slots));
	if (!slots)
		return err_memory(e);
	inv->slots = slots;
	inv->slot_count = bigger;
	slots_fill(inv);
	return RC_OK;
}

static enum rc node_add(struct inventory *inv, const struct inventory_node *node,
	struct arena *arena, struct err *e)
{
	uint32_t *slot;
	enum rc rc = slots_reserve(inv, arena, e);

	if (rc != RC_OK)
		return rc;
	slot = slot_find(inv, node->host, node->port);
	if (*slot)
		return RC_OK;
	inv->nodes = arena_grow(arena, inv->nodes, inv->count, sizeof(*inv->nodes));
	if (!inv->nodes)
		return err_memory(e);
	inv->nodes[inv->count++] = *node;
	*slot = (uint32_t)inv->count;
	return RC_OK;
}

/* ---- patterns */

/* "node07", "node07:2222", "[::1]:22": what the user wrote, without the user. */
static const char *name_of(const struct pattern *p, const char *host, struct arena *arena)
{
	const char *bracketed = host;

	if (p->address)
		bracketed = arena_format(arena, "[%s]", host);
	if (!bracketed || p->port == 0)
		return bracketed;
	return arena_format(arena, "%s:%u", bracketed, p->port);
}

static enum rc pattern_add(struct inventory *inv, const struct pattern *p,
	struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	if (p->count > INVENTORY_NODES_MAX - inv->count)
		return err_set(e, RC_INPUT, 0, "this makes more than %d nodes",
			INVENTORY_NODES_MAX);
	for (uint64_t i = 0; i < p->count && rc == RC_OK; i++) {
		struct inventory_node node = { .user = p->user, .port = p->port };

		node.host = pattern_host(p, i, arena);
		if (!node.host)
			return err_memory(e);
		node.name = name_of(p, node.host, arena);
		if (!node.name)
			return err_memory(e);
		rc = node_add(inv, &node, arena, e);
	}
	return rc;
}

/* Adds all items of the text; on failure *at is where the fault is. */
static enum rc items_add(struct inventory *inv, const char *text, size_t *at,
	struct arena *arena, struct err *e)
{
	struct pattern p;
	enum rc rc;

	*at = 0;
	do {
		size_t start = *at;

		rc = pattern_parse(text, at, arena, &p, e);
		if (rc != RC_OK)
			return rc;
		rc = pattern_add(inv, &p, arena, e);
		if (rc != RC_OK) {
			*at = start;
			return rc;
		}
	} while (text[*at] == ',' && ++*at);
	return RC_OK;
}

/* Puts the place in front of the error's text. */
static enum rc located(struct err *e, const char *where, size_t column)
{
	struct err inner = *e;

	if (inner.code != RC_INPUT)
		return inner.code;
	return err_set(
		e, inner.code, inner.native, "%s%zu: %s", where, column + 1, inner.text);
}

enum rc inventory_add_argument(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e)
{
	char where[128];
	size_t at;
	enum rc rc = items_add(inv, argument, &at, arena, e);

	if (rc == RC_OK)
		return RC_OK;
	snprintf(where, sizeof(where), "'%.80s', column ", argument);
	return located(e, where, at);
}

enum rc inventory_add_name(
	struct inventory *inv, const char *name, struct arena *arena, struct err *e)
{
	struct inventory_node node = { .name = name, .host = name };

	return node_add(inv, &node, arena, e);
}

/* ---- files */

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

static enum rc lines_add(struct inventory *inv, const char *name, char *text, size_t size,
	struct arena *arena, struct err *e)
{
	size_t number = 0, at = 0, from;
	enum rc rc = RC_OK;
	char *end = text + size;

	while (text < end && rc == RC_OK) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline ? newline : end) - text);
		const char *nul = memchr(text, '\0', length);
		char *argument;

		text[length] = '\0'; /* the byte behind the text is ours */
		number++;
		argument = line_strip(text, &from);
		if (nul) {
			at = (size_t)(nul - text) - from;
			rc = err_set(e, RC_INPUT, 0, "a NUL byte; is this a text file?");
		} else if (*argument) {
			rc = items_add(inv, argument, &at, arena, e);
		}
		text += length + 1;
	}
	if (rc == RC_OK)
		return RC_OK;
	return located(e, arena_format(arena, "%s:%zu:", name, number), from + at);
}

enum rc inventory_add_file(
	struct inventory *inv, const char *path, struct arena *arena, struct err *e)
{
	bool standard = strcmp(path, "-") == 0;
	const char *name = standard ? "standard input" : path;
	FILE *file = standard ? stdin : fopen(path, "re");
	struct buf text = buf_with_cap(INVENTORY_FILE_BYTES_MAX + 1);
	size_t size;
	enum rc rc;

	if (!file)
		return err_set(e, RC_INPUT, errno, "%s: %s", name, strerror(errno));
	rc = file_read(file, name, &text, e);
	size = buf_bytes(&text).size;
	if (rc == RC_OK && buf_append(&text, "", 1) != RC_OK)
		rc = err_memory(e);
	if (rc == RC_OK) {
		char *start = (char *)text.memory + text.start;
		bool mark = size >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0;

		rc = lines_add(inv, name, start + 3 * mark, size - 3 * mark, arena, e);
	}
	buf_destroy(&text);
	if (!standard)
		fclose(file);
	return rc;
}

/* ---- exclusions */

static bool is_named(const struct inventory *out, const struct inventory_node *n)
{
	return inventory_has(out, n->host, n->port) || inventory_has(out, n->host, 0);
}

enum rc inventory_match(const struct inventory *inv, const char *argument, bool *found,
	struct arena *arena, struct err *e)
{
	struct inventory named = { 0 };
	enum rc rc = inventory_add_argument(&named, argument, arena, e);

	*found = false;
	for (size_t i = 0; i < inv->count && rc == RC_OK && !*found; i++)
		*found = is_named(&named, &inv->nodes[i]);
	return rc;
}

enum rc inventory_mark(const struct inventory *inv, const char *argument, bool *marks,
	struct arena *arena, struct err *e)
{
	struct inventory named = { 0 };
	bool any = false;

	if (inventory_add_argument(&named, argument, arena, e) != RC_OK)
		return e->code;
	for (size_t i = 0; i < inv->count; i++)
		if (is_named(&named, &inv->nodes[i]))
			any = marks[i] = true;
	if (!any)
		return err_set(e, RC_INPUT, 0, "%s names no node of this run", argument);
	return RC_OK;
}

enum rc inventory_exclude(
	struct inventory *inv, const char *argument, struct arena *arena, struct err *e)
{
	bool *out = arena_alloc(arena, inv->count, sizeof(*out));
	size_t kept = 0;

	if (!out)
		return err_memory(e);
	if (inventory_mark(inv, argument, out, arena, e) != RC_OK)
		return e->code;
	for (size_t i = 0; i < inv->count; i++)
		if (!out[i])
			inv->nodes[kept++] = inv->nodes[i];
	inv->count = kept;
	slots_fill(inv);
	return RC_OK;
}
