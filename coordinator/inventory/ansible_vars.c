#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "coordinator/inventory/ansible.h"

/* ---- one reader for each kind of value: RC_INPUT with what is wrong with it */

static enum rc text_read(
	struct ansible *a, const json_t *value, const char **out, struct err *e)
{
	const char *text = json_string_value(value);

	if (!text)
		return err_set(e, RC_INPUT, 0, "a text is needed");
	if (text[0] == '\0')
		return err_set(e, RC_INPUT, 0, "it is empty");
	if (strstr(text, "{{") || strstr(text, "{%"))
		return err_set(e, RC_INPUT, 0,
			"'%.128s' is a template, which only Ansible can fill in", text);
	*out = arena_text(a->arena, text);
	return *out ? RC_OK : err_memory(e);
}

static enum rc host_read(struct ansible *a, const json_t *value,
	struct inventory_node *node, struct err *e)
{
	enum rc rc = text_read(a, value, &node->host, e);

	if (rc != RC_OK || pattern_is_host(node->host) || pattern_is_address(node->host))
		return rc;
	return err_set(e, RC_INPUT, 0, "'%.128s' is no host name", node->host);
}

static enum rc user_read(struct ansible *a, const json_t *value,
	struct inventory_node *node, struct err *e)
{
	enum rc rc = text_read(a, value, &node->user, e);

	if (rc != RC_OK || pattern_is_user(node->user))
		return rc;
	return err_set(e, RC_INPUT, 0, "'%.128s' is no user name", node->user);
}

static enum rc port_read(struct ansible *a, const json_t *value,
	struct inventory_node *node, struct err *e)
{
	json_int_t number = json_integer_value(value);
	const char *text;
	uint32_t digits;

	if (json_is_string(value)) {
		enum rc rc = text_read(a, value, &text, e);

		if (rc != RC_OK)
			return rc;
		number = text_to_u32(text, &digits) ? digits : 0;
	}
	if (number < 1 || number > UINT16_MAX)
		return err_set(e, RC_INPUT, 0, "a port is a number from 1 to 65535");
	node->port = (uint16_t)number;
	return RC_OK;
}

static enum rc key_read(struct ansible *a, const json_t *value,
	struct inventory_node *node, struct err *e)
{
	enum rc rc = text_read(a, value, &node->identity, e);

	for (const char *c = node->identity; rc == RC_OK && *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(
				e, RC_INPUT, 0, "'%.128s' is no path", node->identity);
	return rc;
}

/* Ansible's words for yes and no. */
static enum rc become_read(struct ansible *a, const json_t *value,
	struct inventory_node *node, struct err *e)
{
	static const char *const words[] = { "yes", "no", "true", "false", "on", "off",
		"y", "n", "t", "f", "1", "0" };
	const char *text = json_string_value(value);

	(void)a;
	if (json_is_boolean(value))
		text = json_is_true(value) ? "yes" : "no";
	else if (json_is_integer(value) && (json_integer_value(value) | 1) == 1)
		text = json_integer_value(value) ? "1" : "0";
	for (size_t i = 0; text && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(text, words[i]) == 0) {
			node->become = i % 2 ? INVENTORY_BECOME_NO : INVENTORY_BECOME_YES;
			return RC_OK;
		}
	return err_set(e, RC_INPUT, 0, "yes or no is needed");
}

static enum rc connection_read(struct ansible *a, const json_t *value,
	struct inventory_node *node, struct err *e)
{
	static const char *const ours[] = { "ssh", "smart", "ansible.builtin.ssh",
		"paramiko", "paramiko_ssh", "ansible.builtin.paramiko_ssh" };
	const char *text;
	enum rc rc = text_read(a, value, &text, e);

