#include <stdlib.h>
#include <string.h>

#include "coordinator/lock/fields.h"

/* A list as an object: each record under the text that it begins with. */
static json_t *list_write(
	const struct field_row *rows, const void *list, size_t count, size_t size)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++) {
		const char *record = (const char *)list + i * size;

		if (json_object_set_new(object, *(const char *const *)record,
			    fields_write(rows, record)) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static bool all_put(json_t *root, const struct lock *l)
{
	/* each is refused when it is NULL */
	return json_object_set_new(root, "format", json_integer(LOCK_FORMAT)) == 0 &&
	       json_object_set_new(root, "version", json_string(l->version)) == 0 &&
	       json_object_set_new(root, "catalogue", json_string(l->catalogue)) == 0 &&
	       json_object_set_new(
		       root, "level", fields_write(lock_level_fields, &l->level)) == 0 &&
	       json_object_set_new(root, "options",
		       list_write(lock_option_fields, l->options, l->option_count,
			       sizeof(*l->options))) == 0 &&
	       json_object_set_new(root, "written",
		       list_write(lock_writing_fields, l->writings, l->writing_count,
			       sizeof(*l->writings))) == 0 &&
	       json_object_set_new(root, "classes",
		       list_write(lock_class_fields, l->classes, l->class_count,
			       sizeof(*l->classes))) == 0 &&
	       json_object_set_new(root, "nodes",
		       list_write(lock_node_fields, l->nodes, l->node_count,
			       sizeof(*l->nodes))) == 0;
}

static char *text_of(json_t *root, const struct lock *l)
{
	char hex[65];

	if (!root || !all_put(root, l) || !fields_digest(root, hex) ||
		json_object_set_new(root, "digest", json_string(hex)) != 0)
		return NULL;
	return json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
}

enum rc lock_print(const struct lock *l, struct buf *out, struct err *e)
{
	json_t *root = json_object();
	char *text = text_of(root, l);
	enum rc rc = text ? buf_append_text(out, text) : RC_MEMORY;

	if (rc == RC_OK)
		rc = buf_append_text(out, "\n");
	free(text);
	json_decref(root);
	if (rc == RC_LIMIT)
		return err_set(e, RC_LIMIT, 0, "the lock would have more than %zu bytes",
			out->cap);
	return rc == RC_OK ? RC_OK : err_memory(e);
}
