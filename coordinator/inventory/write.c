/* Nodes as inventory_add_file() reads them: a line each, or JSON where one of them has
 * what a line cannot say. */
#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#include "coordinator/inventory/inventory.h"

static bool needs_json(const struct inventory *inv, const char *const *reasons)
{
	for (size_t i = 0; i < inv->count; i++) {
		const struct inventory_node *n = &inv->nodes[i];

		if (reasons[i] && (n->alias || n->identity || n->become))
			return true;
	}
	return false;
}

/* ---- lines */

static enum rc lines_write(const struct inventory *inv, const char *const *reasons,
	struct buf *out, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < inv->count && rc == RC_OK; i++) {
		const struct inventory_node *n = &inv->nodes[i];

		if (!reasons[i])
			continue;
		rc = buf_format(out, "%s%s%s%s%s\n", n->user ? n->user : "",
			n->user ? "@" : "", n->name, *reasons[i] ? "  # " : "",
			reasons[i]);
	}
	return rc == RC_OK ? RC_OK : err_memory(e);
}

/* ---- JSON, in the shape of `ansible-inventory --list` */

/* Reasons quote what nodes said: bytes that JSON may not take. */
static json_t *ascii(const char *text)
{
	char *copy = strdup(text);
	json_t *value;

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
			*c = '?';
	value = copy ? json_string(copy) : NULL;
	free(copy);
	return value;
}

/* Of what is not there nothing is said: put() takes no offence at that. */
static bool put(json_t *object, const char *key, bool wanted, json_t *value)
{
	if (wanted)
		return json_object_set_new(object, key, value) == 0;
	json_decref(value);
	return true;
}

static json_t *variables_of(const struct inventory_node *n, const char *reason)
{
	json_t *vars = json_object();
	bool put_all = put(vars, "ansible_host", strcmp(n->host, n->name) != 0,
			       json_string(n->host)) &&
		       put(vars, "ansible_port", n->port != 0, json_integer(n->port)) &&
		       put(vars, "ansible_user", n->user, json_string(n->user)) &&
		       put(vars, "ansible_ssh_private_key_file", n->identity,
			       json_string(n->identity)) &&
		       put(vars, "ansible_become", n->become != INVENTORY_BECOME_AS_RUN,
			       json_boolean(n->become == INVENTORY_BECOME_YES)) &&
		       put(vars, "cpuherd_failed", *reason, ascii(reason));

	if (put_all)
		return vars;
	json_decref(vars);
	return NULL;
}

static char *json_make(const struct inventory *inv, const char *const *reasons)
{
	json_t *hosts = json_array(), *vars = json_object(), *root;
	char *text = NULL;
	bool well = hosts && vars;

	for (size_t i = 0; i < inv->count && well; i++) {
		const struct inventory_node *n = &inv->nodes[i];

		if (reasons[i])
			well = json_array_append_new(hosts, json_string(n->name)) == 0 &&
			       json_object_set_new(
				       vars, n->name, variables_of(n, reasons[i])) == 0;
	}
	root = json_pack(
		"{s:{s:o}, s:{s:o}}", "_meta", "hostvars", vars, "all", "hosts", hosts);
	if (root && well)
		text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	return text;
}

enum rc inventory_write(const struct inventory *inv, const char *const *reasons,
	struct buf *out, struct err *e)
{
	char *text;
	enum rc rc;

	if (!needs_json(inv, reasons))
		return lines_write(inv, reasons, out, e);
	text = json_make(inv, reasons);
	rc = text ? buf_format(out, "%s\n", text) : RC_MEMORY;
	free(text);
	return rc == RC_OK ? RC_OK : err_memory(e);
}