	(void)node;
	for (size_t i = 0; rc == RC_OK && i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(text, ours[i]) == 0)
			return RC_OK;
	return rc != RC_OK
		       ? rc
		       : err_set(e, RC_INPUT, 0,
				 "it is '%.64s', and cpuherd asks over ssh alone", text);
}

/* ---- the table */

typedef enum rc value_reader(struct ansible *a, const json_t *value,
	struct inventory_node *node, struct err *e);

/* Of two that mean the same the later one wins, as with Ansible. */
static const struct variable {
	const char *name;
	value_reader *read;   /* NULL: it is not honoured, and the user is told */
	const char *harmless; /* ... but for this value, which changes nothing */
} variables[] = {
	{ "ansible_host", host_read, NULL },
	{ "ansible_ssh_host", host_read, NULL },
	{ "ansible_port", port_read, NULL },
	{ "ansible_ssh_port", port_read, NULL },
	{ "ansible_user", user_read, NULL },
	{ "ansible_ssh_user", user_read, NULL },
	{ "ansible_private_key_file", key_read, NULL },
	{ "ansible_ssh_private_key_file", key_read, NULL },
	{ "ansible_become", become_read, NULL },
	{ "ansible_connection", connection_read, NULL },
	{ "ansible_become_user", NULL, "root" },
	{ "ansible_become_method", NULL, "sudo" },
	{ "ansible_become_exe", NULL, "" },
	{ "ansible_become_flags", NULL, "" },
	{ "ansible_become_pass", NULL, "" },
	{ "ansible_become_password", NULL, "" },
	{ "ansible_password", NULL, "" },
	{ "ansible_ssh_pass", NULL, "" },
	{ "ansible_ssh_password", NULL, "" },
	{ "ansible_ssh_args", NULL, "" },
	{ "ansible_ssh_common_args", NULL, "" },
	{ "ansible_ssh_extra_args", NULL, "" },
	{ "ansible_ssh_executable", NULL, "ssh" },
	{ "ansible_host_key_checking", NULL, "" },
	{ "ansible_ssh_host_key_checking", NULL, "" },
	{ "ansible_ssh_timeout", NULL, "" },
	{ "ansible_ssh_pkcs11_provider", NULL, "" },
};

enum { VARIABLES = sizeof(variables) / sizeof(variables[0]) };

_Static_assert(sizeof(variables) / sizeof(variables[0]) <= ANSIBLE_VARIABLES_MAX,
	"room for a count of each variable");

const char *ansible_known_variable(const json_t *vars)
{
	for (size_t i = 0; i < VARIABLES; i++)
		if (json_object_get(vars, variables[i].name))
			return variables[i].name;
	return NULL;
}

static void unread_count(
	struct ansible *a, size_t variable, const json_t *value, const char *node)
{
	struct ansible_unread *u = &a->unread[variable];
	const char *text = json_string_value(value);

	if (text && strcmp(text, variables[variable].harmless) == 0)
		return;
	if (u->nodes++ == 0)
		u->first = node;
}

void ansible_warn(const struct ansible *a)
{
	for (size_t i = 0; i < VARIABLES; i++)
		if (a->unread[i].nodes)
			log_line(LOG_WARN, NULL,
				"%s: %s is not honoured (of %zu node%s, %s the first)",
				a->file, variables[i].name, a->unread[i].nodes,
				a->unread[i].nodes == 1 ? "" : "s", a->unread[i].first);
}

/* ---- the node */

/* The values in the order of the table.  A host has few variables or a lot of facts, and
 * most of either do not concern us. */
static void values_find(json_t *vars, const json_t *value[static VARIABLES])
{
	const char *key;
	json_t *item;

	json_object_foreach(vars, key, item)
	{
		if (!text_starts_with(key, "ansible_") || json_is_null(item))
			continue;
		for (size_t i = 0; i < VARIABLES; i++)
			if (strcmp(key, variables[i].name) == 0)
				value[i] = item;
	}
}

static enum rc variables_read(struct ansible *a, const char *name, json_t *vars,
	struct inventory_node *node, struct err *e)
{
	const json_t *values[VARIABLES] = { NULL };

	values_find(vars, values);
	for (size_t i = 0; i < VARIABLES; i++) {
		const json_t *value = values[i];
		struct err why;
		enum rc rc = RC_OK;

		if (!value)
			continue;
		if (variables[i].read)
			rc = variables[i].read(a, value, node, &why);
		else
			unread_count(a, i, value, name);
		if (rc == RC_MEMORY)
			return err_memory(e);
		if (rc == RC_OK || node->refused)
			continue;
		node->refused = arena_format(a->arena, "%s: _meta.hostvars.%s.%s: %s",
			a->file, name, variables[i].name, why.text);
		if (!node->refused)
			return err_memory(e);
	}
	return RC_OK;
}

static bool is_name(const char *name)
{
	return pattern_is_host(name) || pattern_is_address(name);
}

/* Is it a name at all, and one that stands for something else than itself?  "[::1]:22"
 * is one beside a host, which was judged by itself. */
static enum rc name_judge(struct ansible *a, struct inventory_node *node, struct err *e)
{
	const char *formed = name_of(node->host, node->port, a->arena);
	bool plain = node->port == 0 && strcmp(node->host, node->name) == 0;

	if (!formed)
		return err_memory(e);
	if (!is_name(node->name) &&
		(!is_name(node->host) || strcmp(node->name, formed) != 0)) {
		node->refused = arena_format(
			a->arena, "%s: its name is no host name", a->file);
		node->alias = true;
		return node->refused ? RC_OK : err_memory(e);
	}
	if (plain)
		node->name = formed;
	node->alias = strcmp(node->name, formed) != 0;
	return RC_OK;
}

enum rc ansible_node(struct ansible *a, const char *name, json_t *vars,
	struct inventory_node *out, struct err *e)
{
	enum rc rc;

	*out = (struct inventory_node){ 0 };
	out->name = out->host = arena_text(a->arena, name);
	if (!out->name)
		return err_memory(e);
	rc = variables_read(a, out->name, vars, out, e);
	return rc == RC_OK ? name_judge(a, out, e) : rc;
}
