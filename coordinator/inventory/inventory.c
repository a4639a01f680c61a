#include "coordinator/inventory/inventory.h"

#include <string.h>

#include "coordinator/inventory/parts.h"

/* ---- the table that finds duplicates: open addressing, at most half full */

static const char *key_text(const struct inventory_node *n)
{
	return n->alias ? n->name : n->host;
}

static uint16_t key_port(const struct inventory_node *n)
{
	return n->alias ? 0 : n->port;
}

static uint32_t key_hash(const char *text, uint16_t port)
{
	uint32_t hash = 2166136261u ^ port; /* FNV-1a */

	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619u;
	return hash;
}

/* The slot that holds the node, or the free one where it belongs. */
static uint32_t *slot_find(const struct inventory *inv, const char *text, uint16_t port)
{
	size_t mask = inv->slot_count - 1;
	size_t at = key_hash(text, port) & mask;

	while (inv->slots[at]) {
		const struct inventory_node *n = &inv->nodes[inv->slots[at] - 1];

		if (key_port(n) == port && strcmp(key_text(n), text) == 0)
			break;
		at = (at + 1) & mask;
	}
	return &inv->slots[at];
}

static void slots_fill(struct inventory *inv)
{
	memset(inv->slots, 0, inv->slot_count * sizeof(*inv->slots));
	for (size_t i = 0; i < inv->count; i++) {
		const struct inventory_node *n = &inv->nodes[i];

		*slot_find(inv, key_text(n), key_port(n)) = (uint32_t)i + 1;
	}
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

enum rc node_add(struct inventory *inv, const struct inventory_node *node, size_t *index,
	struct arena *arena, struct err *e)
{
	uint32_t *slot;
	enum rc rc = slots_reserve(inv, arena, e);

	if (rc != RC_OK)
		return rc;
	slot = slot_find(inv, key_text(node), key_port(node));
	if (!*slot) {
		if (inv->count == INVENTORY_NODES_MAX)
			return err_set(e, RC_INPUT, 0, "this makes more than %d nodes",
				INVENTORY_NODES_MAX);
		inv->nodes = arena_grow(
			arena, inv->nodes, inv->count, sizeof(*inv->nodes));
		if (!inv->nodes)
			return err_memory(e);
		inv->nodes[inv->count++] = *node;
		*slot = (uint32_t)inv->count;
	}
	if (index)
		*index = *slot - 1;
	return RC_OK;
}

bool node_find(
	const struct inventory *inv, const char *text, uint16_t port, size_t *index)
{
	uint32_t found = inv->slot_count ? *slot_find(inv, text, port) : 0;

	if (found)
		*index = found - 1;
	return found != 0;
}

const char *name_of(const char *host, uint16_t port, struct arena *arena)
{
	const char *open = strchr(host, ':') ? "[" : "", *close = *open ? "]" : "";

	if (!*open && port == 0)
		return arena_text(arena, host);
	if (port == 0)
		return arena_format(arena, "[%s]", host);
	return arena_format(arena, "%s%s%s:%u", open, host, close, port);
}

enum rc pattern_add(struct inventory *inv, const struct pattern *p, struct arena *arena,
	struct err *e)
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
		node.name = node.host;
		if (p->address || p->port)
			node.name = name_of(node.host, p->port, arena);
		rc = node.name ? node_add(inv, &node, NULL, arena, e) : err_memory(e);
	}
	return rc;
}

enum rc inventory_add_name(
	struct inventory *inv, const char *name, struct arena *arena, struct err *e)
{
	struct inventory_node node = { .name = name, .host = name };

	return node_add(inv, &node, NULL, arena, e);
}

enum rc inventory_add_node(struct inventory *inv, const struct inventory_node *node,
	struct arena *arena, struct err *e)
{
	return node_add(inv, node, NULL, arena, e);
}

bool inventory_find(
	const struct inventory *inv, const struct inventory_node *node, size_t *index)
{
	return node_find(inv, key_text(node), key_port(node), index);
}

void nodes_keep(struct inventory *inv, const bool *keep)
{
	size_t kept = 0;

	for (size_t i = 0; i < inv->count; i++)
		if (keep[i])
			inv->nodes[kept++] = inv->nodes[i];
	inv->count = kept;
	if (inv->slot_count)
		slots_fill(inv);
}
