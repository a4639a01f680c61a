/* ansible.h - what the readers of Ansible's inventories share.
 *
 * Shape of the JSON: "Developing dynamic inventory" in Ansible's developer guide;
 * names of variables and which one wins: its connection plugin ssh.
 */
#ifndef COORDINATOR_INVENTORY_ANSIBLE_H
#define COORDINATOR_INVENTORY_ANSIBLE_H

#include <jansson.h>

#include "coordinator/inventory/parts.h"

enum { ANSIBLE_VARIABLES_MAX = 32 };

/* How often a variable was there that is not honoured. */
struct ansible_unread {
	size_t nodes;
	const char *first;
};

struct ansible {
	struct inventory *inv;
	const char *file; /* for errors */
	json_t *root;
	json_t *index; /* group's name to its place in `found`; owned */
	json_t *known; /* host's name to its place in inv; owned */
	struct inventory_group *found;
	size_t count;
	struct ansible_unread unread[ANSIBLE_VARIABLES_MAX];
	struct arena *arena;
};

/* Makes the node of a host from its variables (NULL: it has none).  What is wrong with a
 * value becomes the node's `refused`: who leaves the node out need not care. */
enum rc ansible_node(struct ansible *a, const char *name, json_t *vars,
	struct inventory_node *out, struct err *e);

/* The first variable in there that would decide how a node is reached; NULL: none. */
const char *ansible_known_variable(const json_t *vars);

/* Warns once of each variable that is not honoured. */
void ansible_warn(const struct ansible *a);

#endif
