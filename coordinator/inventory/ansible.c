#include "coordinator/inventory/ansible.h"

#include <string.h>

#include "base/log.h"

/* "inventory.json: web.hosts: TEXT" */
static enum rc wrong(const struct ansible *a, const char *group, const char *key,
	const char *text, struct err *e)
{
	return err_set(e, RC_INPUT, 0, "%s: %.128s%s%s: %s", a->file, group,
		*key ? "." : "", key, text);
}

/* ---- groups */

static bool is_group(const char *key)
{
	return strcmp(key, "_meta") != 0;
}

/* A list of names is a group with these hosts, as old inventory scripts write it. */
static enum rc group_check(
	const struct ansible *a, const char *name, json_t *group, struct err *e)
{
	const char *key, *variable;
	json_t *value;

	if (json_is_array(group))
		return RC_OK;
	if (!json_is_object(group))
		return wrong(a, name, "", "a group is an object or a list of hosts", e);
	json_object_foreach(group, key, value)
	{
		bool list = strcmp(key, "hosts") == 0 || strcmp(key, "children") == 0;

		if (!list && strcmp(key, "vars") != 0)
			return wrong(a, name, "",
				"a group has hosts, children and vars, nothing else", e);
		if (list && !json_is_array(value))
			return wrong(a, name, key, "a list of names is needed", e);
	}
	variable = ansible_known_variable(json_object_get(group, "vars"));
	if (variable)
		return err_set(e, RC_INPUT, 0,
			"%s: %.128s.vars.%s: variables of groups are not read; "
			"ansible-inventory --list, without --export, gives them to the "
			"hosts",
			a->file, name, variable);
	return RC_OK;
}

static enum rc groups_find(struct ansible *a, struct err *e)
{
	const char *name;
	json_t *group;

	json_object_foreach(a->root, name, group)
	{
		enum rc rc = is_group(name) ? group_check(a, name, group, e) : RC_OK;

		if (rc != RC_OK)
			return rc;
		if (!is_group(name))
			continue;
		a->found = arena_grow(a->arena, a->found, a->count, sizeof(*a->found));
		if (!a->found || json_object_set_new(a->index, name,
					 json_integer((json_int_t)a->count)) != 0)
			return err_memory(e);
		a->found[a->count] = (struct inventory_group){
			.name = arena_text(a->arena, name),
		};
		if (!a->found[a->count++].name)
			return err_memory(e);
	}
	return RC_OK;
}

/* ---- hosts */

static enum rc host_new(struct ansible *a, const char *name, size_t *index, struct err *e)
{
	json_t *vars = json_object_get(
		json_object_get(json_object_get(a->root, "_meta"), "hostvars"), name);
	struct inventory_node node;
	enum rc rc;

	if (vars && !json_is_object(vars))
		return wrong(a, "_meta.hostvars", name, "an object is needed", e);
	rc = ansible_node(a, name, vars, &node, e);
	if (rc == RC_OK)
		rc = node_add(a->inv, &node, index, a->arena, e);
	if (rc == RC_OK && (strcmp(a->inv->nodes[*index].host, node.host) != 0 ||
				   a->inv->nodes[*index].port != node.port))
		rc = err_set(e, RC_INPUT, 0,
			"%s: _meta.hostvars.%.128s: it is %s here, and %s before",
			a->file, name, name_of(node.host, node.port, a->arena),
			name_of(a->inv->nodes[*index].host, a->inv->nodes[*index].port,
				a->arena));
	if (rc == RC_OK && json_object_set_new(
				   a->known, name, json_integer((json_int_t)*index)) != 0)
		rc = err_memory(e);
	return rc;
}

/* A host may be in many groups: it is made once. */
static enum rc host_place(
	struct ansible *a, const char *name, size_t *index, struct err *e)
{
	const json_t *known = json_object_get(a->known, name);

	if (!known)
		return host_new(a, name, index, e);
	*index = (size_t)json_integer_value(known);
	return RC_OK;
}

static enum rc hosts_take(
	struct ansible *a, struct inventory_group *g, const json_t *list, struct err *e)
{
	size_t i, index = 0;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		enum rc rc;

		if (!json_is_string(item))
			return wrong(a, g->name, "hosts", "it holds only names", e);
		rc = host_place(a, json_string_value(item), &index, e);
		if (rc != RC_OK)
			return rc;
		g->nodes = arena_grow(
			a->arena, g->nodes, g->node_count, sizeof(*g->nodes));
		if (!g->nodes)
			return err_memory(e);
		g->nodes[g->node_count++] = (uint32_t)index;
	}
	return RC_OK;
}

/* An empty group may be a child and be nowhere else: Ansible leaves it out. */
static enum rc children_take(
	struct ansible *a, struct inventory_group *g, const json_t *list, struct err *e)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		const json_t *child;

		if (!json_is_string(item))
			return wrong(a, g->name, "children", "it holds only names", e);
		child = json_object_get(a->index, json_string_value(item));
		if (!child)
			continue;
		g->children = arena_grow(
			a->arena, g->children, g->child_count, sizeof(*g->children));
		if (!g->children)
			return err_memory(e);
		g->children[g->child_count++] = (uint32_t)json_integer_value(child);
	}
	return RC_OK;
}

