#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/lock/fields.h"
#include "proto/limits.h"

#define AGAIN "; take it from where it was kept, or agree anew with --upgrade"

/* ---- lists */

struct reading {
	const char *path;
	const json_t *root;
	struct arena *arena;
	struct err *e;
};

/* A list of records, each under its first text. */
struct list_row {
	const char *key;
	const struct field_row *fields;
	field_check *check; /* of the first text */
	size_t size, list, count;
};

#define LIST(key, record, fields, check, member, counter) \
	{ \
		key, fields, check, sizeof(struct record), \
			offsetof(struct lock, member), offsetof(struct lock, counter) \
	}

static const struct list_row lists[] = {
	LIST("options", lock_option, lock_option_fields, field_is_name, options,
		option_count),
	LIST("written", lock_writing, lock_writing_fields, field_is_key, writings,
		writing_count),
	LIST("classes", lock_class, lock_class_fields, field_is_key, classes,
		class_count),
	LIST("nodes", lock_node, lock_node_fields, lock_is_node_name, nodes, node_count),
};

enum { LISTS = sizeof(lists) / sizeof(lists[0]) };

static enum rc record_read(const struct reading *r, const struct list_row *row,
	const char *name, const json_t *value, void *record)
{
	const char *what = arena_format(
		r->arena, "%s: %s: %.128s", r->path, row->key, lock_text(r->arena, name));

	if (!what)
		return err_memory(r->e);
	if (!row->check(name) || !json_is_object(value))
		return err_set(r->e, RC_INPUT, 0, "%s: this is not one of them", what);
	*(const char **)record = arena_text(r->arena, name);
	if (!*(const char **)record)
		return err_memory(r->e);
	return fields_read(row->fields, value, what, r->arena, record, r->e);
}

static enum rc list_read(
	const struct reading *r, const struct list_row *row, struct lock *out)
{
	json_t *object = json_object_get(r->root, row->key), *value;
	char *list = arena_alloc(r->arena, json_object_size(object) + 1, row->size);
	const char *name;
	size_t count = 0;

	if (!json_is_object(object))
		return err_set(
			r->e, RC_INPUT, 0, "%s: it has no %s" AGAIN, r->path, row->key);
	if (!list)
		return err_memory(r->e);
	json_object_foreach(object, name, value)
	{
		if (record_read(r, row, name, value, list + count * row->size) != RC_OK)
			return r->e->code;
		count++;
	}
	memcpy((char *)out + row->list, &(void *){ list }, sizeof(void *));
	memcpy((char *)out + row->count, &count, sizeof(count));
	return RC_OK;
}

/* ---- the whole */

static enum rc text_take(const struct reading *r, const char *key, const char **out)
{
	const char *text = json_string_value(json_object_get(r->root, key));

	*out = text ? lock_text(r->arena, text) : NULL;
	if (!text)
		return err_set(r->e, RC_INPUT, 0, "%s: it has no %s" AGAIN, r->path, key);
	return *out ? RC_OK : err_memory(r->e);
}

static enum rc check_format(const struct reading *r)
{
	json_int_t format = json_integer_value(json_object_get(r->root, "format"));

	if (format == LOCK_FORMAT)
		return RC_OK;
	if (format > LOCK_FORMAT)
		return err_set(r->e, RC_INPUT, 0,
			"%s: it is of format %lld, and this cpuherd knows %d: use the "
			"newer cpuherd that wrote it",
			r->path, (long long)format, LOCK_FORMAT);
	return err_set(r->e, RC_INPUT, 0, "%s: this is no lock of cpuherd's", r->path);
}

static enum rc check_digest(const struct reading *r)
{
	json_t *rest = json_copy((json_t *)r->root);
	const char *said = json_string_value(json_object_get(r->root, "digest"));
	char hex[65];
	bool made;

	json_object_del(rest, "digest");
	made = rest && fields_digest(rest, hex);
	json_decref(rest);
	if (!made)
		return err_memory(r->e);
	if (said && strcmp(said, hex) == 0)
		return RC_OK;
	return err_set(r->e, RC_INPUT, 0,
		"%s: it was changed since cpuherd wrote it" AGAIN, r->path);
}

static enum rc check_keys(const struct reading *r, const struct lock *l)
{
	for (size_t i = 0; i < l->node_count; i++) {
		const struct lock_node *n = &l->nodes[i];

		if (!lock_find_class(l, n->class) || !lock_find_writing(l, n->written))
			return err_set(r->e, RC_INPUT, 0,
				"%s: nodes: %.128s: its class or what was written is not "
				"there" AGAIN,
				r->path, n->name);
	}
	return RC_OK;
}

static enum rc all_read(const struct reading *r, struct lock *out)
{
	const json_t *level = json_object_get(r->root, "level");
	const char *what = arena_format(r->arena, "%s: level", r->path);
	enum rc rc = check_format(r);

	if (rc == RC_OK)
		rc = check_digest(r);
	if (rc == RC_OK)
		rc = text_take(r, "version", &out->version);
	if (rc == RC_OK)
		rc = text_take(r, "catalogue", &out->catalogue);
	if (rc == RC_OK && !what)
		return err_memory(r->e);
	if (rc == RC_OK)
		rc = fields_read(
			lock_level_fields, level, what, r->arena, &out->level, r->e);
	for (size_t i = 0; i < LISTS && rc == RC_OK; i++)
		rc = list_read(r, &lists[i], out);
	if (rc != RC_OK)
		return rc;
	lock_settle(out);
	return check_keys(r, out);
}

enum rc lock_parse(struct bytes text, const char *path, struct arena *arena,
	struct lock *out, struct err *e)
{
	json_error_t why;
	json_t *root = json_loadb(
		(const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &why);
	struct reading r = { path, root, arena, e };
	enum rc rc;

	*out = (struct lock){ 0 };
	if (!text.size)
		return err_set(e, RC_INPUT, 0, "%s: it is empty" AGAIN, path);
	if (!root)
		return err_set(e, RC_INPUT, 0, "%s:%d:%d: %s" AGAIN, path, why.line,
			why.column, why.text);
	rc = all_read(&r, out);
	json_decref(root);
	return rc;
}

/* ---- the file */

static enum rc bytes_read(int fd, const char *path, struct buf *out, struct err *e)
{
	char part[65536];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		enum rc rc = n > 0 ? buf_append(out, part, (size_t)n) : RC_OK;

		if (n < 0 && errno != EINTR)
			return err_set(
				e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
		if (rc == RC_LIMIT)
			return err_set(e, RC_LIMIT, 0,
				"%s: a lock of more than %d bytes is not read", path,
				LIMIT_LOCK_BYTES);
		if (rc != RC_OK)
			return err_memory(e);
	}
	return RC_OK;
}

enum rc lock_read(const char *path, struct arena *arena, struct lock *out, bool *found,
	struct err *e)
{
	struct buf text = buf_with_cap(LIMIT_LOCK_BYTES);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum rc rc;

	*found = fd >= 0;
	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	if (fd < 0)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	rc = bytes_read(fd, path, &text, e);
	close(fd);
	if (rc == RC_OK)
		rc = lock_parse(buf_bytes(&text), path, arena, out, e);
	buf_destroy(&text);
	return rc;
}