/* ---- the walk: hosts in Ansible's order, a group's own before its children's */

struct walk {
	enum { UNSEEN, OPEN, DONE } * state;
	size_t *stack, *next; /* groups that are open, and the child that comes next */
	size_t depth;
};

static enum rc group_open(struct ansible *a, struct walk *w, size_t group, struct err *e)
{
	struct inventory_group *g = &a->found[group];
	const json_t *from = json_object_get(a->root, g->name);
	enum rc rc;

	w->state[group] = OPEN;
	w->next[w->depth] = 0;
	w->stack[w->depth++] = group;
	if (json_is_array(from))
		return hosts_take(a, g, from, e);
	rc = hosts_take(a, g, json_object_get(from, "hosts"), e);
	if (rc == RC_OK)
		rc = children_take(a, g, json_object_get(from, "children"), e);
	return rc;
}

static enum rc group_walk(struct ansible *a, struct walk *w, size_t group, struct err *e)
{
	enum rc rc = w->state[group] == UNSEEN ? group_open(a, w, group, e) : RC_OK;

	while (rc == RC_OK && w->depth) {
		size_t at = w->stack[w->depth - 1], child;
		const struct inventory_group *g = &a->found[at];

		if (w->next[w->depth - 1] == g->child_count) {
			w->state[at] = DONE;
			w->depth--;
			continue;
		}
		child = g->children[w->next[w->depth - 1]++];
		if (w->state[child] == OPEN)
			rc = wrong(a, g->name, "children",
				"a group is below itself: they form a circle", e);
		else if (w->state[child] == UNSEEN)
			rc = group_open(a, w, child, e);
	}
	return rc;
}

static enum rc groups_walk(struct ansible *a, struct err *e)
{
	const json_t *all = json_object_get(a->index, "all");
	struct walk w = { 0 };
	enum rc rc = RC_OK;

	if (!a->found)
		return RC_OK;
	w.state = arena_alloc(a->arena, a->count + 1, sizeof(*w.state));
	w.stack = arena_alloc(a->arena, a->count + 1, sizeof(*w.stack));
	w.next = arena_alloc(a->arena, a->count + 1, sizeof(*w.next));
	if (!w.state || !w.stack || !w.next)
		return err_memory(e);
	if (all)
		rc = group_walk(a, &w, (size_t)json_integer_value(all), e);
	for (size_t i = 0; i < a->count && rc == RC_OK; i++)
		rc = group_walk(a, &w, i, e);
	return rc;
}

/* ---- the file */

/* Behind the groups of files before it; places of children move with them. */
static enum rc groups_append(struct ansible *a, struct err *e)
{
	struct inventory *inv = a->inv;
	uint32_t before = (uint32_t)inv->group_count;

	for (size_t i = 0; i < a->count; i++) {
		struct inventory_group *g = &a->found[i];

		for (size_t c = 0; c < g->child_count; c++)
			g->children[c] += before;
		inv->groups = arena_grow(
			a->arena, inv->groups, inv->group_count, sizeof(*inv->groups));
		if (!inv->groups)
			return err_memory(e);
		inv->groups[inv->group_count++] = *g;
	}
	return RC_OK;
}

static void warn_of_strays(const struct ansible *a)
{
	json_t *all = json_object_get(json_object_get(a->root, "_meta"), "hostvars");
	const char *name, *first = NULL;
	size_t strays = 0;
	json_t *vars;

	json_object_foreach(all, name, vars)
	{
		if (json_object_get(a->known, name))
			continue;
		first = first ? first : name;
		strays++;
	}
	if (strays)
		log_line(LOG_WARN, NULL,
			"%s: %zu host%s of _meta.hostvars, %s the first, in no group and "
			"so not in this run",
			a->file, strays, strays == 1 ? "" : "s", first);
}

static enum rc root_read(struct ansible *a, struct err *e)
{
	const json_t *meta = json_object_get(a->root, "_meta");
	const json_t *vars = json_object_get(meta, "hostvars");
	enum rc rc;

	if ((meta && !json_is_object(meta)) || (vars && !json_is_object(vars)))
		return wrong(
			a, "_meta", vars ? "hostvars" : "", "an object is needed", e);
	rc = groups_find(a, e);
	if (rc == RC_OK)
		rc = groups_walk(a, e);
	if (rc == RC_OK)
		rc = groups_append(a, e);
	if (rc != RC_OK)
		return rc;
	warn_of_strays(a);
	ansible_warn(a);
	return RC_OK;
}

enum rc ansible_add(struct inventory *inv, const char *file, const char *text,
	size_t size, struct arena *arena, struct err *e)
{
	struct ansible a = { .inv = inv, .file = file, .arena = arena };
	json_error_t error;
	enum rc rc;

	a.root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!a.root)
		return err_set(e, RC_INPUT, 0, "%s:%d:%d: %s", file, error.line,
			error.column, error.text);
	a.index = json_object();
	a.known = json_object();
	rc = a.index && a.known ? root_read(&a, e) : err_memory(e);
	json_decref(a.index);
	json_decref(a.known);
	json_decref(a.root);
	return rc;
}
